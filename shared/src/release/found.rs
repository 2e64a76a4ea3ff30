//! What a release found of a service: its PRIMARY deployment, which may be a failed one, and its
//! size when the first change was announced.
//!
//! It is compared with what is seen later; what a rollback returns to is the prior release.

use serde::{Deserialize, Serialize};

use crate::observed::percentages::Percentages;
use crate::observed::service::{DeploymentView, Rollout, ServiceView};

/// What a service had at the moment before its first change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriorState {
    pub found: Option<FoundDeployment>,
    pub desired_count: u32,
    pub percentages: Percentages,
    pub early_success: Option<u32>,
}

/// The PRIMARY deployment that a release found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundDeployment {
    pub task_definition: String,
    pub deployment: String,
    /// Whether it had failed when the release found it, and its revision had not run either: no
    /// other deployment of it was completed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
}

impl PriorState {
    #[must_use]
    pub fn from_view(view: &ServiceView) -> Self {
        Self {
            found: FoundDeployment::from_view(view),
            desired_count: view.desired,
            percentages: view.percentages,
            early_success: view.early_success,
        }
    }
}

impl FoundDeployment {
    /// The PRIMARY deployment of a service; `None` if it has none.
    #[must_use]
    pub fn from_view(view: &ServiceView) -> Option<Self> {
        let primary = view.primary()?;
        // A forced deployment of what serves can fail as well, such as for a lack of capacity.
        let has_run = view.has_completed(&primary.task_definition);

        Some(Self {
            task_definition: primary.task_definition.clone(),
            deployment: primary.id.clone(),
            failed: primary.rollout == Rollout::Failed && !has_run,
        })
    }
}

/// The deployment that was PRIMARY before a release.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    pub task_definition: &'a str,
    /// The revision of the prior release, to which ECS returns when a rollout fails.
    pub prior: &'a str,
    /// Its id, unless the lease was written before it was recorded.
    pub deployment: Option<&'a str>,
}

impl<'a> Before<'a> {
    #[must_use]
    pub fn new(found: Option<&'a FoundDeployment>, prior: &'a str) -> Self {
        match found {
            Some(found) => Self {
                task_definition: &found.task_definition,
                prior,
                deployment: Some(&found.deployment),
            },
            None => Self {
                task_definition: prior,
                prior,
                deployment: None,
            },
        }
    }

    /// Whether `deployment` runs what ran before: the found revision or the prior release.
    #[must_use]
    pub fn runs(&self, deployment: &DeploymentView) -> bool {
        [self.task_definition, self.prior].contains(&deployment.task_definition.as_str())
    }

    /// Whether `deployment` can be the very one that was there before. Without a recorded id, one
    /// of the same revision can.
    #[must_use]
    pub fn may_be(&self, deployment: &DeploymentView) -> bool {
        match self.deployment {
            Some(id) => id == deployment.id,
            None => self.runs(deployment),
        }
    }

    /// Whether `view` can be older than the deployment `made`, if there is one: its PRIMARY
    /// deployment can be the very one that was there before, and nothing of `made` shows.
    #[must_use]
    pub(crate) fn may_be_seen(&self, made: Option<&str>, view: &ServiceView) -> bool {
        let is_shown = made.is_some_and(|made| view.shows(made));
        !is_shown && view.primary().is_some_and(|primary| self.may_be(primary))
    }

    /// Whether `view` shows the earlier deployment as PRIMARY, and nothing of `made`, which a
    /// release has begun since. What ECS rolled back from is listed or named in its messages, even
    /// if it returns to a deployment under the same id.
    #[must_use]
    pub fn hides(&self, made: &str, view: &ServiceView) -> bool {
        let is_before = view
            .primary()
            .is_some_and(|primary| self.deployment == Some(&primary.id));
        let is_shown = view.shows(made);

        is_before && !is_shown
    }

    /// Whether `deployment` is the very one that was there before, and failed.
    #[must_use]
    pub(crate) fn is_failed(&self, deployment: &DeploymentView) -> bool {
        self.deployment == Some(&deployment.id) && deployment.rollout == Rollout::Failed
    }
}
