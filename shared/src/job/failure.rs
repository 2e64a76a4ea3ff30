//! Why a step is not done: a failure for the operator to act on, or a condition that passes.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a step is not done.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StepError {
    /// The job fails; the reason needs an operator.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// AWS refused a call. The job fails, unless one more look may show that it was nothing.
    #[error(transparent)]
    Refused(Failure),
    /// A call succeeded, but its response is not understood, or AWS did not accept the credentials
    /// of a call: that proves nothing about the release.
    #[error(transparent)]
    Unexpected(Failure),
    /// AWS throttled the step or was unavailable, or another invocation of the same release wrote
    /// first: the job stays in progress.
    #[error("{0}")]
    Busy(String),
    /// No step may be made now, for this reason: the job stays in progress.
    #[error("{0}")]
    Frozen(String),
}

impl StepError {
    /// What is wrong, without what comes next.
    #[must_use]
    pub fn cause(&self) -> &str {
        match self {
            Self::Failed(failure) | Self::Refused(failure) | Self::Unexpected(failure) => {
                &failure.message
            }
            Self::Busy(why) => why.strip_suffix("; retrying").unwrap_or(why),
            Self::Frozen(why) => why,
        }
    }

    /// The cause, unless it passes by itself.
    #[must_use]
    pub fn lasting_cause(&self) -> Option<&str> {
        let passes = matches!(self, Self::Busy(_) | Self::Frozen(_));
        (!passes).then(|| self.cause())
    }
}

/// The failure of a job, as CodePipeline and the ledger store it.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize)]
#[error("{message}")]
pub struct Failure {
    #[serde(rename = "type")]
    pub kind: FailureType,
    pub message: String,
    /// What made the step fail, where more than the type matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<FailureCause>,
}

/// A cause of failure that operators and tests distinguish, as the ledger stores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureCause {
    /// Another writer changed the service or the rule during the release.
    Overridden,
    /// The release can neither go on nor be rolled back: manual intervention required.
    NeedsOperator,
    /// A freeze lasts longer than an action can wait. Nothing was found against the new revision.
    Frozen,
}

/// The failure types of PutJobFailureResult that steps use, by their exact names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureType {
    /// The release failed for a reason outside its configuration.
    JobFailed,
    /// The parameters, the service or an artifact cannot work as they are.
    ConfigurationError,
    /// A role lacks a permission that the step needs.
    PermissionError,
    /// The requested image or artifact does not exist.
    RevisionUnavailable,
}

impl Failure {
    #[must_use]
    pub fn new(kind: FailureType, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            cause: None,
        }
    }

    #[must_use]
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(FailureType::ConfigurationError, message)
    }

    #[must_use]
    pub fn job(message: impl Into<String>) -> Self {
        Self::new(FailureType::JobFailed, message)
    }

    /// Another writer changed the service or the rule during the release.
    #[must_use]
    pub fn overridden(message: impl Into<String>) -> Self {
        Self {
            cause: Some(FailureCause::Overridden),
            ..Self::job(message)
        }
    }

    /// The release can neither go on nor be rolled back.
    #[must_use]
    pub fn needing_operator(message: impl Into<String>) -> Self {
        Self {
            cause: Some(FailureCause::NeedsOperator),
            ..Self::job(message)
        }
    }

    /// A freeze lasts longer than the action can wait.
    #[must_use]
    pub fn frozen(message: impl Into<String>) -> Self {
        Self {
            cause: Some(FailureCause::Frozen),
            ..Self::job(message)
        }
    }

    /// The same failure, which AWS refused to record for that reason. Its type is that of the
    /// refusal, which an operator must repair first.
    #[must_use]
    pub(crate) fn not_recorded(self, refusal: &Self) -> Self {
        Self {
            kind: refusal.kind,
            message: format!("{self}; not recorded: {refusal}"),
            ..self
        }
    }

    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.cause == Some(FailureCause::Frozen)
    }

    #[must_use]
    pub fn is_overridden(&self) -> bool {
        self.cause == Some(FailureCause::Overridden)
    }

    #[must_use]
    pub fn needs_operator(&self) -> bool {
        self.cause == Some(FailureCause::NeedsOperator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn failures_are_stored_under_their_exact_names() {
        let failures = [
            Failure::configuration("a"),
            Failure::job("b"),
            Failure {
                kind: FailureType::PermissionError,
                cause: None,
                message: "c".to_owned(),
            },
            Failure {
                kind: FailureType::RevisionUnavailable,
                cause: None,
                message: "d".to_owned(),
            },
        ];
        let stored = serde_json::to_value(&failures).expect("serializes");

        assert_eq!(
            stored,
            json!([
                {"type": "ConfigurationError", "message": "a"},
                {"type": "JobFailed", "message": "b"},
                {"type": "PermissionError", "message": "c"},
                {"type": "RevisionUnavailable", "message": "d"}
            ])
        );
        assert_eq!(
            serde_json::from_value::<Vec<Failure>>(stored).expect("parses"),
            failures
        );
        assert_eq!(StepError::from(Failure::job("b")).to_string(), "b");
        let busy = StepError::Busy("throttled; retrying".to_owned());
        assert_eq!(busy.to_string(), "throttled; retrying");
        assert_eq!(busy.cause(), "throttled");
        assert_eq!(StepError::Busy("slow".to_owned()).cause(), "slow");
        assert_eq!(StepError::Refused(Failure::job("b")).cause(), "b");
        assert_eq!(StepError::Unexpected(Failure::job("b")).cause(), "b");
    }

    #[test]
    fn a_failure_by_a_freeze_is_stored_as_one() {
        let frozen = Failure::frozen("until Monday");
        let stored = json!({"type": "JobFailed", "message": "until Monday", "cause": "frozen"});
        assert_eq!(serde_json::to_value(&frozen).expect("serializes"), stored);
        assert!(frozen.is_frozen() && !Failure::job("until Monday").is_frozen());
        assert!(Failure::overridden("web:9").is_overridden() && !frozen.is_overridden());
    }

    #[test]
    fn a_cause_lasts_unless_aws_is_busy_or_the_release_is_frozen() {
        let causes = [
            StepError::Failed(Failure::job("a")),
            StepError::Refused(Failure::job("b")),
            StepError::Unexpected(Failure::job("c")),
            StepError::Busy("d; retrying".to_owned()),
            StepError::Frozen("e".to_owned()),
        ];
        assert_eq!(
            causes.each_ref().map(StepError::lasting_cause),
            [Some("a"), Some("b"), Some("c"), None, None]
        );
        assert_eq!(causes[4].cause(), "e");
    }
}
