//! Where reports of judgements are kept, and how operators read one: a bucket of their own, a page
//! and its JSON side by side.

use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;

use super::clients::Clients;
use super::{AwsError, ErrorKind, Sdk};
use crate::judge::report::{Judgement, html};
use crate::partition::Partition;
use crate::redaction::without_signatures;

#[derive(Clone, Debug)]
pub struct Reports {
    clients: Arc<Clients>,
    bucket: String,
    region: String,
}

impl Reports {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.own),
            bucket: sdk.reports_bucket.clone(),
            region: sdk.region().unwrap_or_default().to_owned(),
        }
    }

    /// Writes a judgement down as `<key>.json` and `<key>.html`. Written again it is the same two
    /// objects.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn write(&self, key: &str, judgement: &Judgement) -> Result<(), AwsError> {
        self.put(
            &format!("{key}.json"),
            "application/json",
            judgement.to_json(),
        )
        .await?;
        self.put(
            &format!("{key}.html"),
            "text/html; charset=utf-8",
            html(judgement),
        )
        .await
    }

    async fn put(&self, key: &str, content_type: &str, body: String) -> Result<(), AwsError> {
        let request = self
            .clients
            .s3()
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .content_type(content_type)
            .body(ByteStream::from(body.into_bytes()));
        request
            .send()
            .await
            .map(drop)
            .map_err(AwsError::from_sdk("s3:PutObject"))
    }

    /// What was written under a key: its page with the extension `html`, or its JSON with `json`.
    ///
    /// # Errors
    /// When the call fails, or its response breaks off.
    pub async fn read(&self, key: &str, extension: &str) -> Result<Vec<u8>, AwsError> {
        const OPERATION: &str = "s3:GetObject";

        let request = self
            .clients
            .s3()
            .get_object()
            .bucket(&self.bucket)
            .key(format!("{key}.{extension}"));
        let object = request
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))?;
        let body = object.body.collect().await.map_err(|error| AwsError {
            operation: OPERATION,
            kind: ErrorKind::Busy,
            code: "ResponseError".to_owned(),
            message: without_signatures(&error.to_string()),
        })?;
        Ok(body.to_vec())
    }

    /// `s3://<bucket>/<key>.html`, in characters that output variables may have.
    #[must_use]
    pub fn location(&self, key: &str) -> String {
        format!("s3://{}/{key}.html", self.bucket)
    }

    /// The page in the console, for principals that may read the bucket. It does not expire. In a
    /// partition whose console is not known it is the [location](Self::location).
    #[must_use]
    pub fn link(&self, key: &str) -> String {
        let (region, bucket) = (&self.region, &self.bucket);
        match Partition::of(region).console {
            Some(console) => format!(
                "https://{region}.{console}/s3/object/{bucket}?region={region}&prefix={key}.html"
            ),
            None => self.location(key),
        }
    }
}
