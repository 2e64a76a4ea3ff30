//! Pull through caches: repositories below a prefix have the images of another registry, each from
//! its first pull on.
//!
//! Source: <https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html>

use serde_json::{Value, json};

use super::pull::Reference;
use super::{
    Behaviour, Profile, check_members, check_registry, create_repository, push, required_text,
};
use crate::iam::{self, Demand};
use crate::{ApiError, Aws};

const MEMBERS: [&str; 3] = ["registryId", "ecrRepositoryPrefix", "upstreamRegistryUrl"];

pub(super) fn create_rule(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &MEMBERS)?;
    check_registry(aws, input)?;
    let prefix = required_text(input, "ecrRepositoryPrefix")?;
    let upstream = required_text(input, "upstreamRegistryUrl")?;
    let below = prefix.trim_end_matches('/').to_owned();
    if !aws.ecr.cached.insert(below) {
        let message =
            format!("A pull through cache rule with the prefix '{prefix}' already exists");
        return Err(ApiError::client(
            "PullThroughCacheRuleAlreadyExistsException",
            message,
        ));
    }

    Ok(json!({
        "ecrRepositoryPrefix": prefix,
        "upstreamRegistryUrl": upstream,
        "createdAt": Aws::seconds(aws.now),
        "registryId": aws.account,
    }))
}

/// Stores what a task with the execution role `role` pulls by a tag, if it is missing and a cache
/// imports it. As in every other registry, each image is there and healthy.
pub(super) fn import(aws: &mut Aws, image: &str, role: &str) {
    let reference = Reference::read(aws, image);
    let imported = reference.and_then(|reference| imported(aws, &reference, role));
    let Some(Imported { region, name, tag }) = imported else {
        return;
    };

    let home = (aws.account.clone(), region);
    aws.in_place(home, |home| {
        if !home.ecr.repositories.contains_key(&name) {
            create_repository(home, &json!({"repositoryName": name})).ok();
        }
        push::store_whole(home, &name, &tag, Behaviour::Healthy, Profile::default()).ok();
    });
}

/// An image that a pull imports.
struct Imported {
    region: String,
    name: String,
    tag: String,
}

/// The image of a reference, if it is missing and a pull with this role imports it.
fn imported(aws: &Aws, reference: &Reference<'_>, role: &str) -> Option<Imported> {
    let (home, name) = (reference.home, reference.name);
    let tag = reference.id["imageTag"].as_str()?;
    let is_below = |prefix: &String| {
        let rest = name.strip_prefix(prefix.as_str());
        rest.is_some_and(|rest| rest.starts_with('/'))
    };
    let is_cached = home.account == aws.account && home.ecr.cached.iter().any(is_below);
    if !is_cached || reference.image().is_some() {
        return None;
    }

    let repository = reference.repository();
    let arn = home.arn("ecr", &format!("repository/{name}"));
    let is_allowed = |action: &str| {
        let policy = repository.and_then(|repository| repository.policy.as_ref());
        iam::is_open_within(aws, policy, role, &Demand::new(action, arn.as_str()))
    };
    let is_imported = is_allowed("ecr:BatchImportUpstreamImage")
        && (repository.is_some() || is_allowed("ecr:CreateRepository"));
    is_imported.then(|| Imported {
        region: home.region.clone(),
        name: name.to_owned(),
        tag: tag.to_owned(),
    })
}
