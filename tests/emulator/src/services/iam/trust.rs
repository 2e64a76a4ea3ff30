//! Whether a role may be assumed. Its trust policy must allow the caller, even an administrator of
//! the account. If it names the caller, that is enough within an account; if it names the account,
//! or the role is of another one, the policies of the caller must allow it as well. A denial of
//! either wins.
//!
//! Source:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html>

use super::permissions::{Permissions, in_session};
use super::policy::{Access, Demand, Unsupported};
use super::resource_policy::{Grant, grant};
use super::{Denial, Principal, error, note};
use crate::Aws;
use crate::accounts::account_of;
use crate::cloudformation::Role;

/// The role that a demand of the present request is about, if its caller may assume it. The denial
/// is recorded; as with AWS, it does not state which of the policies refused, nor whether the role
/// exists.
pub(crate) fn assume(aws: &mut Aws, demand: &Demand) -> Result<Role, Denial> {
    let caller = aws.iam.principal.clone();
    let role = known(aws, &demand.resource);
    // Whether the caller's policies see the tags of another account's role is not documented.
    let own = role
        .as_ref()
        .filter(|role| account_of(&role.arn) == aws.account);
    let demand = &own.map_or_else(|| demand.clone(), |role| tagged(demand, role));
    if let Principal::Session(session) = &caller {
        let seen = in_session(aws, session, demand);
        aws.iam.record(session.role_name(), seen);
    }

    let allowed = role
        .as_ref()
        .map_or(Ok(false), |role| is_allowed(aws, &caller, role, demand));
    let reason = match (role, allowed) {
        (Some(role), Ok(true)) => return Ok(role),
        (_, Ok(_)) => String::new(),
        (_, Err(unsupported)) => format!("because {unsupported}"),
    };
    let message = error::message(&caller.arn(aws), demand, &reason);
    Err(note(aws, caller.name(), demand, message))
}

/// The role with an ARN, in its account.
fn known(aws: &Aws, arn: &str) -> Option<Role> {
    let home = aws.of_account(account_of(arn))?;
    home.cloudformation.iam.role_by_arn(arn).cloned()
}

fn is_allowed(
    aws: &Aws,
    caller: &Principal,
    role: &Role,
    demand: &Demand,
) -> Result<bool, Unsupported> {
    let own = match caller {
        Principal::Operator => Permissions::ADMINISTRATOR,
        Principal::Session(session) => {
            Permissions::of(aws, session, &in_session(aws, session, demand))?
        }
        // The session policy of a job's credentials is about artifacts.
        Principal::Artifacts(_) => return Ok(false),
    };

    let allowed = match grant(&role.trust, caller, aws, demand)? {
        Some(Grant::Named) if account_of(&role.arn) == aws.account => {
            own.identity != Access::Denied
        }
        Some(Grant::Named | Grant::Account) => own.identity == Access::Allowed,
        Some(Grant::Absent) | None => false,
    };
    Ok(allowed && own.are_within_bounds())
}

/// The demand with the tags of the role that it is about.
///
/// Source:
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html>
fn tagged(demand: &Demand, role: &Role) -> Demand {
    role.tags
        .iter()
        .fold(demand.clone(), |demand, (key, value)| {
            demand.with(&format!("iam:ResourceTag/{key}"), value)
        })
}
