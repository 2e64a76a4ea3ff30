//! BatchGetImage, which reports failures one by one.

use serde_json::{Value, json};

use super::{check_members, named, parameter};
use crate::{ApiError, Aws};

const MAX_IDS: usize = 100;

pub(super) fn batch_get(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(
        input,
        &[
            "registryId",
            "repositoryName",
            "imageIds",
            "acceptedMediaTypes",
        ],
    )?;
    let (name, repository) = named(aws, input)?;
    let mut images = Vec::new();

    let mut failures = Vec::new();
    for id in ids(input)? {
        match repository.find(id) {
            Some(digest) => {
                let image = &repository.images[digest];
                let mut found = json!({ "imageDigest": digest });
                if let Some(tag) = id["imageTag"].as_str() {
                    found["imageTag"] = json!(tag);
                }

                images.push(json!({
                    "registryId": aws.account,
                    "repositoryName": name,
                    "imageId": found,
                    "imageManifest": image.manifest,
                    "imageManifestMediaType": image.media_type,
                }));
            }
            None => failures.push(failure(id)),
        }
    }
    Ok(json!({ "images": images, "failures": failures }))
}

fn failure(id: &Value) -> Value {
    if id["imageDigest"].is_null() && id["imageTag"].is_null() {
        return json!({
            "imageId": id,
            "failureCode": "MissingDigestAndTag",
            "failureReason": "Invalid request parameters: both tag and digest cannot be null",
        });
    }
    json!({
        "imageId": id,
        "failureCode": "ImageNotFound",
        "failureReason": "Requested image not found",
    })
}

fn ids(input: &Value) -> Result<&Vec<Value>, ApiError> {
    let ids = input["imageIds"]
        .as_array()
        .ok_or_else(|| parameter("imageIds", "Member must not be null"))?;
    if (1..=MAX_IDS).contains(&ids.len()) {
        Ok(ids)
    } else {
        Err(parameter(
            "imageIds",
            "Member must have length between 1 and 100",
        ))
    }
}
