//! The principal of a request: an operator, a function under its role, or a session whose temporary
//! credentials signed it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{ADMINISTRATOR, Demand};
use crate::lambda::Function;
use crate::service::Errors;
use crate::{ApiError, Aws, Request};

/// What the key ids of temporary credentials begin with.
const TEMPORARY_KEY: &str = "ASIA";

/// The caller of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Principal {
    /// An operator, who is an administrator.
    #[default]
    Operator,
    Session(Session),
    /// The credentials of a job: a session of the pipeline's role for the job's artifacts only.
    Artifacts(Session),
}

/// A principal that assumed a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    /// The role's ARN.
    pub(crate) role: String,
    /// The name of the session, which for a function is the function's.
    pub(crate) name: String,
    /// The session policy that was passed when the role was assumed.
    pub(crate) policy: Option<Value>,
    /// The keys of the session tags that it passes on, in lower case.
    pub(crate) transitive_tags: BTreeSet<String>,
}

impl Principal {
    pub(crate) fn arn(&self, aws: &Aws) -> String {
        match self {
            Self::Operator => aws.global_arn("iam", &format!("user/{ADMINISTRATOR}")),
            Self::Session(session) | Self::Artifacts(session) => session.arn(&aws.account),
        }
    }

    /// The name under which what was denied is recorded.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Operator => ADMINISTRATOR,
            Self::Session(session) | Self::Artifacts(session) => session.role_name(),
        }
    }

    /// The ARNs by which the policy of a resource can name the principal.
    pub(super) fn names(&self, aws: &Aws) -> Vec<String> {
        match self {
            Self::Operator => vec![self.arn(aws)],
            Self::Session(session) | Self::Artifacts(session) => {
                vec![session.role.clone(), session.arn(&aws.account)]
            }
        }
    }

    /// The demand with the condition keys that describe the principal. Of a session, its role is
    /// the principal.
    ///
    /// Source:
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
    pub(super) fn about(&self, aws: &Aws, demand: &Demand) -> Demand {
        match self {
            Self::Operator => described(demand, &aws.account, self.arn(aws)),
            Self::Session(session) | Self::Artifacts(session) => {
                session.about(&aws.account, demand)
            }
        }
    }
}

impl Session {
    /// A session without a policy of its own and without tags.
    pub(crate) fn of(role: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            role: role.into(),
            name: name.into(),
            policy: None,
            transitive_tags: BTreeSet::new(),
        }
    }

    /// Its ARN, in the partition of its role.
    pub(crate) fn arn(&self, account: &str) -> String {
        format!(
            "arn:{}:sts::{account}:assumed-role/{}/{}",
            self.role.split(':').nth(1).unwrap_or("aws"),
            self.role_name(),
            self.name
        )
    }

    pub(super) fn role_name(&self) -> &str {
        self.role.rsplit('/').next().unwrap_or(&self.role)
    }

    /// As [`Principal::about`].
    pub(super) fn about(&self, account: &str, demand: &Demand) -> Demand {
        described(demand, account, self.role.as_str())
    }
}

fn described(demand: &Demand, account: &str, arn: impl Into<String>) -> Demand {
    demand
        .clone()
        .with("aws:PrincipalAccount", account)
        .with("aws:PrincipalArn", arn)
}

/// The caller of a request: credentials that STS issued count more than who sends them.
pub(super) fn of(aws: &Aws, request: &Request) -> Result<Principal, ApiError> {
    let errors = || Errors::of(request);
    let key = request.access_key().unwrap_or_default();
    if let Some(credentials) = aws.iam.temporary.get(&key) {
        if request.session_token().as_deref() != Some(credentials.session_token.as_str()) {
            return Err(errors().unknown_key.error());
        }
        if aws.now >= credentials.expires {
            return Err(errors().expired.error());
        }
        return Ok(Principal::Session(credentials.session.clone()));
    }

    // The sandbox takes any credentials of an operator.
    if request.caller == ADMINISTRATOR {
        return Ok(Principal::Operator);
    }
    match function(aws, &request.caller) {
        Some((_, function)) if !key.starts_with(TEMPORARY_KEY) => Ok(Principal::Session(
            Session::of(&function.role, &function.name),
        )),
        _ => Err(errors().unknown_key.error()),
    }
}

/// The function with a name, and the region of the account that has it.
pub(super) fn function<'a>(aws: &'a Aws, name: &str) -> Option<(&'a Aws, &'a Function)> {
    let others = aws.others.values();
    let mut regions = others
        .filter(|other| other.account == aws.account)
        .chain([aws]);
    regions.find_map(|region| Some((region, region.lambda.functions.get(name)?)))
}
