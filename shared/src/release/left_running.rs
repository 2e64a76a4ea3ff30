//! What the last release of a service left running, and what replaced it since outside of a
//! release: a rollback by Amazon ECS, another deployment, or a change by hand.
//!
//! It is part of the lease, so that the next release ends it. Nothing decides by it what to change.

use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use super::DeployRole;
use crate::limits::{DRIFT_PERIOD, REASON_CHARS};
use crate::observed::service::{DeploymentView, ServiceView, revision};
use crate::observed::service_deployment::ServiceDeploymentView;
use crate::timestamp::Timestamp;

/// What a closed release left running.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftRunning {
    /// The execution whose release it was.
    pub execution: String,
    /// The service that serves: of a pair that of the live colour.
    pub service: String,
    pub task_definition: String,
    /// The deployment of the release, if it has deployed the revision.
    pub deployment: Option<String>,
    pub began_at: Timestamp,
    pub ended_at: Timestamp,
    /// The role under which the service is observed.
    pub deploy_role: Option<DeployRole>,
    /// What runs in its place, if that was seen.
    pub drift: Option<Drift>,
}

/// What was seen to run in place of what a release left.
#[skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    pub task_definition: String,
    /// Why ECS rolled the deployment of the release back; none if the revision was deployed outside
    /// of a release.
    pub rolled_back: Option<String>,
    pub seen_at: Timestamp,
}

impl LeftRunning {
    /// Whether the service is looked at in this minute: once in each period since the end of the
    /// release, so that the looks at many services are spread. Without a role nothing may look.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        let minutes = now.since(self.ended_at).as_secs() / 60;
        let period = DRIFT_PERIOD.as_secs() / 60;
        self.deploy_role.is_some() && minutes >= period && minutes.is_multiple_of(period)
    }

    /// The PRIMARY deployment, if it runs another revision than was left.
    #[must_use]
    pub fn replaced_in<'a>(&self, view: &'a ServiceView) -> Option<&'a DeploymentView> {
        let primary = view.primary();
        let left = revision(&self.task_definition);
        primary.filter(|primary| revision(&primary.task_definition) != left)
    }

    /// Whether a look that shows this revision, or what was left, shows what is known already.
    #[must_use]
    pub fn is_known(&self, replaced_by: Option<&str>) -> bool {
        let known = self.drift.as_ref();
        known.map(|known| known.task_definition.as_str()) == replaced_by
    }

    /// The drift to another revision, where `history` has the service deployments since the release
    /// began, newest first.
    #[must_use]
    pub fn drift_to(
        &self,
        task_definition: &str,
        history: &[ServiceDeploymentView],
        now: Timestamp,
    ) -> Drift {
        let rolled_back = self.rolled_back(history);
        Drift {
            task_definition: task_definition.to_owned(),
            rolled_back: rolled_back.map(|why| why.chars().take(REASON_CHARS).collect()),
            seen_at: now,
        }
    }

    /// The drift that was seen last, for operators.
    #[must_use]
    pub fn shown_drift(&self) -> Option<String> {
        let drift = self.drift.as_ref()?;
        let how = match &drift.rolled_back {
            Some(reason) => format!("ECS rolled that back: {reason}"),
            None => "it was deployed outside of a release".to_owned(),
        };
        Some(format!(
            "{} runs {}, and its last release left {}; {how}; seen at {}",
            self.service,
            revision(&drift.task_definition),
            revision(&self.task_definition),
            drift.seen_at
        ))
    }

    /// Why ECS rolled the deployment of the release back, if it did. Service revisions may be
    /// numbered in another way than deployments: it is then the first since the release began.
    fn rolled_back(&self, history: &[ServiceDeploymentView]) -> Option<String> {
        let own = self.deployment.as_deref()?;
        let named = history.iter().find(|one| one.is_of(own));
        named.or(history.last())?.failure()
    }
}
