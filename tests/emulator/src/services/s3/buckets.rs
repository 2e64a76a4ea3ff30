//! Buckets made, listed and removed, and objects deleted.

use quick_xml::Reader;
use quick_xml::events::Event;
use time::format_description::well_known::Rfc3339;

use super::rest::{Asked, NAMESPACE, instant, xml};
use super::{Object, S3, error};
use crate::protocol::{Response, decode, escape};
use crate::{ApiError, Aws};

/// The most objects of one DeleteObjects.
const MOST_DELETED: usize = 1000;

pub(super) fn serve(aws: &mut Aws, asked: &Asked, operation: &str) -> Result<Response, ApiError> {
    match operation {
        "ListBuckets" => Ok(list(aws)),
        "CreateBucket" => create(aws, &asked.bucket),
        "CopyObject" => copy(aws, asked),
        "DeleteBucket" => delete_bucket(aws, &asked.bucket),
        "DeleteObject" => {
            let version = asked.parameter("versionId");
            let marker = aws.s3.delete(&asked.bucket, &asked.key, version)?;
            let mut headers = Vec::new();
            if let Some(marker) = marker {
                headers.push(("x-amz-delete-marker".to_owned(), "true".to_owned()));
                headers.push(("x-amz-version-id".to_owned(), marker));
            }
            Ok(Response {
                status: 204,
                headers,
                body: Vec::new(),
            })
        }
        "DeleteObjects" => delete_objects(aws, asked),
        _ => {
            let bucket = aws.s3.bucket(&asked.bucket)?;
            let body = match operation {
                "GetBucketLocation" => {
                    format!(
                        "<LocationConstraint xmlns=\"{NAMESPACE}\">{}</LocationConstraint>",
                        escape(&aws.region)
                    )
                }
                _ => {
                    let status = if bucket.versioned {
                        "<Status>Enabled</Status>"
                    } else {
                        ""
                    };
                    format!(
                        "<VersioningConfiguration xmlns=\"{NAMESPACE}\">{status}</VersioningConfiguration>"
                    )
                }
            };
            Ok(xml(200, body))
        }
    }
}

fn list(aws: &Aws) -> Response {
    let bucket = |(name, bucket): (&String, &super::Bucket)| {
        let created = instant(bucket.created)
            .format(&Rfc3339)
            .expect("a year of four digits");
        format!(
            "<Bucket><Name>{}</Name><CreationDate>{created}</CreationDate></Bucket>",
            escape(name)
        )
    };
    let buckets: String = aws.s3.buckets.iter().map(bucket).collect();
    let owner = format!("<Owner><ID>{}</ID></Owner>", aws.account);
    xml(
        200,
        format!(
            "<ListAllMyBucketsResult xmlns=\"{NAMESPACE}\">{owner}<Buckets>{buckets}</Buckets></ListAllMyBucketsResult>"
        ),
    )
}

fn create(aws: &mut Aws, name: &str) -> Result<Response, ApiError> {
    let legal = |one: char| one.is_ascii_lowercase() || one.is_ascii_digit() || "-.".contains(one);
    if !(3..=63).contains(&name.len()) || !name.chars().all(legal) {
        return Err(error(
            400,
            "InvalidBucketName",
            "The specified bucket is not valid.",
        ));
    }
    if aws.s3.bucket(name).is_ok() {
        let message =
            "Your previous request to create the named bucket succeeded and you already own it.";
        return Err(error(409, "BucketAlreadyOwnedByYou", message));
    }
    aws.s3.create_bucket(name, false);
    let location = ("location".to_owned(), format!("/{name}"));
    Ok(Response {
        status: 200,
        headers: vec![location],
        body: Vec::new(),
    })
}

