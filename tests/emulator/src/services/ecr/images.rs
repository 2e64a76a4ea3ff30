//! BatchGetImage, which reports failures one by one; images as a run looks at them, and their end.

use serde_json::{Value, json};

use super::describe::no_image;
use super::{check_members, named, page, parameter, push};
use crate::page::Page;
use crate::{ApiError, Aws, Millis, eventbridge};

/// An image that a repository has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub digest: String,
    /// When it came into the repository: another tag does not change it.
    pub first_pushed: Millis,
    pub tags: Vec<String>,
}

/// The images of a repository, by their digests.
#[must_use]
pub fn held(aws: &Aws, repository: &str) -> Vec<Held> {
    let images = aws.ecr.repositories.get(repository).map(|it| &it.images);
    let of_image = |(digest, image): (&String, &super::Image)| Held {
        digest: digest.clone(),
        first_pushed: image.pushed,
        tags: image.tags.iter().cloned().collect(),
    };
    images.into_iter().flatten().map(of_image).collect()
}

/// An operator, or a lifecycle policy, deletes an image with all of its tags.
pub fn delete(aws: &mut Aws, repository: &str, digest: &str) -> Result<(), ApiError> {
    let input = json!({ "repositoryName": repository });
    let id = json!({ "imageDigest": digest });
    let (name, found) = named(aws, &input)?;
    let Some(image) = found.images.get(digest) else {
        return Err(no_image(aws, name, &id));
    };

    let tag = image.tags.first().cloned();
    let mut detail = push::detail(aws, repository, digest, tag.as_deref());
    detail["action-type"] = json!("DELETE");
    if let Some(known) = aws.ecr.repositories.get_mut(repository) {
        known.images.remove(digest);
    }
    eventbridge::emit(aws, "aws.ecr", "ECR Image Action", Vec::new(), detail);
    Ok(())
}

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

/// ListImageReferrers: the artifacts whose manifests have an image as their subject.
pub(super) fn referrers(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(
        input,
        &[
            "registryId",
            "repositoryName",
            "subjectId",
            "maxResults",
            "nextToken",
        ],
    )?;
    let (_, repository) = named(aws, input)?;
    let subject = &input["subjectId"]["imageDigest"];
    if !subject.is_string() {
        return Err(parameter(
            "subjectId.imageDigest",
            "Member must not be null",
        ));
    }

    let mut referrers = Vec::new();
    for (digest, image) in &repository.images {
        let manifest: Value = serde_json::from_str(&image.manifest).unwrap_or_default();
        if manifest["subject"]["digest"] != *subject || image.archived {
            continue;
        }
        let mut referrer = json!({
            "digest": digest,
            "mediaType": image.media_type,
            "size": image.manifest.len(),
            "artifactStatus": "ACTIVE",
        });
        if let Some(artifact) = &image.artifact_type {
            referrer["artifactType"] = json!(artifact);
        }
        if manifest["annotations"].is_object() {
            referrer["annotations"] = manifest["annotations"].clone();
        }
        referrers.push(referrer);
    }
    let Page { items, next } = page(aws, input, referrers)?;
    let mut output = json!({ "referrers": items });
    if let Some(next) = next {
        output["nextToken"] = json!(next);
    }
    Ok(output)
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
