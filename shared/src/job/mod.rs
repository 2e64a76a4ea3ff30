//! The protocol between CodePipeline and a step: one job in, one report out.
//!
//! This is the only place that knows the JSON of a job, of user parameters and of continuation tokens. Reports are sent by
//! `aws::Jobs`.

mod envelope;
mod parameters;
mod token;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

pub use envelope::{Artifact, Credentials, JobEvent, PipelineJob};
pub use parameters::parse as parse_parameters;
pub use token::Token;

use crate::timestamp::Timestamp;

/// A job as its step sees it.
#[derive(Debug)]
pub struct Job<S> {
    pub spec: S,
    /// When the first job of this action began: the token carries it from job to job.
    pub since: Timestamp,
    pub now: Timestamp,
    /// What the job before handed on in its [`Report::Going`].
    pub payload: Option<Value>,
    pub artifacts: Vec<Artifact>,
    pub credentials: Option<Credentials>,
}

impl<S> Job<S> {
    /// Whether this is the first job of its action, which has no token; it may be delivered again, long after the action.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.since == self.now
    }
}

/// What a step reports when it did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    Done {
        summary: String,
        /// Keys `[A-Za-z0-9@_-]+`; values of `[A-Za-z0-9:/._@,=-]`, because CodePipeline pastes them as raw text into JSON.
        outputs: BTreeMap<String, String>,
        external_id: Option<String>,
    },
    Going {
        summary: String,
        /// 0 to 99.
        percent: u8,
        external_id: Option<String>,
        /// What the next job is given; it must fit into the token.
        payload: Option<Value>,
    },
}

/// What a step answers.
pub type StepResult = Result<Report, StepError>;

/// Why a step is not done.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum StepError {
    /// The job fails, for a reason that a person must act on.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// AWS is too busy to answer, or another invocation of the same release was faster: the job goes on.
    #[error("{0}")]
    Busy(String),
}

/// The failure of a job, as CodePipeline and the ledger keep it.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize)]
#[error("{message}")]
pub struct Failure {
    #[serde(rename = "type")]
    pub kind: FailureType,
    pub message: String,
}

/// The failure types of PutJobFailureResult that steps use, by their exact names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FailureType {
    /// The release failed for a reason outside its configuration.
    JobFailed,
    /// The parameters, the service or an artifact cannot work as they are.
    ConfigurationError,
    /// A role may not do what the step needs.
    PermissionError,
    /// The image or artifact that was asked for is not there.
    RevisionUnavailable,
}

impl Failure {
    #[must_use]
    pub fn configuration(message: impl Into<String>) -> Self {
        Self {
            kind: FailureType::ConfigurationError,
            message: message.into(),
        }
    }

    #[must_use]
    pub fn job(message: impl Into<String>) -> Self {
        Self {
            kind: FailureType::JobFailed,
            message: message.into(),
        }
    }
}

impl Report {
    /// Done, with output variables.
    #[must_use]
    pub fn done<const N: usize>(summary: impl Into<String>, outputs: [(&str, String); N]) -> Self {
        let outputs = outputs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        Self::Done {
            summary: summary.into(),
            outputs,
            external_id: None,
        }
    }

    /// Still going.
    #[must_use]
    pub fn going(summary: impl Into<String>, percent: u8) -> Self {
        Self::Going {
            summary: summary.into(),
            percent,
            external_id: None,
            payload: None,
        }
    }

    /// Still going, with something for the next job.
    #[must_use]
    pub fn going_with(summary: impl Into<String>, percent: u8, payload: Option<Value>) -> Self {
        Self::Going {
            summary: summary.into(),
            percent,
            external_id: None,
            payload,
        }
    }

    /// The same report with the id of what runs in another system, such as an ECS deployment.
    #[must_use]
    pub fn with_external_id(self, id: Option<&str>) -> Self {
        let external_id = id.map(ToOwned::to_owned);
        match self {
            Self::Done {
                summary, outputs, ..
            } => Self::Done {
                summary,
                outputs,
                external_id,
            },
            Self::Going {
                summary,
                percent,
                payload,
                ..
            } => Self::Going {
                summary,
                percent,
                external_id,
                payload,
            },
        }
    }
}

/// A text cut to what CodePipeline takes, with the cut shown.
#[must_use]
pub fn clipped(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    text.chars().take(chars - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_767_603_600 + secs).expect("in range")
    }

    #[test]
    fn only_the_job_with_which_an_action_began_is_its_first() {
        let job = |since| Job {
            spec: (),
            since,
            now: at(0),
            payload: None,
            artifacts: Vec::new(),
            credentials: None,
        };
        assert!(job(at(0)).is_first());
        assert!(!job(at(-1)).is_first());
    }

    #[test]
    fn a_text_is_cut_to_its_limit_in_characters_and_shows_the_cut() {
        assert_eq!(clipped("", 4), "");
        assert_eq!(clipped("äöüß", 4), "äöüß");
        assert_eq!(clipped("äöüßx", 4), "äöü…");
        assert_eq!(clipped("a long text", 4), "a l…");
    }

    #[test]
    fn a_report_holds_what_it_is_made_of() {
        let done = Report::done("done", [("B", "2".to_owned()), ("A", "1".to_owned())]);
        let outputs = BTreeMap::from([
            ("A".to_owned(), "1".to_owned()),
            ("B".to_owned(), "2".to_owned()),
        ]);
        assert_eq!(
            done,
            Report::Done {
                summary: "done".to_owned(),
                outputs: outputs.clone(),
                external_id: None
            }
        );
        assert_eq!(
            done.with_external_id(Some("ecs-svc/2")),
            Report::Done {
                summary: "done".to_owned(),
                outputs,
                external_id: Some("ecs-svc/2".to_owned())
            }
        );
        let going = |external_id: Option<&str>, payload| Report::Going {
            summary: "looking".to_owned(),
            percent: 42,
            external_id: external_id.map(ToOwned::to_owned),
            payload,
        };
        assert_eq!(Report::going("looking", 42), going(None, None));
        let with = Report::going_with("looking", 42, Some(json!(1)));
        assert_eq!(with, going(None, Some(json!(1))));
        assert_eq!(
            with.clone().with_external_id(Some("ecs-svc/2")),
            going(Some("ecs-svc/2"), Some(json!(1)))
        );
        assert_eq!(
            with.with_external_id(Some("ecs-svc/2"))
                .with_external_id(None),
            going(None, Some(json!(1)))
        );
    }

    #[test]
    fn failures_are_kept_under_their_exact_names() {
        let failures = [
            Failure::configuration("a"),
            Failure::job("b"),
            Failure {
                kind: FailureType::PermissionError,
                message: "c".to_owned(),
            },
            Failure {
                kind: FailureType::RevisionUnavailable,
                message: "d".to_owned(),
            },
        ];
        let kept = serde_json::to_value(&failures).expect("serializes");
        assert_eq!(
            kept,
            json!([
                {"type": "ConfigurationError", "message": "a"},
                {"type": "JobFailed", "message": "b"},
                {"type": "PermissionError", "message": "c"},
                {"type": "RevisionUnavailable", "message": "d"}
            ])
        );
        assert_eq!(
            serde_json::from_value::<Vec<Failure>>(kept).expect("parses"),
            failures
        );
        assert_eq!(StepError::from(Failure::job("b")).to_string(), "b");
        assert_eq!(
            StepError::Busy("throttled".to_owned()).to_string(),
            "throttled"
        );
    }
}
