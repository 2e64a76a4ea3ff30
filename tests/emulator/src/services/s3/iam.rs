//! What S3's operations need to be allowed.
//!
//! Source:
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>

use crate::Aws;
use crate::iam::{Demand, IamRequest};

/// Reading a certain version is another action than reading the newest.
pub(super) fn demands(aws: &mut Aws, request: &IamRequest) -> Option<Vec<Demand>> {
    let bucket = aws.partition().arn("s3", "", request.text("Bucket"));
    let object = format!("{bucket}/{}", request.text("Key"));
    Some(vec![match request.operation.as_str() {
        "ListObjectsV2" => Demand::new("s3:ListBucket", bucket),
        "GetBucketLocation" => Demand::new("s3:GetBucketLocation", bucket),
        "GetBucketEncryption" => Demand::new("s3:GetEncryptionConfiguration", bucket),
        "GetObject" | "HeadObject" if request.input["VersionId"].is_string() => {
            Demand::new("s3:GetObjectVersion", object)
        }
        "GetObject" | "HeadObject" => Demand::new("s3:GetObject", object),
        "PutObject" => Demand::new("s3:PutObject", object),
        _ => return None,
    }])
}
