//! The versions of objects, listed and removed.
//!
//! A version is removed for good. There are no delete markers: an object of a versioned bucket is
//! not removed without the id of a version.

use quick_xml::escape::unescape;

use super::buckets::{NAMESPACE, is_encoded, most_keys, written};
use super::{Object, S3, error, invalid_argument};
use crate::protocol::escape;
use crate::protocol::xml::instant;
use crate::{ApiError, Aws};

/// The most objects of one DeleteObjects. Source:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
const MOST_OBJECTS: usize = 1000;

/// The id of an object that was stored without versioning.
const NO_VERSION: &str = "null";

/// One version of the object with this key.
struct Version<'a> {
    key: &'a str,
    is_latest: bool,
    object: &'a Object,
}

/// ListObjectVersions: in the order of the keys, the newest version of each first.
pub(super) fn list<'a>(
    aws: &Aws,
    bucket: &str,
    parameter: impl Fn(&str) -> Option<&'a str>,
) -> Result<String, ApiError> {
    let most = most_keys(parameter("max-keys"))?;
    let prefix = parameter("prefix").unwrap_or_default();
    let is_encoded = is_encoded(parameter("encoding-type"))?;
    let all = versions(&aws.s3, bucket, prefix)?;
    let (key_marker, id_marker) = (parameter("key-marker"), parameter("version-id-marker"));
    let start = match (key_marker, id_marker) {
        (Some(key), Some(id)) => all
            .iter()
            .position(|version| version.key == key && version.id() == id)
            .map_or(0, |at| at + 1),
        (Some(key), None) => all.partition_point(|version| version.key <= key),
        (None, None) => 0,
        (None, Some(id)) => {
            let message = "A version-id marker cannot be specified without a key marker.";
            return Err(invalid_argument("version-id-marker", Some(id), message));
        }
    };
    let page: Vec<&Version<'_>> = all.iter().skip(start).take(most).collect();
    let is_truncated = start + page.len() < all.len();

    let mut body = format!(
        "<ListVersionsResult xmlns=\"{NAMESPACE}\"><Name>{}</Name><Prefix>{}</Prefix>\
         <KeyMarker>{}</KeyMarker><VersionIdMarker>{}</VersionIdMarker>\
         <MaxKeys>{most}</MaxKeys><IsTruncated>{is_truncated}</IsTruncated>",
        escape(bucket),
        written(prefix, is_encoded),
        written(key_marker.unwrap_or_default(), is_encoded),
        escape(id_marker.unwrap_or_default()),
    );
    if is_encoded {
        body.push_str("<EncodingType>url</EncodingType>");
    }
    if let Some(last) = page.last().filter(|_| is_truncated) {
        body.push_str(&format!(
            "<NextKeyMarker>{}</NextKeyMarker><NextVersionIdMarker>{}</NextVersionIdMarker>",
            written(last.key, is_encoded),
            escape(last.id())
        ));
    }
    for version in page {
        body.push_str(&version.element(is_encoded));
    }
    body.push_str("</ListVersionsResult>");
    Ok(body)
}

fn versions<'a>(s3: &'a S3, bucket: &str, prefix: &str) -> Result<Vec<Version<'a>>, ApiError> {
    let mut all = Vec::new();
    for (key, versions) in &s3.bucket(bucket)?.objects {
        if !key.starts_with(prefix) {
            continue;
        }
        for (age, object) in versions.iter().rev().enumerate() {
            all.push(Version {
                key: key.as_str(),
                is_latest: age == 0,
                object,
            });
        }
    }
    Ok(all)
}

impl Version<'_> {
    fn id(&self) -> &str {
        self.object.version.as_deref().unwrap_or(NO_VERSION)
    }

    fn element(&self, is_encoded: bool) -> String {
        let modified = instant(self.object.modified);
        format!(
            "<Version><Key>{}</Key><VersionId>{}</VersionId><IsLatest>{}</IsLatest>\
             <LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size>\
             <StorageClass>STANDARD</StorageClass></Version>",
            written(self.key, is_encoded),
            escape(self.id()),
            self.is_latest,
            modified.as_str().unwrap_or_default(),
            escape(&self.object.etag),
            self.object.body.len()
        )
    }
}

/// DeleteObjects: what is not there is as good as removed.
pub(super) fn delete(aws: &mut Aws, bucket: &str, body: &[u8]) -> Result<String, ApiError> {
    aws.s3.bucket(bucket)?;
    let document = std::str::from_utf8(body).map_err(|_| malformed())?;
    let is_quiet = element(document, "Quiet")?.is_some_and(|quiet| quiet == "true");
    let objects: Vec<&str> = document.split("<Object>").skip(1).collect();
    if objects.is_empty() || objects.len() > MOST_OBJECTS {
        return Err(malformed());
    }

    let mut answer = format!("<DeleteResult xmlns=\"{NAMESPACE}\">");
    for object in objects {
        let object = object.split("</Object>").next().unwrap_or_default();
        let key = element(object, "Key")?.ok_or_else(malformed)?;
        let version = element(object, "VersionId")?;
        let names = named(&key, version.as_deref());
        match aws.s3.remove(bucket, &key, version.as_deref()) {
            Ok(()) if is_quiet => {}
            Ok(()) => answer.push_str(&format!("<Deleted>{names}</Deleted>")),
            Err(error) => answer.push_str(&format!(
                "<Error>{names}<Code>{}</Code><Message>{}</Message></Error>",
                escape(&error.code),
                escape(&error.message)
            )),
        }
    }
    answer.push_str("</DeleteResult>");
    Ok(answer)
}

fn named(key: &str, version: Option<&str>) -> String {
    let version = version.map(|id| format!("<VersionId>{}</VersionId>", escape(id)));
    format!("<Key>{}</Key>{}", escape(key), version.unwrap_or_default())
}

/// The text of the first element of that name.
fn element(document: &str, name: &str) -> Result<Option<String>, ApiError> {
    let Some((_, rest)) = document.split_once(&format!("<{name}>")) else {
        return Ok(None);
    };
    let (text, _) = rest
        .split_once(&format!("</{name}>"))
        .ok_or_else(malformed)?;
    let text = unescape(text).map_err(|_| malformed())?;
    Ok(Some(text.into_owned()))
}

fn malformed() -> ApiError {
    error(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

impl S3 {
    /// Removes a version of an object, or the object of a bucket without versions.
    fn remove(&mut self, bucket: &str, key: &str, version: Option<&str>) -> Result<(), ApiError> {
        let versioned = self.bucket(bucket)?.versioned;
        if versioned && version.is_none() {
            return Err(error(
                501,
                "NotImplemented",
                "the sandbox has no delete markers; name a version",
            ));
        }

        let objects = self.buckets.get_mut(bucket).map(|it| &mut it.objects);
        let Some(objects) = objects else {
            return Ok(());
        };
        let wanted = version.unwrap_or(NO_VERSION);
        if let Some(versions) = objects.get_mut(key) {
            versions.retain(|object| object.version.as_deref().unwrap_or(NO_VERSION) != wanted);
        }
        objects.retain(|_, versions| !versions.is_empty());
        Ok(())
    }
}
