//! BatchGetImage and BatchDeleteImage, which answer failures one by one.

use serde_json::{Value, json};

use super::push::emit;
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
    let (mut images, mut failures) = (Vec::new(), Vec::new());
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

/// By tag, the tag goes, and the image with its last one; by digest, the image goes with all its tags.
pub(super) fn batch_delete(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &["registryId", "repositoryName", "imageIds"])?;
    let name = named(aws, input)?.0.to_owned();
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    for id in ids(input)? {
        let found = delete_one(aws, &name, id);
        if found.is_empty() {
            failures.push(failure(id));
        }
        deleted.extend(found);
    }
    for (digest, tag) in &deleted {
        emit(aws, &name, digest, tag.as_deref(), "DELETE");
    }
    let deleted: Vec<Value> = deleted.into_iter().map(image_id).collect();
    Ok(json!({ "imageIds": deleted, "failures": failures }))
}

/// The digests and tags that went.
fn delete_one(aws: &mut Aws, repository: &str, id: &Value) -> Vec<(String, Option<String>)> {
    let Some(repository) = aws.ecr.repositories.get_mut(repository) else {
        return Vec::new();
    };
    let Some(digest) = repository.find(id).map(str::to_owned) else {
        return Vec::new();
    };
    let Some(image) = repository.images.get_mut(&digest) else {
        return Vec::new();
    };
    let gone: Vec<String> = match id["imageTag"].as_str() {
        Some(tag) => vec![tag.to_owned()],
        None => image.tags.iter().cloned().collect(),
    };
    image.tags.retain(|tag| !gone.contains(tag));
    if image.tags.is_empty() {
        repository.images.remove(&digest);
    }
    if gone.is_empty() {
        vec![(digest, None)]
    } else {
        gone.into_iter()
            .map(|tag| (digest.clone(), Some(tag)))
            .collect()
    }
}

fn image_id((digest, tag): (String, Option<String>)) -> Value {
    match tag {
        Some(tag) => json!({ "imageDigest": digest, "imageTag": tag }),
        None => json!({ "imageDigest": digest }),
    }
}

fn failure(id: &Value) -> Value {
    if id["imageDigest"].is_null() && id["imageTag"].is_null() {
        let reason = "Invalid request parameters: both tag and digest cannot be null";
        return json!({ "imageId": id, "failureCode": "MissingDigestAndTag", "failureReason": reason });
    }
    json!({ "imageId": id, "failureCode": "ImageNotFound", "failureReason": "Requested image not found" })
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
