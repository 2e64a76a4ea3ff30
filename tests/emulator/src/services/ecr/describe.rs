//! DescribeRepositories and DescribeImages.

use serde_json::{Value, json};

use super::{
    Image, Repository, check_members, check_registry, named, no_repository, page, parameter,
};
use crate::page::Page;
use crate::{ApiError, Aws, Quirk};

/// Also the most images that one call may name.
const MAX_NAMES: usize = 100;

/// The members of DescribeImages.
const OF_IMAGES: [&str; 6] = [
    "registryId",
    "repositoryName",
    "imageIds",
    "nextToken",
    "maxResults",
    "filter",
];

pub(super) fn repositories(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(
        input,
        &["registryId", "repositoryNames", "nextToken", "maxResults"],
    )?;
    check_registry(aws, input)?;
    let names = match input.get("repositoryNames").and_then(Value::as_array) {
        None => aws.ecr.repositories.keys().cloned().collect(),
        Some(_) if input.get("maxResults").is_some() => {
            return Err(together("maxResults", "repositoryNames"));
        }
        Some(names) if names.len() > MAX_NAMES => {
            return Err(parameter(
                "repositoryNames",
                "Member must have length less than or equal to 100",
            ));
        }
        Some(names) => names
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    };

    let mut described = Vec::new();
    for name in &names {
        let found = aws
            .ecr
            .repositories
            .get(name)
            .ok_or_else(|| no_repository(&aws.account, name))?;
        described.push(repository(aws, name, found));
    }

    let Page {
        items: described,
        next,
    } = page(aws, input, described)?;
    Ok(with_token(json!({ "repositories": described }), next))
}

pub(super) fn repository(aws: &Aws, name: &str, repository: &Repository) -> Value {
    json!({
        "repositoryArn": repository.arn,
        "registryId": aws.account,
        "repositoryName": name,
        "repositoryUri": repository.uri,
        "createdAt": Aws::seconds(repository.created),
        "imageTagMutability": if repository.immutable { "IMMUTABLE" } else { "MUTABLE" },
        "imageScanningConfiguration": { "scanOnPush": repository.scan_on_push },
        "encryptionConfiguration": repository.encryption,
    })
}

pub(super) fn images(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &OF_IMAGES)?;
    let mut filter = Filter::of(input)?;
    if input.get("imageIds").is_some() {
        filter = filter.of_named(aws, input)?;
    }

    let aws = &*aws;
    let (name, repository) = named(aws, input)?;
    let details = |digest: &str, image: &Image| detail(aws, name, digest, image);
    let Page {
        items: described,
        next,
    } = match input.get("imageIds").and_then(Value::as_array) {
        Some(_) if input.get("maxResults").is_some() || input.get("nextToken").is_some() => {
            return Err(together("maxResults", "imageIds"));
        }
        Some(ids) if !(1..=MAX_NAMES).contains(&ids.len()) => {
            return Err(parameter(
                "imageIds",
                "Member must have length between 1 and 100",
            ));
        }
        Some(ids) => {
            let mut described = Vec::new();
            for id in ids {
                let found = filter.find(repository, id);
                let digest = found.ok_or_else(|| no_image(aws, name, id))?;
                described.push(details(digest, &repository.images[digest]));
            }

            Page {
                items: described,
                next: None,
            }
        }
        None => {
            let all = repository.images.iter();
            let all = all.filter(|(_, image)| filter.takes(image));
            let all = all.map(|(digest, image)| details(digest, image)).collect();
            page(aws, input, all)?
        }
    };

    Ok(with_token(json!({ "imageDetails": described }), next))
}

/// Which images a request describes: those that are ACTIVE, unless it has another status.
struct Filter<'a> {
    status: &'a str,
    tags: &'a str,
}

