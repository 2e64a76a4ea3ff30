//! How a release ends: the outcome that is recorded, and the reason.

use serde::{Deserialize, Serialize};

use super::names::names;

names! {
    /// How a release ended.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    pub enum Outcome {
        Deployed => "deployed",
        Unchanged => "unchanged",
        RolledBack => "rolled-back",
        Superseded => "superseded",
        Held => "held",
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
}

impl Conclusion {
    #[must_use]
    pub fn new(outcome: Outcome, reason: impl Into<String>) -> Self {
        Self {
            outcome,
            reason: reason.into(),
            needs_operator: false,
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