/// The object that `x-amz-copy-source` names, stored once more.
fn copy(aws: &mut Aws, asked: &Asked) -> Result<Response, ApiError> {
    let source = decode(
        asked
            .request
            .header("x-amz-copy-source")
            .unwrap_or_default(),
    );
    let (path, version) = match source.split_once("?versionId=") {
        Some((path, version)) => (path, Some(version)),
        None => (source.as_str(), None),
    };
    let invalid = || {
        error(
            400,
            "InvalidArgument",
            "Copy Source must mention the source bucket and key: sourcebucket/sourcekey",
        )
    };
    let (bucket, key) = path
        .trim_start_matches('/')
        .split_once('/')
        .ok_or_else(invalid)?;
    let object = Object {
        modified: aws.now,
        ..aws.s3.object(bucket, key, version)?.clone()
    };
    let stored = aws.s3.store(&asked.bucket, &asked.key, object)?;
    let modified = instant(stored.modified)
        .format(&Rfc3339)
        .expect("a year of four digits");
    let etag = escape(&stored.etag);
    Ok(xml(
        200,
        format!(
            "<CopyObjectResult xmlns=\"{NAMESPACE}\"><ETag>{etag}</ETag><LastModified>{modified}</LastModified></CopyObjectResult>"
        ),
    ))
}

fn delete_bucket(aws: &mut Aws, name: &str) -> Result<Response, ApiError> {
    if aws
        .s3
        .bucket(name)?
        .objects
        .values()
        .any(|versions| !versions.is_empty())
    {
        return Err(error(
            409,
            "BucketNotEmpty",
            "The bucket you tried to delete is not empty",
        ));
    }
    aws.s3.buckets.remove(name);
    Ok(Response {
        status: 204,
        headers: Vec::new(),
        body: Vec::new(),
    })
}

fn delete_objects(aws: &mut Aws, asked: &Asked) -> Result<Response, ApiError> {
    let malformed = || {
        error(
            400,
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    };
    let objects = objects(&String::from_utf8_lossy(&asked.request.body)).ok_or_else(malformed)?;
    if !(1..=MOST_DELETED).contains(&objects.len()) {
        return Err(malformed());
    }
    let mut deleted = String::new();
    for (key, version) in objects {
        aws.s3.delete(&asked.bucket, &key, version.as_deref())?;
        deleted.push_str(&format!("<Deleted><Key>{}</Key></Deleted>", escape(&key)));
    }
    Ok(xml(
        200,
        format!("<DeleteResult xmlns=\"{NAMESPACE}\">{deleted}</DeleteResult>"),
    ))
}

/// Keys and version ids of `<Delete><Object><Key>…</Key><VersionId>…</VersionId></Object>…</Delete>`.
fn objects(document: &str) -> Option<Vec<(String, Option<String>)>> {
    let mut reader = Reader::from_str(document);
    let (mut objects, mut element) = (Vec::<(String, Option<String>)>::new(), String::new());
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                element = start.local_name().as_ref().to_owned();
                if element == "Object" {
                    objects.push((String::new(), None));
                }
            }
            Event::Text(text) => add(objects.last_mut(), &element, &text),
            Event::GeneralRef(reference) => {
                let text = match reference.resolve_char_ref().ok()? {
                    Some(letter) => letter.to_string(),
                    None => quick_xml::escape::resolve_predefined_entity(&reference)?.to_owned(),
                };
                add(objects.last_mut(), &element, &text);
            }
            Event::End(_) => element.clear(),
            Event::Eof => return Some(objects),
            _ => {}
        }
    }
}

fn add(object: Option<&mut (String, Option<String>)>, element: &str, text: &str) {
    match (object, element) {
        (Some((key, _)), "Key") => key.push_str(text),
        (Some((_, version)), "VersionId") => version.get_or_insert_default().push_str(text),
        _ => {}
    }
}

impl S3 {
    /// Deletes a version for good, or puts a delete marker on a versioned object and answers the marker's version id.
    fn delete(
        &mut self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<Option<String>, ApiError> {
        let versioned = self.bucket(bucket)?.versioned;
        let objects = self
            .buckets
            .get_mut(bucket)
            .map(|bucket| &mut bucket.objects);
        let Some(objects) = objects else {
            return Ok(None);
        };
        match version {
            Some(version) => {
                if let Some(versions) = objects.get_mut(key) {
                    versions
                        .retain(|object| object.version.as_deref().unwrap_or("null") != version);
                }
                objects.retain(|_, versions| !versions.is_empty());
                Ok(None)
            }
            None if versioned => {
                let marker = Object {
                    version: None,
                    etag: String::new(),
                    modified: self.time,
                    content_type: None,
                    body: Vec::new(),
                    marker: true,
                    metadata: Vec::new(),
                };
                Ok(self.store(bucket, key, marker)?.version.clone())
            }
            None => {
                objects.remove(key);
                Ok(None)
            }
        }
    }
}
