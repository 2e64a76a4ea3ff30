//! S3: buckets with or without versions, for pipeline artifacts and configuration.

mod buckets;
mod chunked;
mod rest;

#[cfg(test)]
mod tests;

pub(crate) use rest::{answer, asked};

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::{ApiError, Millis};

#[derive(Clone, Debug, Default)]
pub struct S3 {
    buckets: BTreeMap<String, Bucket>,
    /// The time of the last request or of the last `at`: what a service puts by itself carries it.
    time: Millis,
    /// How many objects were ever put, from which version ids are made.
    puts: u64,
}

#[derive(Clone, Debug, Default)]
struct Bucket {
    created: Millis,
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
    /// Whether this version says that the object was deleted.
    marker: bool,
    /// The `x-amz-meta-…` headers.
    metadata: Vec<(String, String)>,
}

impl S3 {
    /// Keys and newest versions of the objects of a bucket, if there is one; what is deleted is not among them.
    pub fn objects(&self, bucket: &str) -> impl Iterator<Item = (&str, &Object)> {
        let objects = self
            .buckets
            .get(bucket)
            .into_iter()
            .flat_map(|bucket| &bucket.objects);
        let newest = objects.filter_map(|(key, versions)| Some((key.as_str(), versions.last()?)));
        newest.filter(|(_, object)| !object.marker)
    }

    /// Sets the time that buckets and objects made from now on carry.
    pub fn at(&mut self, now: Millis) -> &mut Self {
        self.time = now;
        self
    }

    pub fn create_bucket(&mut self, name: &str, versioned: bool) {
        let time = self.time;
        self.buckets
            .entry(name.to_owned())
            .or_insert_with(|| Bucket {
                created: time,
                ..Bucket::default()
            })
            .versioned = versioned;
    }

    /// Stores an object; answers its version id in a versioned bucket.
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
            marker: false,
            metadata: Vec::new(),
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
            None => versions
                .and_then(|versions| versions.last())
                .filter(|object| !object.marker),
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
        object.etag = format!("\"{}\"", &hex(&object.body)[..32]);
        object.version = bucket
            .versioned
            .then(|| hex(format!("{key} {puts}").as_bytes())[..32].to_owned());
        let versions = bucket.objects.entry(key.to_owned()).or_default();
        // Without versioning the one object is overwritten: its version id is null.
        versions.retain(|other| other.version.is_some() || object.version.is_some());
        versions.push(object);
        Ok(versions.last().expect("just pushed"))
    }
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn error(status: u16, code: &str, message: &str) -> ApiError {
    ApiError {
        status,
        ..ApiError::client(code, message)
    }
}
