//! What a release found of a service: its PRIMARY deployment, which may be a failed one, and its
//! size when the first change was announced.
//!
//! It is compared with what is seen later; what a rollback returns to is the prior release.

use serde::{Deserialize, Serialize};

use crate::observed::service::{DeploymentView, Rollout, ServiceView};
use crate::strategy::Percentages;

/// The size and the percentages of a service at the moment before its first change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriorSize {
    pub desired_count: u32,
    pub percentages: Percentages,
    pub early_success: Option<u32>,
}

/// The PRIMARY deployment that a release found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundDeployment {
    pub task_definition: String,
    pub deployment: String,
}

impl PriorSize {
    #[must_use]
    pub fn of(view: &ServiceView) -> Self {
        Self {
            desired_count: view.desired,
            percentages: view.percentages,
            early_success: view.early_success,
        }
    }
}

impl FoundDeployment {
    #[must_use]
    pub fn of(primary: &DeploymentView) -> Self {
        Self {
            task_definition: primary.task_definition.clone(),
            deployment: primary.id.clone(),
        }
    }
}

/// The deployment that was PRIMARY before a release.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    pub task_definition: &'a str,
    /// Its id, unless the lease was written before it was recorded.
    pub deployment: Option<&'a str>,
}

impl<'a> Before<'a> {
    #[must_use]
    pub fn new(found: Option<&'a FoundDeployment>, prior: &'a str) -> Self {
        match found {
            Some(found) => Self {
                task_definition: &found.task_definition,
                deployment: Some(&found.deployment),
            },
            None => Self {
                task_definition: prior,
                deployment: None,
            },
        }
    }

    /// Whether `deployment` runs what ran before.
    #[must_use]
    pub fn runs(&self, deployment: &DeploymentView) -> bool {
        self.task_definition == deployment.task_definition
    }

    /// Whether `deployment` is the very one that was there before, and failed.
    #[must_use]
    pub fn is_failed(&self, deployment: &DeploymentView) -> bool {
        self.deployment == Some(&deployment.id) && deployment.rollout == Rollout::Failed
    }
}
