//! The REST face of S3: which operation a request means, and the XML of its answers.

use std::collections::BTreeMap;
use std::ops::Bound;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

use super::{Object, buckets, chunked, error};
use crate::protocol::{Response, decode, escape};
use crate::{ApiError, Aws, Millis, Request};

pub(super) const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
const MAX_KEYS: usize = 1000;
const UNKNOWN: &str = "Unknown";

/// The parts of a request, read once.
pub(super) struct Asked<'a> {
    pub(super) request: &'a Request,
    pub(super) bucket: String,
    pub(super) key: String,
    query: Vec<(String, String)>,
}

/// Answers one request: the operation, the code of the error if any, and the response.
pub(crate) fn answer(
    aws: &mut Aws,
    request: &Request,
    id: &str,
    refusal: Option<ApiError>,
) -> (String, Option<String>, Response) {
    aws.s3.at(aws.now);
    let asked = Asked::read(request);
    let operation = asked.operation();
    let result = match refusal {
        Some(error) => Err(error),
        None => asked.serve(aws, operation),
    };
    let (code, mut response) = match result {
        Ok(response) => (None, response),
        Err(error) => (Some(error.code.clone()), asked.failure(&error, id)),
    };
    response
        .headers
        .push(("x-amz-request-id".to_owned(), id.to_owned()));
    let operation = match operation {
        UNKNOWN => format!("{} {}", request.method, request.path_and_query),
        known => known.to_owned(),
    };
    (operation, code, response)
}

/// The operation that a request means, with the members of its input that say what it is about.
pub(crate) fn asked(request: &Request) -> (String, Value) {
    let asked = Asked::read(request);
    let input = json!({"Bucket": asked.bucket, "Key": asked.key, "VersionId": asked.parameter("versionId")});
    (asked.operation().to_owned(), input)
}

impl<'a> Asked<'a> {
    /// A bucket is either the first label of the host or the first segment of the path.
    fn read(request: &'a Request) -> Self {
        let host = request.host.split(':').next().unwrap_or_default();
        let label = match host.strip_suffix(".localhost") {
            Some(bucket) => Some(bucket.len()),
            None => [".s3.", ".s3-"]
                .iter()
                .find_map(|service| host.find(service))
                .filter(|_| host.contains("amazonaws.com")),
        };
        let path = request.path().trim_start_matches('/');
        let (bucket, key) = match label {
            Some(end) => (host[..end].to_owned(), path),
            None => {
                let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
                (decode(bucket), key)
            }
        };
        Self {
            request,
            bucket,
            key: decode(key),
            query: request.query(),
        }
    }

