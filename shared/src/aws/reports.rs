//! Where reports of judgements are kept: a bucket of their own, a page and its JSON side by side.

use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;

use super::clients::Clients;
use super::{AwsError, Sdk};
use crate::judge::report::{Judgement, html};

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

    /// `s3://<bucket>/<key>.html`, in characters that output variables may have.
    #[must_use]
    pub fn location(&self, key: &str) -> String {
        format!("s3://{}/{key}.html", self.bucket)
    }

    /// The page in the console, for principals that may read the bucket. It does not expire.
    #[must_use]
    pub fn link(&self, key: &str) -> String {
        let (region, bucket) = (&self.region, &self.bucket);
        format!(
            "https://{region}.{}/s3/object/{bucket}?region={region}&prefix={key}.html",
            console(region)
        )
    }
}

/// The host of the console in the partition of a region, after the region's name.
fn console(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "console.amazonaws.cn"
    } else if region.starts_with("us-gov-") {
        "console.amazonaws-us-gov.com"
    } else {
        "console.aws.amazon.com"
    }
}

#[cfg(test)]
mod tests {
    use super::console;

    #[test]
    fn each_partition_has_a_console_of_its_own() {
        for (region, host) in [
            ("eu-west-1", "console.aws.amazon.com"),
            ("us-east-1", "console.aws.amazon.com"),
            ("cn-north-1", "console.amazonaws.cn"),
            ("us-gov-west-1", "console.amazonaws-us-gov.com"),
        ] {
            assert_eq!(console(region), host, "{region}");
        }
    }
}
