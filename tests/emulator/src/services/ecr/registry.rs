//! The operations on the registry and on whole repositories that people use beside those on images.

use std::time::Duration;

use aws_smithy_types::base64;
use serde_json::{Value, json};

use super::{check_members, describe, named, no_repository, registry_host, required_text};
use crate::{ApiError, Aws, Millis};

/// How long an authorization token is valid.
const TOKEN_LIFE: Duration = Duration::from_secs(12 * 3600);

pub(super) fn delete(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &["registryId", "repositoryName", "force"])?;
    let (name, repository) = named(aws, input)?;
    if !repository.images.is_empty() && input["force"] != true {
        let message = format!(
            "The repository with name '{name}' in registry with id '{}' cannot be deleted because it still contains images",
            aws.account
        );
        return Err(ApiError::client("RepositoryNotEmptyException", message));
    }
    let described = describe::repository(aws, name, repository);
    let name = name.to_owned();
    aws.ecr.repositories.remove(&name);
    Ok(json!({ "repository": described }))
}

/// A token that logs nobody in: there is no registry behind it.
pub(super) fn authorization(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &["registryIds"])?;
    let expires = aws.now + TOKEN_LIFE.as_millis() as Millis;
    Ok(json!({ "authorizationData": [{
        "authorizationToken": base64::encode("AWS:sandbox"),
        "expiresAt": Aws::seconds(expires),
        "proxyEndpoint": format!("https://{}", registry_host(aws)),
    }] }))
}

pub(super) fn describe(aws: &Aws) -> Value {
    json!({"registryId": aws.account, "replicationConfiguration": {"rules": []}})
}

/// Nothing is ever scanned here.
pub(super) fn scan_findings(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(
        input,
        &[
            "registryId",
            "repositoryName",
            "imageId",
            "nextToken",
            "maxResults",
        ],
    )?;
    let (name, repository) = named(aws, input)?;
    let id = &input["imageId"];
    let digest = repository
        .find(id)
        .ok_or_else(|| describe::no_image(aws, name, id))?;
    let message = format!(
        "Image scan does not exist for the image with '{{imageDigest:'{digest}', imageTag:'{}'}}' in the repository with name \
         '{name}' in the registry with id '{}'",
        id["imageTag"].as_str().unwrap_or("null"),
        aws.account
    );
    Err(ApiError::client("ScanNotFoundException", message))
}

pub(super) fn no_policy(
    aws: &Aws,
    input: &Value,
    code: &str,
    what: &str,
) -> Result<Value, ApiError> {
    check_members(input, &["registryId", "repositoryName"])?;
    let (name, _) = named(aws, input)?;
    let message = format!(
        "{what} does not exist for the repository with name '{name}' in the registry with id '{}'",
        aws.account
    );
    Err(ApiError::client(code, message))
}

pub(super) fn tags(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &["resourceArn"])?;
    let arn = required_text(input, "resourceArn")?;
    let name = arn.split_once(":repository/").map_or(arn, |(_, name)| name);
    let repository = aws
        .ecr
        .repositories
        .get(name)
        .ok_or_else(|| no_repository(&aws.account, name))?;
    Ok(json!({ "tags": repository.tags }))
}
