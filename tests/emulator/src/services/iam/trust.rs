//! Whether a role may be assumed. Its trust policy must let the caller in, an administrator of the
//! account too. If it names the caller, that is enough within an account; if it names the account,
//! or the role is of another one, the policies of the caller must allow it as well. A denial of
//! either wins.
//!
//! Source:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html>

use super::permissions::Permissions;
use super::policy::{Access, Demand, Unsupported};
use super::resource_policy::{Grant, grant};
use super::{Denial, Principal, error, note};
use crate::Aws;
use crate::accounts::account_of;
use crate::cloudformation::Role;

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
    let home = account_of(&demand.resource);
    let roles = aws.of_account(home).map(|home| &home.cloudformation.iam);
    let Some(role) = roles.and_then(|roles| roles.role_by_arn(&demand.resource)) else {
        return Ok(None);
    };

    // Whether the caller's policies see the tags of another account's role is not documented.
    let demand = &if home == aws.account {
        tagged(demand, role)
    } else {
        demand.clone()
    };
    let own = match caller {
        Principal::Person => Permissions::ADMINISTRATOR,
        Principal::Session(session) => Permissions::of(aws, session, demand)?,
        // The session policy of a job's credentials is about artifacts.
        Principal::Artifacts(_) => return Ok(None),
    };

    let allowed = match grant(&role.trust, caller, &aws.account, demand)? {
        Some(Grant::Named) if home == aws.account => own.identity != Access::Denied,
        Some(Grant::Named | Grant::Account) => own.identity == Access::Allowed,
        Some(Grant::Absent) | None => false,
    };
    Ok((allowed && own.boundary == Access::Allowed).then(|| role.clone()))
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