    fn operation(&self) -> &'static str {
        match (self.request.method.as_str(), self.key.is_empty()) {
            ("GET", true) if self.subresource() == Some("location") => "GetBucketLocation",
            ("GET", true) if self.subresource() == Some("versioning") => "GetBucketVersioning",
            ("POST", true) if self.subresource() == Some("delete") => "DeleteObjects",
            _ if self.subresource().is_some() => UNKNOWN,
            ("GET", true) if self.bucket.is_empty() => "ListBuckets",
            ("PUT", true) => "CreateBucket",
            ("DELETE", true) => "DeleteBucket",
            ("DELETE", false) => "DeleteObject",
            ("GET", true) if self.parameter("list-type") == Some("2") => "ListObjectsV2",
            ("HEAD", true) => "HeadBucket",
            ("GET", false) => "GetObject",
            ("HEAD", false) => "HeadObject",
            ("PUT", false) if self.request.header("x-amz-copy-source").is_some() => "CopyObject",
            ("PUT", false) => "PutObject",
            _ => UNKNOWN,
        }
    }

    /// Parameters that turn a request into another operation.
    fn subresource(&self) -> Option<&str> {
        const SUBRESOURCES: [&str; 10] = [
            "acl",
            "delete",
            "tagging",
            "uploads",
            "uploadId",
            "versioning",
            "versions",
            "location",
            "policy",
            "attributes",
        ];
        self.query
            .iter()
            .map(|(name, _)| name.as_str())
            .find(|name| SUBRESOURCES.contains(name))
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn serve(&self, aws: &mut Aws, operation: &str) -> Result<Response, ApiError> {
        match operation {
            "PutObject" => self.put(aws),
            "GetObject" => self.get(aws),
            "HeadObject" => Ok(Response {
                body: Vec::new(),
                ..self.get(aws)?
            }),
            "HeadBucket" => {
                aws.s3.bucket(&self.bucket)?;
                Ok(Response {
                    status: 200,
                    headers: vec![("x-amz-bucket-region".to_owned(), aws.region.clone())],
                    body: Vec::new(),
                })
            }
            "ListObjectsV2" => self.list(aws),
            UNKNOWN => Err(error(
                501,
                "NotImplemented",
                "the sandbox does not serve this operation",
            )),
            _ => buckets::serve(aws, self, operation),
        }
    }

    fn put(&self, aws: &mut Aws) -> Result<Response, ApiError> {
        let exists = aws.s3.object(&self.bucket, &self.key, None).is_ok();
        match self.request.header("if-none-match") {
            Some("*") if exists => {
                return Err(error(
                    412,
                    "PreconditionFailed",
                    "At least one of the pre-conditions you specified did not hold",
                ));
            }
            Some("*") | None => {}
            Some(_) => {
                return Err(error(
                    501,
                    "NotImplemented",
                    "A header you provided implies functionality that is not implemented",
                ));
            }
        }
        let header = |name: &str| self.request.header(name).unwrap_or_default();
        let chunked = header("content-encoding").contains("aws-chunked")
            || header("x-amz-content-sha256").starts_with("STREAMING-");
        let body = if chunked {
            chunked::decode(&self.request.body)?
        } else {
            self.request.body.clone()
        };
        let object = Object {
            version: None,
            etag: String::new(),
            modified: aws.now,
            content_type: self.request.header("content-type").map(str::to_owned),
            body,
            marker: false,
            metadata: self
                .request
                .headers
                .iter()
                .filter(|(name, _)| name.starts_with("x-amz-meta-"))
                .cloned()
                .collect(),
        };
        let stored = aws.s3.store(&self.bucket, &self.key, object)?;
        let mut headers = vec![
            ("etag".to_owned(), stored.etag.clone()),
            ("content-length".to_owned(), "0".to_owned()),
        ];
        headers.extend(
            stored
                .version
                .clone()
                .map(|version| ("x-amz-version-id".to_owned(), version)),
        );
        Ok(Response {
            status: 200,
            headers,
            body: Vec::new(),
        })
    }

    fn get(&self, aws: &Aws) -> Result<Response, ApiError> {
        let object = aws
            .s3
            .object(&self.bucket, &self.key, self.parameter("versionId"))?;
        let size = object.body.len();
        let mut headers = vec![
            ("etag".to_owned(), object.etag.clone()),
            ("last-modified".to_owned(), http_date(object.modified)),
            ("accept-ranges".to_owned(), "bytes".to_owned()),
            (
                "content-type".to_owned(),
                object
                    .content_type
                    .clone()
                    .unwrap_or_else(|| "binary/octet-stream".to_owned()),
            ),
        ];
        headers.extend(object.metadata.iter().cloned());
        headers.extend(
            object
                .version
                .clone()
                .map(|version| ("x-amz-version-id".to_owned(), version)),
        );
        let (status, body) = match self
            .request
            .header("range")
            .and_then(|range| bounds(range, size))
        {
            None => (200, object.body.clone()),
            Some((first, last)) if first < size && first <= last => {
                headers.push((
                    "content-range".to_owned(),
                    format!("bytes {first}-{last}/{size}"),
                ));
                (206, object.body[first..=last].to_vec())
            }
            Some(_) => {
                return Err(error(
                    416,
                    "InvalidRange",
                    "The requested range is not satisfiable",
                ));
            }
        };
        headers.push(("content-length".to_owned(), body.len().to_string()));
        Ok(Response {
            status,
            headers,
            body,
        })
    }

    fn list(&self, aws: &Aws) -> Result<Response, ApiError> {
        let bucket = aws.s3.bucket(&self.bucket)?;
        let prefix = self.parameter("prefix").unwrap_or_default();
        let max = self.max_keys()?;
        let encode = |text: &str| {
            if self.parameter("encoding-type") == Some("url") {
                url_encode(text)
            } else {
                escape(text)
            }
        };
        let (mut rows, mut last, mut more) = (BTreeMap::new(), "", false);
        let later = bucket
            .objects
            .range::<str, _>((Bound::Excluded(self.after()), Bound::Unbounded));
        for (key, versions) in
            later.filter(|(key, versions)| key.starts_with(prefix) && is_there(versions))
        {
            let common = self.common_prefix(key, prefix);
            let row = common.unwrap_or(key);
            // A common prefix counts once, and not again on the page after the one that named it.
            let seen = rows.contains_key(row)
                || common.is_some_and(|common| self.after().starts_with(common));
            if !seen && rows.len() == max {
                more = max > 0;
                break;
            }
            last = key.as_str();
            if !seen {
                rows.insert(row, versions.last().filter(|_| common.is_none()));
            }
        }
        let elements: String = rows
            .iter()
            .map(|(row, object)| element(&encode(row), *object))
            .collect();
        let next = if more {
            format!(
                "<NextContinuationToken>{}</NextContinuationToken>",
                escape(last)
            )
        } else {
            String::new()
        };
        let (name, prefix, count) = (escape(&self.bucket), encode(prefix), rows.len());
        // Clients decode keys and prefixes only when the answer says that they are encoded.
        let asked = self.asked_for(encode);
        Ok(xml(
            200,
            format!(
                "<ListBucketResult xmlns=\"{NAMESPACE}\"><Name>{name}</Name><Prefix>{prefix}</Prefix><KeyCount>{count}</KeyCount>\
             {asked}<MaxKeys>{max}</MaxKeys><IsTruncated>{more}</IsTruncated>{next}{elements}</ListBucketResult>"
            ),
        ))
    }

    /// The members of a list that repeat what was asked for.
    fn asked_for(&self, encode: impl Fn(&str) -> String) -> String {
        let element = |name: &str, value: String| format!("<{name}>{value}</{name}>");
        let encoding = self
            .parameter("encoding-type")
            .map(|kind| element("EncodingType", escape(kind)));
        let delimiter = self
            .parameter("delimiter")
            .map(|text| element("Delimiter", encode(text)));
        let after = self
            .parameter("start-after")
            .map(|text| element("StartAfter", encode(text)));
        let token = self
            .parameter("continuation-token")
            .map(|text| element("ContinuationToken", escape(text)));
        [encoding, delimiter, after, token]
            .into_iter()
            .flatten()
            .collect()
    }

    fn max_keys(&self) -> Result<usize, ApiError> {
        let Some(max) = self.parameter("max-keys") else {
            return Ok(MAX_KEYS);
        };
        let wrong = |_| {
            error(
                400,
                "InvalidArgument",
                "Provided max-keys not an integer or within integer range",
            )
        };
        Ok(max.parse::<usize>().map_err(wrong)?.min(MAX_KEYS))
    }

    /// The key after which a list begins.
    fn after(&self) -> &str {
        self.parameter("continuation-token")
            .or(self.parameter("start-after"))
            .unwrap_or_default()
    }

    /// What a key has in common with others: all up to the first delimiter behind the prefix.
    fn common_prefix<'k>(&self, key: &'k str, prefix: &str) -> Option<&'k str> {
        let delimiter = self
            .parameter("delimiter")
            .filter(|delimiter| !delimiter.is_empty())?;
        let at = key.strip_prefix(prefix)?.find(delimiter)?;
        Some(&key[..prefix.len() + at + delimiter.len()])
    }

    fn failure(&self, error: &ApiError, id: &str) -> Response {
        if self.request.method == "HEAD" {
            return Response {
                status: error.status,
                headers: Vec::new(),
                body: Vec::new(),
            };
        }
        let subject = match error.code.as_str() {
            "NoSuchBucket" => format!("<BucketName>{}</BucketName>", escape(&self.bucket)),
            "NoSuchKey" | "NoSuchVersion" => format!("<Key>{}</Key>", escape(&self.key)),
            _ => String::new(),
        };
        let (code, message) = (escape(&error.code), escape(&error.message));
        xml(
            error.status,
            format!(
                "<Error><Code>{code}</Code><Message>{message}</Message>{subject}<RequestId>{id}</RequestId></Error>"
            ),
        )
    }
}

