//! Repositories of other accounts, whose policies let images be read from here.
//!
//! Source: <https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html>

use serde_json::Value;

use super::{SERVICE, required_text, text};
use crate::accounts::AccountRegion;
use crate::iam::{self, Demand};
use crate::{ApiError, Aws};

/// What other accounts may do, if the policy of the repository allows it.
const READS: [&str; 2] = ["BatchGetImage", "DescribeImages"];

/// The other account in whose registry of this region a request reads images, if its repository
/// lets the caller.
pub(super) fn registry(
    aws: &mut Aws,
    operation: &str,
    input: &Value,
) -> Result<Option<AccountRegion>, ApiError> {
    let named = text(input, "registryId")?.filter(|id| *id != aws.account);
    let Some(id) = named.filter(|_| READS.contains(&operation)) else {
        return Ok(None);
    };
    let name = required_text(input, "repositoryName")?;
    let home = (id.to_owned(), aws.region.clone());
    let registry = aws.others.get(&home);
    let Some(repository) = registry.and_then(|registry| registry.ecr.repositories.get(name)) else {
        return Ok(None);
    };

    let demand = Demand::new(format!("ecr:{operation}"), repository.arn.as_str());
    let policy = repository.policy.clone();
    iam::require_of_resource(aws, policy.as_ref(), &demand)
        .map_err(|denial| SERVICE.errors.denied(denial.message))?;
    Ok(Some(home))
}
