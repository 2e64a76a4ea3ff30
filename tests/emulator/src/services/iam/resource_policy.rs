//! The policies of resources, trust policies of roles among them: how far they allow a caller.
//!
//! Source:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html>

use serde_json::Value;

use super::policy::{Access, Demand, Unsupported, applies_to_its_resource};
use super::{Denial, Permissions, Principal, Session, error, note};
use crate::Aws;
use crate::cloudformation::items;

/// How far the policy of a resource lets a principal in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grant {
    /// No statement is about the principal.
    Absent,
    /// To the account of the principal.
    Account,
    /// To the principal itself.
    Named,
}

/// How far a policy lets a caller of this account in; nothing if it denies it.
pub(super) fn grant(
    policy: &Value,
    caller: &Principal,
    aws: &Aws,
    demand: &Demand,
) -> Result<Option<Grant>, Unsupported> {
    let demand = caller.about(aws, demand);
    let names = caller.names(aws);
    let mut grant = Grant::Absent;
    for statement in items(&policy["Statement"]) {
        let named = named(&statement["Principal"], &names, aws);
        if named == Grant::Absent || !applies_to_its_resource(statement, &demand)? {
            continue;
        }
        if statement["Effect"] == "Deny" {
            return Ok(None);
        }
        grant = grant.max(named);
    }
    Ok(Some(grant))
}

/// How a Principal element is about a caller with these names.
fn named(principal: &Value, names: &[String], aws: &Aws) -> Grant {
    if principal == "*" {
        return Grant::Named;
    }

    let root = aws.global_arn("iam", "root");
    let found = items(&principal["AWS"])
        .iter()
        .filter_map(Value::as_str)
        .map(|one| {
            if one == "*" || names.iter().any(|name| name == one) {
                Grant::Named
            } else if one == aws.account || one == root {
                Grant::Account
            } else {
                Grant::Absent
            }
        });
    found.max().unwrap_or(Grant::Absent)
}

/// Whether a resource of another account lets the caller of the present request in, whose own
/// policies allowed it before. The denial is remembered.
pub(crate) fn require_of_resource(
    aws: &mut Aws,
    policy: Option<&Value>,
    demand: &Demand,
) -> Result<(), Denial> {
    let caller = aws.iam.principal.clone();
    let Some(reason) = refusal(policy, &caller, aws, demand) else {
        return Ok(());
    };
    let message = error::message(&caller.arn(aws), demand, &reason);
    Err(note(aws, caller.name(), demand, message))
}

/// Whether a resource of another account lets a role of this account in.
pub(crate) fn is_shared_with(
    policy: Option<&Value>,
    role: &str,
    aws: &Aws,
    demand: &Demand,
) -> bool {
    let caller = Principal::Session(Session::of(role, ""));
    refusal(policy, &caller, aws, demand).is_none()
}

/// Whether a role may do something with a resource of its own account: its policies allow it, or
/// that of the resource names the role, and none denies it. Policies that are not known, such as
/// those of a role that no template made, allow it.
pub(crate) fn is_open_within(
    aws: &Aws,
    policy: Option<&Value>,
    role: &str,
    demand: &Demand,
) -> bool {
    if aws.cloudformation.iam.role_by_arn(role).is_none() {
        return true;
    }

    let session = Session::of(role, "");
    let own = Permissions::of(aws, &session, demand);
    let caller = Principal::Session(session);
    let granted = grant(policy.unwrap_or(&Value::Null), &caller, aws, demand);
    match (own, granted) {
        (Ok(_), Ok(None)) => false,
        (Ok(own), Ok(Some(granted))) => {
            let denied = [own.identity, own.boundary, own.session].contains(&Access::Denied);
            own.refusal(&demand.action).is_none() || (granted == Grant::Named && !denied)
        }
        (Err(_), _) | (_, Err(_)) => true,
    }
}

/// Why a policy does not let a caller of this account in, in the words of AWS; nothing if it does.
fn refusal(
    policy: Option<&Value>,
    caller: &Principal,
    aws: &Aws,
    demand: &Demand,
) -> Option<String> {
    match grant(policy.unwrap_or(&Value::Null), caller, aws, demand) {
        Ok(Some(Grant::Account | Grant::Named)) => None,
        Ok(Some(Grant::Absent)) => Some(error::not_allowed_by_resource(&demand.action)),
        Ok(None) => Some(error::EXPLICIT_DENY_OF_RESOURCE.to_owned()),
        Err(unsupported) => Some(format!("because {unsupported}")),
    }
}
