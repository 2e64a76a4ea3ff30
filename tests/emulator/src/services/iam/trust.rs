//! Whether a role may be assumed. Its trust policy must let the caller in, an administrator of the
//! account too. If it names the caller, that is enough; if it names the account, the policies of
//! the caller must allow it as well. A denial of either wins.
//!
//! Source:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>

use serde_json::Value;

use super::permissions::Permissions;
use super::policy::{Access, Demand, Unsupported, applies_to_its_resource};
use super::{Denial, Principal, error, note};
use crate::Aws;
use crate::cloudformation::{Role, items};

/// How far a trust policy lets a principal in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trust {
    /// No statement is about the principal.
    Absent,
    /// The account of the principal is trusted.
    Account,
    /// The principal is named.
    Named,
}

/// The role that a demand of the present request is about, if its caller may assume it. The denial
/// is remembered; like AWS, it does not say which of the policies refused, nor whether there is
/// such a role.
pub(crate) fn assume(aws: &mut Aws, demand: &Demand) -> Result<Role, Denial> {
    let caller = aws.iam.principal.clone();
    if let Principal::Session(session) = &caller {
        let role = session.role_name().to_owned();
        aws.iam.demanded.insert((role, demand.action.clone()));
    }

    let reason = match assumed(aws, &caller, demand) {
        Ok(Some(role)) => return Ok(role),
        Ok(None) => String::new(),
        Err(unsupported) => format!("because {unsupported}"),
    };
    let message = error::message(&caller.arn(&aws.account), demand, &reason);
    Err(note(aws, caller.name(), demand, message))
}

fn assumed(aws: &Aws, caller: &Principal, demand: &Demand) -> Result<Option<Role>, Unsupported> {
    let Some(role) = aws.cloudformation.iam.role_by_arn(&demand.resource) else {
        return Ok(None);
    };
    let own = match caller {
        Principal::Person => Permissions::ADMINISTRATOR,
        Principal::Session(session) => Permissions::of(aws, session, demand)?,
        // The session policy of a job's credentials is about artifacts.
        Principal::Artifacts(_) => return Ok(None),
    };

    let allowed = match trust(aws, role, caller, demand)? {
        Some(Trust::Named) => own.identity != Access::Denied,
        Some(Trust::Account) => own.identity == Access::Allowed,
        Some(Trust::Absent) | None => false,
    };
    Ok((allowed && own.boundary == Access::Allowed).then(|| role.clone()))
}

/// How far the role lets the caller in; nothing if it denies it.
fn trust(
    aws: &Aws,
    role: &Role,
    caller: &Principal,
    demand: &Demand,
) -> Result<Option<Trust>, Unsupported> {
    let demand = caller.about(&aws.account, demand);
    let names = caller.names(&aws.account);
    let mut trust = Trust::Absent;
    for statement in items(&role.trust["Statement"]) {
        let named = named(&statement["Principal"], &names, &aws.account);
        if named == Trust::Absent || !applies_to_its_resource(statement, &demand)? {
            continue;
        }
        if statement["Effect"] == "Deny" {
            return Ok(None);
        }
        trust = trust.max(named);
    }
    Ok(Some(trust))
}

/// How a Principal element is about a caller with these names.
fn named(principal: &Value, names: &[String], account: &str) -> Trust {
    if principal == "*" {
        return Trust::Named;
    }

    let root = format!("arn:aws:iam::{account}:root");
    let found = items(&principal["AWS"])
        .iter()
        .filter_map(Value::as_str)
        .map(|one| {
            if one == "*" || names.iter().any(|name| name == one) {
                Trust::Named
            } else if one == account || one == root {
                Trust::Account
            } else {
                Trust::Absent
            }
        });
    found.max().unwrap_or(Trust::Absent)
}
