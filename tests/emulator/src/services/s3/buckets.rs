//! Requests on whole buckets: their objects, where they are, and how they encrypt.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Object, error, invalid_argument};
use crate::protocol::escape;
use crate::protocol::xml::instant;
use crate::{ApiError, Aws};

pub(super) const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// The most keys of one ListObjectsV2.
const MOST_KEYS: usize = 1000;

/// Everything in a key but unreserved characters and slashes.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

/// GetBucketLocation: empty for the first region of AWS.
pub(super) fn location(aws: &Aws, bucket: &str) -> Result<String, ApiError> {
    aws.s3.bucket(bucket)?;
    let region = match aws.region.as_str() {
        "us-east-1" => "",
        other => other,
    };
    Ok(format!(
        "<LocationConstraint xmlns=\"{NAMESPACE}\">{region}</LocationConstraint>"
    ))
}

/// GetBucketEncryption: what every bucket has by default.
pub(super) fn encryption(aws: &Aws, bucket: &str) -> Result<String, ApiError> {
    aws.s3.bucket(bucket)?;
    Ok(format!(
        "<ServerSideEncryptionConfiguration xmlns=\"{NAMESPACE}\"><Rule>\
         <ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>\
         </ApplyServerSideEncryptionByDefault><BucketKeyEnabled>false</BucketKeyEnabled>\
         </Rule></ServerSideEncryptionConfiguration>"
    ))
}

/// ListObjectsV2, in the order of the keys. The token is the last key before the page.
pub(super) fn list<'a>(
    aws: &Aws,
    bucket: &str,
    parameter: impl Fn(&str) -> Option<&'a str>,
) -> Result<String, ApiError> {
    refuse_others(&parameter)?;
    aws.s3.bucket(bucket)?;
    let most = most_keys(parameter("max-keys"))?;
    let prefix = parameter("prefix").unwrap_or_default();
    let (token, start) = (parameter("continuation-token"), parameter("start-after"));
    if token == Some("") {
        let message = "The continuation token provided is incorrect";
        return Err(invalid_argument("continuation-token", None, message));
    }
    let is_encoded = is_encoded(parameter("encoding-type"))?;
    let after = token.or(start);
    let mut objects = aws
        .s3
        .objects(bucket)
        .filter(|(key, _)| key.starts_with(prefix) && after.is_none_or(|after| *key > after));
    let page: Vec<(&str, &Object)> = objects.by_ref().take(most).collect();
    let is_truncated = objects.next().is_some();

    let mut body = format!(
        "<ListBucketResult xmlns=\"{NAMESPACE}\"><Name>{}</Name><Prefix>{}</Prefix>\
         <KeyCount>{}</KeyCount><MaxKeys>{most}</MaxKeys><IsTruncated>{is_truncated}</IsTruncated>",
        escape(bucket),
        written(prefix, is_encoded),
        page.len()
    );
    if is_encoded {
        body.push_str("<EncodingType>url</EncodingType>");
    }
    let next = page.last().filter(|_| is_truncated).map(|(key, _)| *key);
    let start = start.map(|start| written(start, is_encoded));
    for (name, text) in [
        ("ContinuationToken", token.map(escape)),
        ("NextContinuationToken", next.map(escape)),
        ("StartAfter", start),
    ] {
        let text = text.map(|text| format!("<{name}>{text}</{name}>"));
        body.push_str(&text.unwrap_or_default());
    }
    for (key, object) in page {
        body.push_str(&contents(&written(key, is_encoded), object));
    }
    body.push_str("</ListBucketResult>");
    Ok(body)
}

/// Refuses the parameters of ListObjectsV2 that are not served.
fn refuse_others<'a>(parameter: impl Fn(&str) -> Option<&'a str>) -> Result<(), ApiError> {
    for name in ["delimiter", "fetch-owner", "optional-object-attributes"] {
        if parameter(name).is_some_and(|value| !value.is_empty() && value != "false") {
            return Err(error(
                501,
                "NotImplemented",
                &format!("the sandbox does not serve the parameter {name}"),
            ));
        }
    }
    Ok(())
}

/// Whether the keys of a list are encoded.
pub(super) fn is_encoded(given: Option<&str>) -> Result<bool, ApiError> {
    match given {
        None => Ok(false),
        Some("url") => Ok(true),
        Some(other) => {
            let message = "Invalid Encoding Method specified in Request";
            Err(invalid_argument("encoding-type", Some(other), message))
        }
    }
}

pub(super) fn most_keys(given: Option<&str>) -> Result<usize, ApiError> {
    let Some(given) = given else {
        return Ok(MOST_KEYS);
    };
    let most = given.parse::<usize>().map_err(|_| {
        error(
            400,
            "InvalidArgument",
            "Provided max-keys not an integer or within integer range",
        )
    })?;
    Ok(MOST_KEYS.min(most))
}

/// A key as it is in a list. Clients that request an encoding decode keys, so that every key fits
/// into XML.
pub(super) fn written(key: &str, is_encoded: bool) -> String {
    if is_encoded {
        utf8_percent_encode(key, ENCODED).to_string()
    } else {
        escape(key)
    }
}

fn contents(key: &str, object: &Object) -> String {
    let modified = instant(object.modified);
    format!(
        "<Contents><Key>{key}</Key><LastModified>{}</LastModified><ETag>{}</ETag>\
         <Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
        modified.as_str().unwrap_or_default(),
        escape(&object.etag),
        object.body.len()
    )
}
