//! ECR: the repositories of the account, their images, and what a task that runs an image does.

mod cache;
mod content;
mod describe;
mod iam;
mod images;
mod profile;
mod pull;
mod push;
mod registry;
mod replication;
mod scans;
mod shared;
mod storage;

#[cfg(test)]
mod tests;

pub(crate) use describe::image;
pub use images::{Held, delete, held};
pub use profile::{Answers, Cold, Profile};
#[cfg(test)]
use pull::behaviour;
pub(crate) use pull::{profile, pulled};
pub use push::{push, push_with, replicate, retag};
pub use scans::{Scan, Scanner, set_scan};

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::input::Input;
use crate::page::{Page, Tokens};
use crate::protocol::{Json, Protocol};
use crate::service::{Errors, Service, Wording};
use crate::tags::{TagFault, TagRules};
use crate::{ApiError, Aws, Millis, record};

pub(crate) const SERVICE: Service = Service {
    name: "ecr",
    protocol: Protocol::Json(Json::new(
        "AmazonEC2ContainerRegistry_V20150921",
        "com.amazonaws.ecr",
        call,
    )),
    errors: Errors {
        internal: Wording::new(500, "ServerException", "Internal server error"),
        ..Errors::JSON
    },
    demands: iam::demands,
};

#[derive(Clone, Debug, Default)]
pub struct Ecr {
    repositories: BTreeMap<String, Repository>,
    /// The prefixes of pull through cache rules.
    cached: BTreeSet<String>,
    /// The rules of the replication configuration.
    replication: Vec<Value>,
}

/// What happens to a task that runs an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// It starts and passes its health checks.
    Healthy,
    /// It starts and runs, but never passes a health check.
    NeverHealthy,
    /// Its essential container exits soon after the start.
    Exits,
    /// It starts, passes its health checks, and its essential container exits this many seconds
    /// after the start.
    ExitsAfter(u32),
    /// It passes its health checks until this many seconds after it started.
    FailsAfter(u32),
    /// It passes its health checks until, some seconds after, its target group gets requests of a
    /// load (`traffic::set`).
    FailsUnderTraffic,
}

#[derive(Clone, Debug)]
struct Repository {
    arn: String,
    uri: String,
    created: Millis,
    immutable: bool,
    scan_on_push: bool,
    encryption: Value,
    /// The policy document: it lets other accounts in, and roles of the same one.
    policy: Option<Value>,
    /// By digest.
    images: BTreeMap<String, Image>,
}

#[derive(Clone, Debug)]
struct Image {
    manifest: String,
    media_type: String,
    /// What the manifest holds: an image, or another artifact.
    artifact_type: Option<String>,
    archived: bool,
    pushed: Millis,
    tags: BTreeSet<String>,
    behaviour: Behaviour,
    profile: Profile,
    /// What its last scan has found, once there is one.
    scan: Option<Scan>,
}

/// One operation by its API name with the JSON 1.1 input; returns the JSON output.
pub fn call(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let answer = match shared::registry(aws, operation, input) {
        Ok(None) => run_operation(aws, operation, input),
        Ok(Some(home)) => aws.in_place(home, |home| run_operation(home, operation, input)),
        Err(refusal) => Err(refusal),
    };
    record::operation("ecr", operation, input, &answer);
    answer
}

/// Sets the policy of a repository, or removes it.
pub(crate) fn set_policy(aws: &mut Aws, repository: &str, policy: Option<Value>) {
    if let Some(repository) = aws.ecr.repositories.get_mut(repository) {
        repository.policy = policy;
    }
}

fn run_operation(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "CreatePullThroughCacheRule" => cache::create_rule(aws, input),
        "CreateRepository" => create_repository(aws, input),
        "DeleteRepository" => registry::delete(aws, input),
        "SetRepositoryPolicy" => registry::set_policy(aws, input),
        "DescribeRepositories" => describe::repositories(aws, input),
        "PutImage" => push::put_image(aws, input),
        "DescribeImages" => describe::images(aws, input),
        "DescribeImageScanFindings" => scans::findings(aws, input),
        "BatchGetImage" => images::batch_get(aws, input),
        "ListImageReferrers" => images::referrers(aws, input),
        "UpdateImageStorageClass" => storage::update(aws, input),
        "PutReplicationConfiguration" => replication::put(aws, input),
        "DescribeRegistry" => replication::describe(aws, input),
        "GetAuthorizationToken" => registry::authorization(aws, input),
        _ => Err(ApiError::unknown_operation(operation)),
    }
}

const CREATE_MEMBERS: [&str; 6] = [
    "registryId",
    "repositoryName",
    "imageTagMutability",
    "imageScanningConfiguration",
    "encryptionConfiguration",
    "tags",
];

/// Source: <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html>
const TAGS: TagRules = TagRules {
    key: "Key",
    value: "Value",
    least_value_chars: 0,
    refuse: |fault| {
        let code = match fault {
            TagFault::TooMany => "TooManyTagsException",
            _ => "InvalidTagParameterException",
        };
        Some(ApiError::client(code, fault.to_string()))
    },
};

