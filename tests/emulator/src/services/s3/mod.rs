//! S3: buckets with or without versions, for pipeline artifacts and configuration.

mod buckets;
mod chunked;
mod iam;
mod rest;
mod versions;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::protocol::{Protocol, Rest};
use crate::service::{Errors, Service, Wording};
use crate::{ApiError, Millis, text};
pub(crate) use rest::object_at;

pub(crate) const SERVICE: Service = Service {
    name: "s3",
    protocol: Protocol::Rest(Rest {
        handle: rest::handle,
        read: |request| Some(rest::operation_and_input(request)),
    }),
    errors: Errors {
        throttled: Wording::new(503, "SlowDown", "Please reduce your request rate."),
        internal: Wording::new(
            500,
            "InternalError",
            "We encountered an internal error. Please try again.",
        ),
        denied: (403, "AccessDenied"),
        unknown_key: Wording::new(
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
        expired: Wording::new(400, "ExpiredToken", "The provided token has expired."),
        skewed: Wording::new(
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        ),
    },
    demands: iam::demands,
};

#[derive(Clone, Debug, Default)]
pub struct S3 {
    buckets: BTreeMap<String, Bucket>,
    /// The time of the last request or of the last `at`: the time of objects that services store.
    time: Millis,
    /// How many objects were stored so far; version ids are made of it.
    puts: u64,
}

#[derive(Clone, Debug, Default)]
struct Bucket {
    versioned: bool,
    /// The versions of each key, oldest first; only one without versioning.
    objects: BTreeMap<String, Vec<Object>>,
}

/// One version of an object.
#[derive(Clone, Debug)]
pub struct Object {
    pub version: Option<String>,
    /// Quoted, as in the header. AWS does not promise more than that it changes with the bytes.
    pub etag: String,
    pub modified: Millis,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
}

impl S3 {
    /// Keys and newest versions of the objects of a bucket, if there is one.
    pub fn objects(&self, bucket: &str) -> impl Iterator<Item = (&str, &Object)> {
        let objects = self
            .buckets
            .get(bucket)
            .into_iter()
            .flat_map(|bucket| &bucket.objects);
        objects.filter_map(|(key, versions)| Some((key.as_str(), versions.last()?)))
    }

    /// Sets the time of objects that are stored from now on.
    pub fn at(&mut self, now: Millis) -> &mut Self {
        self.time = now;
        self
    }

    pub fn create_bucket(&mut self, name: &str, versioned: bool) {
        let bucket = self.buckets.entry(name.to_owned()).or_default();
        bucket.versioned = versioned;
    }

    pub fn has_bucket(&self, name: &str) -> bool {
        self.buckets.contains_key(name)
    }

    /// Removes a bucket.
    ///
    /// # Errors
    /// `NoSuchBucket`, or `BucketNotEmpty` while it has any version of an object.
    pub fn delete_bucket(&mut self, name: &str) -> Result<(), ApiError> {
        let bucket = self.bucket(name)?;
        if !bucket.objects.is_empty() {
            let message = if bucket.versioned {
                "The bucket you tried to delete is not empty. You must delete all versions in the \
                 bucket."
            } else {
                "The bucket you tried to delete is not empty"
            };
            return Err(error(409, "BucketNotEmpty", message));
        }

        self.buckets.remove(name);
        Ok(())
    }

    /// Stores an object; returns its version id in a versioned bucket.
    pub fn put(
        &mut self,
        bucket: &str,
        key: &str,
        body: Vec<u8>,
    ) -> Result<Option<String>, ApiError> {
        let object = Object {
            version: None,
            etag: String::new(),
            modified: self.time,
            content_type: None,
            body,
        };
        Ok(self.store(bucket, key, object)?.version.clone())
    }

    /// The newest bytes, or those of a version.
    pub fn get(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<&[u8], ApiError> {
        Ok(&self.object(bucket, key, version)?.body)
    }

    /// The newest version of an object, or a certain one, with its version id and its ETag.
    pub fn object(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<&Object, ApiError> {
        let versions = self.bucket(bucket)?.objects.get(key);
        let found = match version {
            None => versions.and_then(|versions| versions.last()),
            Some(version) => {
                let named =
                    |object: &&Object| object.version.as_deref().unwrap_or("null") == version;
                let found = versions.and_then(|versions| versions.iter().find(named));
                return found.ok_or_else(|| {
                    error(
                        404,
                        "NoSuchVersion",
                        "The specified version does not exist.",
                    )
                });
            }
        };
        found.ok_or_else(|| error(404, "NoSuchKey", "The specified key does not exist."))
    }

    fn bucket(&self, name: &str) -> Result<&Bucket, ApiError> {
        self.buckets
            .get(name)
            .ok_or_else(|| error(404, "NoSuchBucket", "The specified bucket does not exist"))
    }

    fn store(&mut self, bucket: &str, key: &str, mut object: Object) -> Result<&Object, ApiError> {
        self.bucket(bucket)?;
        if key.is_empty() || key.len() > 1024 {
            return Err(error(400, "KeyTooLongError", "Your key is too long"));
        }

        self.puts += 1;
        let puts = self.puts;
        let bucket = self
            .buckets
            .get_mut(bucket)
            .ok_or_else(|| error(404, "NoSuchBucket", "The specified bucket does not exist"))?;

        object.etag = format!("\"{}\"", &sha256(&object.body)[..32]);
        object.version = bucket
            .versioned
            .then(|| sha256(format!("{key} {puts}").as_bytes())[..32].to_owned());
        let versions = bucket.objects.entry(key.to_owned()).or_default();

        // Without versioning the one object is overwritten: its version id is null.
        versions.retain(|other| other.version.is_some() || object.version.is_some());
        versions.push(object);
        Ok(versions.last().expect("just pushed"))
    }
}

fn sha256(bytes: &[u8]) -> String {
    text::hex(&Sha256::digest(bytes))
}

fn error(status: u16, code: &str, message: &str) -> ApiError {
    ApiError {
        status,
        ..ApiError::client(code, message)
    }
}

/// The error for a parameter that has no such value.
fn invalid_argument(name: &str, value: Option<&str>, message: &str) -> ApiError {
    let value = value.map(|value| ("ArgumentValue".to_owned(), value.into()));
    let name = ("ArgumentName".to_owned(), name.into());
    ApiError {
        members: std::iter::once(name).chain(value).collect(),
        ..error(400, "InvalidArgument", message)
    }
}
