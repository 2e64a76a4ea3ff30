//! Who makes a request: an operator, a function under its role, or a session whose temporary
//! credentials signed it.

use super::{ADMINISTRATOR, Demand};
use crate::service::Errors;
use crate::{ApiError, Aws, Request};

/// What the key ids of temporary credentials begin with.
const TEMPORARY_KEY: &str = "ASIA";

/// The caller of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Principal {
    /// An operator, who is an administrator.
    #[default]
    Person,
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
}

impl Principal {
    pub(crate) fn arn(&self, account: &str) -> String {
        match self {
            Self::Person => format!("arn:aws:iam::{account}:user/{ADMINISTRATOR}"),
            Self::Session(session) | Self::Artifacts(session) => session.arn(account),
        }
    }

    /// The name under which what was denied is recorded.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Person => ADMINISTRATOR,
            Self::Session(session) | Self::Artifacts(session) => session.role_name(),
        }
    }

    /// The ARNs by which the policy of a resource can name the principal.
    pub(super) fn names(&self, account: &str) -> Vec<String> {
        match self {
            Self::Person => vec![self.arn(account)],
            Self::Session(session) | Self::Artifacts(session) => {
                vec![session.role.clone(), session.arn(account)]
            }
        }
    }

    /// The demand with the condition keys that describe the principal. Of a session, its role is
    /// the principal.
    ///
    /// Source:
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
    pub(super) fn about(&self, account: &str, demand: &Demand) -> Demand {
        let arn = match self {
            Self::Person => self.arn(account),
            Self::Session(session) | Self::Artifacts(session) => session.role.clone(),
        };
        demand
            .clone()
            .with("aws:PrincipalAccount", account)
            .with("aws:PrincipalArn", arn)
    }
}

impl Session {
    pub(crate) fn arn(&self, account: &str) -> String {
        format!(
            "arn:aws:sts::{account}:assumed-role/{}/{}",
            self.role_name(),
            self.name
        )
    }

    pub(super) fn role_name(&self) -> &str {
        self.role.rsplit('/').next().unwrap_or(&self.role)
    }
}

/// The caller of a request: credentials that STS issued count more than who sends them.
pub(super) fn of(aws: &Aws, request: &Request) -> Result<Principal, ApiError> {
    let errors = Errors::of(request);
    let key = request.access_key().unwrap_or_default();
    if let Some(credentials) = aws.iam.temporary.get(&key) {
        if request.session_token().as_deref() != Some(credentials.session_token.as_str()) {
            return Err(errors.unknown_key.error());
        }
        if aws.now >= credentials.expires {
            return Err(errors.expired.error());
        }
        return Ok(Principal::Session(credentials.session.clone()));
    }

    // The sandbox takes any credentials of an operator.
    if request.caller == ADMINISTRATOR {
        return Ok(Principal::Person);
    }
    match aws.lambda.functions.get(&request.caller) {
        Some(function) if !key.starts_with(TEMPORARY_KEY) => Ok(Principal::Session(Session {
            role: function.role.clone(),
            name: function.name.clone(),
        })),
        _ => Err(errors.unknown_key.error()),
    }
}