impl<'a> Filter<'a> {
    fn of(input: &'a Value) -> Result<Self, ApiError> {
        const STATUSES: [&str; 4] = ["ACTIVE", "ARCHIVED", "ACTIVATING", "ANY"];
        const TAGS: [&str; 3] = ["TAGGED", "UNTAGGED", "ANY"];

        let filter = &input["filter"];
        check_members(filter, &["imageStatus", "tagStatus"])?;
        let word = |member: &str, known: &[&str], absent: &'a str| {
            let word = filter[member].as_str().unwrap_or(absent);
            if known.contains(&word) {
                return Ok(word);
            }
            let values = known.join(", ");
            let constraint = format!("Member must satisfy enum value set: [{values}]");
            Err(parameter(&format!("filter.{member}"), &constraint))
        };

        Ok(Self {
            status: word("imageStatus", &STATUSES, "ACTIVE")?,
            tags: word("tagStatus", &TAGS, "ANY")?,
        })
    }

    /// What it means for images that are named, which is drawn.
    fn of_named(self, aws: &mut Aws, input: &Value) -> Result<Self, ApiError> {
        if aws.draw_quirk(Quirk::RefusesFilterOfNamed) && input.get("filter").is_some() {
            return Err(together("filter", "imageIds"));
        }
        if aws.draw_quirk(Quirk::DescribesNamedOfAnyStatus) {
            return Ok(Self {
                status: "ANY",
                ..self
            });
        }
        Ok(self)
    }

    fn find<'r>(&self, repository: &'r Repository, id: &Value) -> Option<&'r str> {
        let found = repository.find(id)?;
        self.takes(&repository.images[found]).then_some(found)
    }

    fn takes(&self, image: &Image) -> bool {
        let is_tagged = !image.tags.is_empty();
        (self.status == "ANY" || self.status == status(image))
            && (self.tags == "ANY" || (self.tags == "TAGGED") == is_tagged)
    }
}

/// An image as DescribeImages has it, whatever its status.
pub(crate) fn image(aws: &Aws, repository: &str, id: &Value) -> Result<Value, ApiError> {
    let input = json!({ "repositoryName": repository });
    let (name, found) = named(aws, &input)?;
    let digest = found.find(id).ok_or_else(|| no_image(aws, name, id))?;
    Ok(detail(aws, name, digest, &found.images[digest]))
}

fn status(image: &Image) -> &'static str {
    if image.archived { "ARCHIVED" } else { "ACTIVE" }
}

/// AWS writes a missing part of an image id as `null`, in quotes.
pub(super) fn no_image(aws: &Aws, repository: &str, id: &Value) -> ApiError {
    let part = |member: &str| id[member].as_str().unwrap_or("null").to_owned();
    let message = format!(
        "The image with imageId {{imageDigest:'{}', imageTag:'{}'}} does not exist within the \
         repository with name '{repository}' in the registry with id '{}'",
        part("imageDigest"),
        part("imageTag"),
        aws.account
    );
    ApiError::client("ImageNotFoundException", message)
}

fn detail(aws: &Aws, repository: &str, digest: &str, image: &Image) -> Value {
    let mut detail = json!({
        "registryId": aws.account,
        "repositoryName": repository,
        "imageDigest": digest,
    });

    // An untagged image has no such member.
    if !image.tags.is_empty() {
        detail["imageTags"] = json!(image.tags);
    }

    detail["imageSizeInBytes"] = json!(image.manifest.len());
    detail["imagePushedAt"] = Aws::seconds(image.pushed);
    detail["imageManifestMediaType"] = json!(image.media_type);
    if let Some(artifact) = &image.artifact_type {
        detail["artifactMediaType"] = json!(artifact);
    }
    detail["imageStatus"] = json!(status(image));
    detail
}

fn together(member: &str, other: &str) -> ApiError {
    parameter(
        member,
        &format!("cannot be specified together with {other}"),
    )
}

fn with_token(mut output: Value, next: Option<String>) -> Value {
    if let Some(next) = next {
        output["nextToken"] = json!(next);
    }
    output
}
