//! DeleteRepository, SetRepositoryPolicy and GetAuthorizationToken.

use std::time::Duration;

use crate::text::base64;
use serde_json::{Value, json};

use super::{check_members, describe, named, parameter, registry_host, required_text};
use crate::{ApiError, Aws, Millis};

/// How long an authorization token is valid.
const TOKEN_LIFE: Duration = Duration::from_secs(12 * 3600);

pub(super) fn delete(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &["registryId", "repositoryName", "force"])?;
    let (name, repository) = named(aws, input)?;
    if !repository.images.is_empty() && input["force"] != true {
        let message = format!(
            "The repository with name '{name}' in registry with id '{}' cannot be deleted because \
             it still contains images",
            aws.account
        );
        return Err(ApiError::client("RepositoryNotEmptyException", message));
    }

    let described = describe::repository(aws, name, repository);
    let name = name.to_owned();
    aws.ecr.repositories.remove(&name);
    Ok(json!({ "repository": described }))
}

pub(super) fn set_policy(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(
        input,
        &["registryId", "repositoryName", "policyText", "force"],
    )?;
    let text = required_text(input, "policyText")?;
    let policy = serde_json::from_str(text)
        .map_err(|_| parameter("policyText", "Invalid repository policy provided"))?;
    let name = named(aws, input)?.0.to_owned();
    super::set_policy(aws, &name, Some(policy));

    Ok(json!({
        "registryId": aws.account, "repositoryName": name, "policyText": text,
    }))
}

/// A token without effect: there is no registry that takes it.
pub(super) fn authorization(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &["registryIds"])?;
    let expires = aws.now + TOKEN_LIFE.as_millis() as Millis;
    Ok(json!({ "authorizationData": [{
        "authorizationToken": base64::encode("AWS:sandbox"),
        "expiresAt": Aws::seconds(expires),
        "proxyEndpoint": format!("https://{}", registry_host(aws)),
    }] }))
}
