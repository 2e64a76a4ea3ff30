//! PutReplicationConfiguration and DescribeRegistry, and the images that arrive in other regions of
//! the account when they are pushed.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::push::{Manifest, replica_event, store};
use super::{Image, check_members, create_repository, parameter, required_text};
use crate::cloudformation::items;
use crate::{ApiError, Aws};

pub(super) fn put(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &["replicationConfiguration"])?;
    let configuration = &input["replicationConfiguration"];
    check_members(configuration, &["rules"])?;
    let Some(rules) = configuration["rules"].as_array() else {
        let member = "replicationConfiguration.rules";
        return Err(parameter(member, "Member must not be null"));
    };
    for rule in rules {
        check(aws, rule)?;
    }

    aws.ecr.replication.clone_from(rules);
    Ok(json!({ "replicationConfiguration": { "rules": rules } }))
}

pub(super) fn describe(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &[])?;
    Ok(json!({
        "registryId": aws.account,
        "replicationConfiguration": { "rules": aws.ecr.replication },
    }))
}

fn check(aws: &Aws, rule: &Value) -> Result<(), ApiError> {
    check_members(rule, &["destinations", "repositoryFilters"])?;
    for destination in items(&rule["destinations"]) {
        check_members(destination, &["region", "registryId"])?;
        let is_own = required_text(destination, "registryId")? == aws.account;
        if !is_own || required_text(destination, "region")? == aws.region {
            let constraint = "the sandbox replicates to other regions of the account";
            return Err(parameter("destinations", constraint));
        }
    }

    for filter in items(&rule["repositoryFilters"]) {
        check_members(filter, &["filter", "filterType"])?;
        required_text(filter, "filter")?;
        if required_text(filter, "filterType")? != "PREFIX_MATCH" {
            let constraint = "Member must satisfy enum value set: [PREFIX_MATCH]";
            return Err(parameter("filterType", constraint));
        }
    }
    Ok(())
}

/// Whether a rule is about a repository: without filters it is about each.
fn is_about(rule: &Value, repository: &str) -> bool {
    let filters = items(&rule["repositoryFilters"]);
    let mut prefixes = filters.iter().filter_map(|it| it["filter"].as_str());
    filters.is_empty() || prefixes.any(|prefix| repository.starts_with(prefix))
}

/// Sends an image that was just pushed to the regions that the rules name.
pub(super) fn send(aws: &mut Aws, repository: &str, digest: &str, tag: Option<&str>) {
    let rules = aws.ecr.replication.iter();
    let regions: BTreeSet<String> = rules
        .filter(|rule| is_about(rule, repository))
        .flat_map(|rule| items(&rule["destinations"]))
        .filter_map(|destination| Some(destination["region"].as_str()?.to_owned()))
        .collect();
    let known = aws.ecr.repositories.get(repository);
    let Some(image) = known.and_then(|known| known.images.get(digest)).cloned() else {
        return;
    };

    let source = aws.region.clone();
    for region in regions {
        aws.in_region(&region, |aws| {
            arrive(aws, repository, tag, &image, &source);
        });
    }
}

/// An image arrives from another region, in a repository that is made for it if there is none. What
/// is there already is not sent again.
fn arrive(aws: &mut Aws, repository: &str, tag: Option<&str>, image: &Image, source: &str) {
    if !aws.ecr.repositories.contains_key(repository) {
        let input = json!({ "repositoryName": repository });
        if create_repository(aws, &input).is_err() {
            return;
        }
    }

    let stored = Manifest {
        text: &image.manifest,
        media_type: &image.media_type,
        artifact_type: image.artifact_type.clone(),
    };
    let Ok(digest) = store(aws, repository, &stored, tag, image.behaviour) else {
        return;
    };
    let arrived = aws.ecr.repositories.get_mut(repository);
    if let Some(arrived) = arrived.and_then(|arrived| arrived.images.get_mut(&digest)) {
        arrived.profile = image.profile;
    }
    replica_event(aws, repository, &digest, tag, source);
}
