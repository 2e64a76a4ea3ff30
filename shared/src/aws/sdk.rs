//! The SDK's clients, which every adapter is made from, and the clock.
//!
//! The only place that reads the time.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::environment::{
    EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider,
};
use aws_config::identity::IdentityCache;
use aws_config::meta::region::ProvideRegion;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::future::timeout::Timeout;
use aws_smithy_async::rt::sleep::{AsyncSleep, TokioSleep};
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use super::AwsError;
use super::clients::Clients;
use super::roles::{self, Roles, Scope};
use crate::limits::{CALL_ATTEMPT, CALL_ATTEMPTS, CALL_TOTAL, SESSION_NAME_CHARS};
use crate::release::DeployRole;
use crate::timestamp::Timestamp;

/// The name of a function's sessions under a deploy role, before its own name.
const SESSION: &str = "slipway";

/// What every adapter is made from: the SDK's clients, which all clones share, the name of the
/// ledger's table, and the name of the bucket of reports.
///
/// An adapter of a service, of what belongs to it, or of its pipeline takes `service`; one of jobs,
/// the ledger, artifacts or reports takes `own`.
#[derive(Clone, Debug)]
pub struct Sdk {
    /// With the function's own credentials.
    pub(super) own: Arc<Clients>,
    /// With those of a deploy role, or the function's own without one.
    pub(super) service: Arc<Clients>,
    pub(super) ledger_table: String,
    pub(super) reports_bucket: String,
    deploy_role: Option<DeployRole>,
    scope: Scope,
    roles: Roles,
    function: String,
    session: String,
}

impl Sdk {
    /// Adds this project's time-outs and retries to a configuration.
    #[must_use]
    pub fn new(config: SdkConfig, ledger_table: &str) -> Self {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(CALL_ATTEMPT)
            .operation_timeout(CALL_TOTAL)
            .build();

        let config = config
            .into_builder()
            .retry_config(RetryConfig::standard().with_max_attempts(CALL_ATTEMPTS))
            .timeout_config(timeouts)
            .build();
        let own = Arc::new(Clients::new(config));
        Self {
            service: Arc::clone(&own),
            own,
            ledger_table: ledger_table.to_owned(),
            reports_bucket: String::new(),
            deploy_role: None,
            scope: Scope::Whole,
            roles: Roles::default(),
            function: String::new(),
            session: SESSION.to_owned(),
        }
    }

    /// The same with a bucket for reports, which only `evaluate-canary` writes.
    #[must_use]
    pub fn with_reports(self, bucket: &str) -> Self {
        Self {
            reports_bucket: bucket.to_owned(),
            ..self
        }
    }

    /// The same with the function's name, also in those of its sessions under deploy roles.
    #[must_use]
    pub fn with_function(self, name: &str) -> Self {
        let session = format!("{SESSION}-{name}");
        Self {
            session: session.chars().take(SESSION_NAME_CHARS).collect(),
            function: name.to_owned(),
            ..self
        }
    }

    /// The function's name; empty if it is not known.
    #[must_use]
    pub fn function(&self) -> &str {
        &self.function
    }

    /// The same, acting under a deploy role: services and pipelines are read and changed with its
    /// credentials. They are requested by the first call that needs them, and shared by all clones.
    #[must_use]
    pub fn acting_for(&self, role: &DeployRole) -> Self {
        self.under(role, Scope::Whole)
    }

    /// The same for what only reads: its sessions have a policy that allows nothing else, whatever
    /// the role allows.
    #[must_use]
    pub fn reading_for(&self, role: &DeployRole) -> Self {
        self.under(role, Scope::Reads)
    }

    fn under(&self, role: &DeployRole, scope: Scope) -> Self {
        Self {
            service: self.roles.acting(&self.own, &self.session, (role, scope)),
            deploy_role: Some(role.clone()),
            scope,
            ..self.clone()
        }
    }

    /// The region in which the function runs.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.own.config.region().map(AsRef::as_ref)
    }

    /// The role under which services are read and changed; none for the function's own credentials.
    #[must_use]
    pub fn deploy_role(&self) -> Option<&DeployRole> {
        self.deploy_role.as_ref()
    }

    /// Proves that a role can be assumed, by a request of its credentials.
    ///
    /// # Errors
    /// When STS refuses it, or cannot be reached.
    pub async fn prove_role(&self, role: &DeployRole) -> Result<(), AwsError> {
        roles::prove(&self.own, &self.session, (role, self.scope)).await
    }

    /// The time of the SDK's clock, the only clock of this package.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock().into()
    }

    /// The same with its fraction of a second, for how long something takes.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the time, if the SDK has no clock of its own"
    )]
    pub(super) fn clock(&self) -> SystemTime {
        self.own
            .config
            .time_source()
            .map_or_else(SystemTime::now, |source| source.now())
    }

    /// The output of `work`, or `None` when it takes longer than `limit` by the SDK's own timer. It
    /// is dropped then, at whatever call it waits for.
    pub async fn within<F: Future>(&self, limit: Duration, work: F) -> Option<F::Output> {
        let Some(timer) = self.own.config.sleep_impl() else {
            return Some(work.await);
        };
        Timeout::new(work, timer.sleep(limit)).await.ok()
    }
}

/// The configuration of a Lambda function: region, credentials and endpoints from its environment,
/// one HTTP client for all services, the ledger's table from `LEDGER_TABLE`, the bucket of reports,
/// if the function writes any, from `SLIPWAY_REPORTS_BUCKET`, and its name as Lambda states it.
///
/// Lambda states all of it, so the SDK's chain of files, containers and instances is not part of a
/// function.
///
/// # Errors
/// If `LEDGER_TABLE` is not set.
pub async fn connect() -> Result<Sdk, std::env::VarError> {
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();

    let credentials = EnvironmentVariableCredentialsProvider::new();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(EnvironmentVariableRegionProvider::new().region().await)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .identity_cache(IdentityCache::lazy().build())
        .http_client(http)
        .sleep_impl(TokioSleep::new())
        .time_source(SystemTimeSource::new());
    let endpoint = std::env::var("AWS_ENDPOINT_URL").ok();
    config
        .set_endpoint_url(endpoint.filter(|url| !url.is_empty()))
        .set_use_fips(switch("AWS_USE_FIPS_ENDPOINT"))
        .set_use_dual_stack(switch("AWS_USE_DUALSTACK_ENDPOINT"));
    let config = config.build();

    let table = std::env::var("LEDGER_TABLE")?;
    let reports = std::env::var("SLIPWAY_REPORTS_BUCKET").unwrap_or_default();
    let sdk = Sdk::new(config, &table).with_reports(&reports);
    Ok(match std::env::var("AWS_LAMBDA_FUNCTION_NAME") {
        Ok(name) => sdk.with_function(&name),
        Err(_) => sdk,
    })
}

/// A variable that is `true` or `false`, in any letters as the SDKs take it.
fn switch(variable: &str) -> Option<bool> {
    let value = std::env::var(variable).ok()?;
    value.to_ascii_lowercase().parse().ok()
}
