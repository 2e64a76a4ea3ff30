//! Deploy roles: the credentials for calls about a service, obtained once for a role as long as
//! they last, while the function is warm.
//!
//! It never chooses a role: a release has one, or the function's own credentials are used.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::Client;

use super::error::ASSUME_ROLE;
use super::{AwsError, ErrorKind};
use crate::limits::{ROLE_REFRESH, ROLE_SECONDS};
use crate::release::DeployRole;

/// The configurations that act under deploy roles, by role. All clones are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Roles(Arc<Mutex<BTreeMap<DeployRole, SdkConfig>>>);

/// Where the credentials of a deploy role come from.
#[derive(Debug)]
struct AssumedRole {
    sts: Client,
    role: DeployRole,
    session: String,
}

impl Roles {
    /// The configuration `own` with the credentials of a role. All clients of one role share them,
    /// because it is the same configuration each time.
    pub(super) fn acting(&self, own: &SdkConfig, session: &str, role: &DeployRole) -> SdkConfig {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .entry(role.clone())
            .or_insert_with(|| acting(own, session, role))
            .clone()
    }
}

/// Requests credentials of a role, whether or not earlier ones last.
pub(super) async fn prove(
    own: &SdkConfig,
    session: &str,
    role: &DeployRole,
) -> Result<(), AwsError> {
    AssumedRole::new(own, session, role).assume().await?;
    Ok(())
}

fn acting(own: &SdkConfig, session: &str, role: &DeployRole) -> SdkConfig {
    let assumed = AssumedRole::new(own, session, role);

    own.clone()
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(assumed))
        .identity_cache(IdentityCache::lazy().buffer_time(ROLE_REFRESH).build())
        .build()
}

impl AssumedRole {
    fn new(own: &SdkConfig, session: &str, role: &DeployRole) -> Self {
        Self {
            sts: Client::new(own),
            role: role.clone(),
            session: session.to_owned(),
        }
    }

    async fn assume(&self) -> Result<Credentials, AwsError> {
        let request = self
            .sts
            .assume_role()
            .role_arn(&self.role.arn)
            .external_id(&self.role.external_id)
            .role_session_name(&self.session)
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

    let DeployRole { arn, external_id } = role;
    let message = format!(
        "{}; the trust policy of {arn} must allow {ASSUME_ROLE} to this user with the external id \
         {external_id}, and the policy of the user's role must allow it on {arn}",
        error.message
    );
    AwsError { message, ..error }
}