fn create_repository(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &CREATE_MEMBERS)?;
    check_registry(aws, input)?;
    TAGS.check(Input::new(input).list("tags")?)?;
    let name = required_text(input, "repositoryName")?;
    if !is_name(name) {
        return Err(parameter(
            "repositoryName",
            "must satisfy regular expression \
             '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*'",
        ));
    }
    let immutable = is_immutable(input)?;
    if aws.ecr.repositories.contains_key(name) {
        let message = format!(
            "The repository with name '{name}' already exists in the registry with id '{}'",
            aws.account
        );
        return Err(ApiError::client(
            "RepositoryAlreadyExistsException",
            message,
        ));
    }

    let repository = Repository {
        arn: aws.arn("ecr", &format!("repository/{name}")),
        uri: format!("{}/{name}", registry_host(aws)),
        created: aws.now,
        immutable,
        scan_on_push: input["imageScanningConfiguration"]["scanOnPush"]
            .as_bool()
            .unwrap_or(false),
        encryption: input
            .get("encryptionConfiguration")
            .cloned()
            .unwrap_or_else(|| json!({ "encryptionType": "AES256" })),
        policy: None,
        images: BTreeMap::new(),
    };
    let description = describe::repository(aws, name, &repository);
    aws.ecr.repositories.insert(name.to_owned(), repository);

    Ok(json!({ "repository": description }))
}

/// Whether tags of the repository that a request creates cannot move.
fn is_immutable(input: &Value) -> Result<bool, ApiError> {
    match text(input, "imageTagMutability")?.unwrap_or("MUTABLE") {
        "MUTABLE" => Ok(false),
        "IMMUTABLE" => Ok(true),
        _ => Err(parameter(
            "imageTagMutability",
            "the sandbox serves MUTABLE and IMMUTABLE",
        )),
    }
}

/// `<account>.dkr.ecr.<region>.<domain of the partition>`.
pub(crate) fn registry_host(aws: &Aws) -> String {
    let domain = aws.partition().domain;
    format!("{}.dkr.ecr.{}.{domain}", aws.account, aws.region)
}

/// The repository that a request names in `repositoryName`.
fn named<'a>(aws: &'a Aws, input: &'a Value) -> Result<(&'a str, &'a Repository), ApiError> {
    check_registry(aws, input)?;
    let name = required_text(input, "repositoryName")?;

    Ok((
        name,
        aws.ecr
            .repositories
            .get(name)
            .ok_or_else(|| no_repository(&aws.account, name))?,
    ))
}

fn no_repository(registry: &str, name: &str) -> ApiError {
    let message = format!(
        "The repository with name '{name}' does not exist in the registry with id '{registry}'"
    );
    ApiError::client("RepositoryNotFoundException", message)
}

fn check_registry(aws: &Aws, input: &Value) -> Result<(), ApiError> {
    match text(input, "registryId")? {
        Some(registry) if registry != aws.account => {
            let name = text(input, "repositoryName")?.unwrap_or_default();
            Err(no_repository(registry, name))
        }
        _ => Ok(()),
    }
}

impl Repository {
    /// The digest that an image id (`imageDigest`, `imageTag` or both, which must agree) means.
    fn find(&self, id: &Value) -> Option<&str> {
        let by_tag = |tag: &str| {
            self.images
                .iter()
                .find(|(_, image)| image.tags.contains(tag))
                .map(|(digest, _)| digest.as_str())
        };
        let by_digest = |digest: &str| {
            self.images
                .get_key_value(digest)
                .map(|(digest, _)| digest.as_str())
        };

        match (id["imageDigest"].as_str(), id["imageTag"].as_str()) {
            (Some(digest), Some(tag)) => by_tag(tag).filter(|found| *found == digest),
            (Some(digest), None) => by_digest(digest),
            (None, Some(tag)) => by_tag(tag),
            (None, None) => None,
        }
    }
}

fn is_name(name: &str) -> bool {
    let alphanumeric = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit();
    let component = |part: &str| {
        part.starts_with(alphanumeric)
            && part.ends_with(alphanumeric)
            && part
                .chars()
                .all(|char| alphanumeric(char) || "._-".contains(char))
    };
    (2..=256).contains(&name.len()) && name.split('/').all(component)
}

fn is_tag(tag: &str) -> bool {
    let word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    (1..=300).contains(&tag.len())
        && tag.starts_with(word)
        && tag.chars().all(|char| word(char) || ".-".contains(char))
}

fn text<'a>(input: &'a Value, member: &str) -> Result<Option<&'a str>, ApiError> {
    Input::new(input).text(member)
}

fn required_text<'a>(input: &'a Value, member: &str) -> Result<&'a str, ApiError> {
    text(input, member)?.ok_or_else(|| parameter(member, "Member must not be null"))
}

fn parameter(member: &str, constraint: &str) -> ApiError {
    let message =
        format!("Invalid parameter at '{member}' failed to satisfy constraint: '{constraint}'");
    ApiError::client("InvalidParameterException", message)
}

/// Refuses members that the sandbox would otherwise ignore.
fn check_members(input: &Value, known: &[&str]) -> Result<(), ApiError> {
    let unknown = input
        .as_object()
        .into_iter()
        .flatten()
        .find(|(name, value)| !value.is_null() && !known.contains(&name.as_str()));
    match unknown {
        Some((name, _)) => Err(parameter(name, "the sandbox does not serve this member")),
        None => Ok(()),
    }
}

/// One page of `all`: at most `maxResults` elements after the one that `nextToken` names by its
/// position.
fn page<T>(aws: &Aws, input: &Value, all: Vec<T>) -> Result<Page<T>, ApiError> {
    let limit = match input.get("maxResults") {
        None | Some(Value::Null) => 100,
        Some(limit) => limit
            .as_u64()
            .filter(|limit| (1..=1000).contains(limit))
            .ok_or_else(|| parameter("maxResults", "Member must have value between 1 and 1000"))?
            as usize,
    };
    let token = text(input, "nextToken")?;
    let page = Tokens::Hexadecimal.page(all, token, aws.page_size(limit));
    page.ok_or_else(|| parameter("nextToken", "Invalid token"))
}