/// Whether an object is there, as opposed to deleted.
fn is_there(versions: &[Object]) -> bool {
    versions.last().is_some_and(|object| !object.marker)
}

/// A row of a list: an object, or a prefix that objects have in common.
fn element(name: &str, object: Option<&Object>) -> String {
    let Some(object) = object else {
        return format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>");
    };
    let (etag, size) = (escape(&object.etag), object.body.len());
    let modified = instant(object.modified)
        .format(&Rfc3339)
        .expect("a year of four digits");
    format!(
        "<Contents><Key>{name}</Key><LastModified>{modified}</LastModified><ETag>{etag}</ETag><Size>{size}</Size>\
         <StorageClass>STANDARD</StorageClass></Contents>"
    )
}

pub(super) fn xml(status: u16, document: String) -> Response {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{document}").into_bytes();
    let headers = vec![
        ("content-type".to_owned(), "application/xml".to_owned()),
        ("content-length".to_owned(), body.len().to_string()),
    ];
    Response {
        status,
        headers,
        body,
    }
}

/// The first and the last byte of `bytes=a-b`, `bytes=a-` or `bytes=-n`; what is not a range is ignored, as in HTTP.
fn bounds(range: &str, size: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let end = size.saturating_sub(1);
    if first.is_empty() {
        let length: usize = last.parse().ok()?;
        // A suffix of no bytes cannot be satisfied: it begins behind the end.
        return Some(if length == 0 {
            (size, size)
        } else {
            (size.saturating_sub(length), end)
        });
    }
    let last = if last.is_empty() {
        end
    } else {
        last.parse::<usize>().ok()?.min(end)
    };
    Some((first.parse().ok()?, last))
}

fn url_encode(text: &str) -> String {
    const KEPT: percent_encoding::AsciiSet = percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'/')
        .remove(b'*');
    percent_encoding::utf8_percent_encode(text, &KEPT).to_string()
}

pub(super) fn instant(at: Millis) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn http_date(at: Millis) -> String {
    instant(at)
        .format(&Rfc2822)
        .expect("a year of four digits")
        .replace("+0000", "GMT")
}
