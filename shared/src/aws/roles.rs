//! Deploy roles: the credentials for calls about a service, obtained once per role while the
//! function is warm, for as long as they last and AWS accepts them.
//!
//! It never chooses a role: a release has one, or the function's own credentials are used.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_config::Region;
use aws_config::identity::IdentityCache;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};

use super::clients::Clients;
use super::error::ASSUME_ROLE;
use super::{AwsError, ErrorKind};
use crate::limits::{ROLE_REFRESH, ROLE_SECONDS};
use crate::release::DeployRole;

/// The session policy of what only reads: a session may do what its role and this policy both
/// allow, at most 2,048 characters (STS API: AssumeRole).
const READS: &str = concat!(
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["#,
    r#""application-autoscaling:Describe*","ecr:BatchGetImage","ecr:DescribeImages","#,
    r#""ecs:Describe*","ecs:List*","elasticloadbalancing:Describe*","#,
    r#""route53:ListResourceRecordSets"],"Resource":"*"}]}"#,
);

/// How much of a deploy role a session has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// What the role allows.
    Whole,
    /// Of that, only what reads a service.
    Reads,
}

type Known = BTreeMap<(DeployRole, Scope), Arc<Clients>>;

/// The clients that act under deploy roles, by role. All clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Roles(Arc<Mutex<Known>>);

/// Where the credentials of a deploy role come from.
#[derive(Debug)]
struct AssumedRole {
    /// With the credentials that may assume it.
    own: Arc<Clients>,
    role: DeployRole,
    scope: Scope,
    session: String,
}

impl Scope {
    /// The session policy, if the session has less than the role.
    fn policy(self) -> Option<&'static str> {
        match self {
            Self::Whole => None,
            Self::Reads => Some(READS),
        }
    }
}

impl Roles {
    /// Clients like `own` with the credentials of a role. They share them, and are the same clients
    /// each time, unless AWS rejected their credentials: then they request new ones.
    pub(super) fn acting(
        &self,
        own: &Arc<Clients>,
        session: &str,
        (role, scope): (&DeployRole, Scope),
    ) -> Arc<Clients> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, clients| !clients.are_not_taken());
        known
            .entry((role.clone(), scope))
            .or_insert_with(|| Arc::new(acting(own, session, (role, scope))))
            .clone()
    }
}

/// Requests credentials of a role, whether or not earlier ones last.
pub(super) async fn prove(
    own: &Arc<Clients>,
    session: &str,
    role: (&DeployRole, Scope),
) -> Result<(), AwsError> {
    AssumedRole::new(own, session, role).assume().await?;
    Ok(())
}

/// The credentials are requested in the function's own region, and are valid in every one
/// (docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html).
fn acting(own: &Arc<Clients>, session: &str, role: (&DeployRole, Scope)) -> Clients {
    let assumed = AssumedRole::new(own, session, role);
    let region = role.0.region.clone().map(Region::new);

    let config = own
        .config
        .clone()
        .into_builder()
        .region(region.or_else(|| own.config.region().cloned()))
        .credentials_provider(SharedCredentialsProvider::new(assumed))
        .identity_cache(IdentityCache::lazy().buffer_time(ROLE_REFRESH).build())
        .build();
    Clients::new(config)
}

impl AssumedRole {
    fn new(own: &Arc<Clients>, session: &str, (role, scope): (&DeployRole, Scope)) -> Self {
        Self {
            own: Arc::clone(own),
            role: role.clone(),
            scope,
            session: session.to_owned(),
        }
    }

    async fn assume(&self) -> Result<Credentials, AwsError> {
        let request = self
            .own
            .sts()
            .assume_role()
            .role_arn(&self.role.arn)
            .external_id(&self.role.external_id)
            .role_session_name(&self.session)
            .set_policy(self.scope.policy().map(ToOwned::to_owned))
            .duration_seconds(ROLE_SECONDS);
        let assumed = request
            .send()
            .await
            .map_err(AwsError::from_sdk(ASSUME_ROLE))
            .map_err(|error| explained(error, &self.role))?;

        let given = assumed
            .credentials
            .ok_or_else(|| AwsError::unexpected(ASSUME_ROLE, "no credentials"))?;
        let expires = SystemTime::try_from(given.expiration)
            .map_err(|error| AwsError::unexpected(ASSUME_ROLE, error.to_string()))?;
        Ok(Credentials::new(
            given.access_key_id,
            given.secret_access_key,
            Some(given.session_token),
            Some(expires),
            "deploy role",
        ))
    }

    async fn provide(&self) -> provider::Result {
        self.assume()
            .await
            .map_err(CredentialsError::provider_error)
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.provide())
    }
}

/// A denial with what allows the call: AWS's message names the caller, and no external id.
fn explained(error: AwsError, role: &DeployRole) -> AwsError {
    if error.kind != ErrorKind::Permission {
        return error;
    }

    let DeployRole {
        arn, external_id, ..
    } = role;
    let message = format!(
        "{}; the trust policy of {arn} must allow {ASSUME_ROLE} to this user with the external id \
         {external_id}, and the policy of the user's role must allow it on {arn}",
        error.message
    );
    AwsError { message, ..error }
}
