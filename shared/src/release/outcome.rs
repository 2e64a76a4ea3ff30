//! How a release ends: the outcome that is recorded, and the reason.

use serde::{Deserialize, Serialize};

use super::Restart;
use super::names::names;

names! {
    /// How a release ended.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Outcome {
        /// The service runs the revision, proven; for a pair, the colour that runs it has all
        /// traffic.
        Deployed => "deployed",
        /// The service ran it already, and nothing was changed.
        Unchanged => "unchanged",
        /// The release failed or was stopped, and the prior release runs again, restored by ECS's
        /// circuit breaker or by Slipway; for a pair also when no traffic had moved yet.
        RolledBack => "rolled-back",
        /// A newer execution took its place, or the service or the weights were changed outside the
        /// release; the external change is left alone.
        Superseded => "superseded",
        /// Nothing was found against the new revision, and the prior release runs again: a canary
        /// showed neither harm nor health and no decision came in time, or a freeze lasts longer
        /// than a release can wait.
        Held => "held",
        /// The release ended without a change of the service; or the rollback could not be proven
        /// within an hour, and then the reason ends with manual intervention required and the
        /// record has `needs_operator`.
        Failed => "failed",
    }
}

/// How a release ends, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    pub outcome: Outcome,
    pub reason: String,
    /// Whether the release could not be restored and an operator must repair the service.
    pub needs_operator: bool,
    /// What is released again after it.
    pub restart: Option<Box<Restart>>,
    /// Whether an operator took the release back, and nothing was found against its image.
    pub withdrawn: bool,
}

impl Conclusion {
    #[must_use]
    pub fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            outcome,
            reason: reason.into(),
            needs_operator: false,
            restart: None,
            withdrawn: false,
        }
    }

    /// Failed, and an operator must repair the service.
    #[must_use]
    pub fn needing_operator(reason: impl Into<String>) -> Self {
        Self {
            needs_operator: true,
            ..Self::new(Outcome::Failed, reason)
        }
    }
}
