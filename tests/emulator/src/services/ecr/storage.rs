//! UpdateImageStorageClass: images moved to the archive, and back.

use serde_json::{Value, json};

use super::{check_members, describe, named, parameter, push, required_text};
use crate::{ApiError, Aws, eventbridge};

const MEMBERS: [&str; 4] = [
    "registryId",
    "repositoryName",
    "imageId",
    "targetStorageClass",
];

/// A restoration is complete at once, so that no image is ever ACTIVATING.
pub(super) fn update(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &MEMBERS)?;
    let (name, repository) = named(aws, input)?;
    let id = &input["imageId"];
    let digest = repository
        .find(id)
        .ok_or_else(|| describe::no_image(aws, name, id))?;
    let (name, digest) = (name.to_owned(), digest.to_owned());

    let class = required_text(input, "targetStorageClass")?;
    if !["STANDARD", "ARCHIVE"].contains(&class) {
        return Err(parameter(
            "targetStorageClass",
            "Member must satisfy enum value set: [STANDARD, ARCHIVE]",
        ));
    }

    let mut detail = json!({
        "action-type": "UPDATE_STORAGE_CLASS",
        "target-storage-class": class,
        "image-digest": digest,
        "repository-name": name,
        "result": "SUCCESS",
    });
    let repository = aws.ecr.repositories.get_mut(&name);
    if let Some(image) = repository.and_then(|it| it.images.get_mut(&digest)) {
        image.archived = class == "ARCHIVE";
        push::add_media_types(&mut detail, image);
    }
    eventbridge::emit(aws, "aws.ecr", "ECR Image Action", Vec::new(), detail);

    Ok(json!({
        "registryId": aws.account,
        "repositoryName": name,
        "imageId": id,
        "imageStatus": if class == "ARCHIVE" { "ARCHIVED" } else { "ACTIVE" },
    }))
}
