//! The kind of a job's action in CodePipeline, which limits how long the action can take.
//!
//! It knows no step: the parameters of a step state how long it works.

use std::time::Duration;

use crate::limits::{ACTION_TOTAL, CUSTOM_ACTION_HOLD, CUSTOM_ACTION_TOTAL, FREEZE_HOLD};

/// What an action is to CodePipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionKind {
    /// A Lambda invoke action, or what an operator invokes directly.
    Invoke,
    /// A custom action, whose jobs a worker takes.
    Custom,
}

impl ActionKind {
    /// How long it lasts at most: then its step fails with the reason, before CodePipeline ends it
    /// without one.
    #[must_use]
    pub fn total(self) -> Duration {
        match self {
            Self::Invoke => ACTION_TOTAL,
            Self::Custom => CUSTOM_ACTION_TOTAL,
        }
    }

    /// How long it can wait and then work, with time to end the release.
    #[must_use]
    pub fn hold(self) -> Duration {
        match self {
            Self::Invoke => FREEZE_HOLD,
            Self::Custom => CUSTOM_ACTION_HOLD,
        }
    }

    /// When CodePipeline ends it, for messages.
    #[must_use]
    pub fn end(self) -> &'static str {
        match self {
            Self::Invoke => "an action ends after 24 hours",
            Self::Custom => "a custom action can end after an hour",
        }
    }
}
