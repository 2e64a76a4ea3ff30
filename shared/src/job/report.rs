//! What a step reports, and the form in which a direct invocation receives it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::checks::Checks;
use super::failure::Failure;
use crate::limits::FAILURE_MESSAGE_CHARS;

/// What a step reports when it did not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobReport {
    Done {
        summary: String,
        /// Keys `[A-Za-z0-9@_-]+`; values of `[A-Za-z0-9:/._@,=-]`, because CodePipeline inserts
        /// them as raw text into JSON.
        outputs: BTreeMap<String, String>,
        external_id: Option<String>,
    },
    InProgress {
        summary: String,
        /// 0 to 99.
        percent: u8,
        external_id: Option<String>,
        /// What the next job receives; it must fit into the token.
        payload: Option<Value>,
    },
    /// A dry run: what was checked, and nothing was changed. The job fails if a check is NG.
    Checked(Checks),
}

/// The result of a job, in the form that both ways of reporting share. A token means "in progress".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobOutcome {
    Succeeded {
        report: JobReport,
        token: Option<String>,
    },
    Failed(Failure),
}

impl JobReport {
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

    /// In progress; the next job receives no payload.
    #[must_use]
    pub fn in_progress(summary: impl Into<String>, percent: u8) -> Self {
        Self::in_progress_with(summary, percent, None)
    }

    /// In progress, with a payload for the next job.
    #[must_use]
    pub fn in_progress_with(
        summary: impl Into<String>,
        percent: u8,
        payload: Option<Value>,
    ) -> Self {
        Self::InProgress {
            summary: summary.into(),
            percent,
            external_id: None,
            payload,
        }
    }

    /// The same report with a warning at the end of its summary.
    #[must_use]
    pub fn with_warning(mut self, warning: Option<String>) -> Self {
        if let Self::Done { summary, .. } | Self::InProgress { summary, .. } = &mut self
            && let Some(warning) = warning
        {
            summary.push_str("; ");
            summary.push_str(&warning);
        }
        self
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
            Self::InProgress {
                summary,
                percent,
                payload,
                ..
            } => Self::InProgress {
                summary,
                percent,
                external_id,
                payload,
            },
            checked @ Self::Checked(_) => checked,
        }
    }

    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Self::Done { summary, .. } | Self::InProgress { summary, .. } => summary.clone(),
            Self::Checked(checks) => checks.summary(),
        }
    }

    /// Why the job fails: a dry run in which a check is NG. The message is at most as long as
    /// CodePipeline accepts.
    #[must_use]
    pub fn failure(&self) -> Option<Failure> {
        let Self::Checked(checks) = self else {
            return None;
        };

        let failure = checks.failure()?;
        Some(Failure {
            message: clipped(&failure.message, FAILURE_MESSAGE_CHARS),
            ..failure
        })
    }
}

impl JobOutcome {
    /// The response to a direct invocation. To continue one that is in progress, the caller sends
    /// the token back beside the parameters.
    #[must_use]
    pub fn response(self) -> Value {
        match self {
            Self::Succeeded {
                report:
                    JobReport::Done {
                        summary,
                        outputs,
                        external_id,
                    },
                ..
            } => json!({
                "status": "done", "summary": summary, "outputVariables": outputs,
                "externalExecutionId": external_id,
            }),
            Self::Succeeded {
                report:
                    JobReport::InProgress {
                        summary,
                        percent,
                        external_id,
                        ..
                    },
                token,
            } => json!({
                "status": "in-progress", "summary": summary, "percentComplete": percent,
                "externalExecutionId": external_id, "continuationToken": token,
            }),
            Self::Succeeded {
                report: report @ JobReport::Checked(_),
                ..
            } => checked(&report),
            Self::Failed(failure) => failed(&failure),
        }
    }
}

fn failed(failure: &Failure) -> Value {
    json!({"status": "failed", "type": failure.kind, "message": failure.message})
}

/// The response of a dry run: the same members as without it, and the tree as JSON and as text.
fn checked(report: &JobReport) -> Value {
    let mut response = match report.failure() {
        Some(failure) => failed(&failure),
        None => json!({
            "status": "done", "summary": report.summary(), "outputVariables": {},
            "externalExecutionId": null,
        }),
    };
    if let JobReport::Checked(checks) = report {
        response["checks"] = checks.tree();
        response["text"] = checks.text().into();
    }
    response
}

/// A text cut to the length that CodePipeline accepts; an ellipsis marks the cut.
#[must_use]
pub(crate) fn clipped(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars {
        return text.to_owned();
    }
    text.chars().take(chars - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_to_its_limit_in_characters_and_shows_the_cut() {
        assert_eq!(clipped("", 4), "");
        assert_eq!(clipped("äöüß", 4), "äöüß");
        assert_eq!(clipped("äöüßx", 4), "äöü…");
        assert_eq!(clipped("a long text", 4), "a l…");
    }

    #[test]
    fn a_warning_is_added_to_the_summary() {
        let warned = |report: JobReport| match report.with_warning(Some("mind".to_owned())) {
            JobReport::Done { summary, .. } | JobReport::InProgress { summary, .. } => summary,
            JobReport::Checked(_) => panic!("not a dry run"),
        };
        assert_eq!(
            [
                warned(JobReport::done("done", [])),
                warned(JobReport::in_progress("going", 5))
            ],
            ["done; mind", "going; mind"]
        );

        let calm = JobReport::done("done", []);
        assert_eq!(calm.clone().with_warning(None), calm);
    }

    #[test]
    fn a_report_holds_what_it_is_made_of() {
        let done = JobReport::done("done", [("B", "2".to_owned()), ("A", "1".to_owned())]);
        let outputs = BTreeMap::from([
            ("A".to_owned(), "1".to_owned()),
            ("B".to_owned(), "2".to_owned()),
        ]);

        assert_eq!(
            done,
            JobReport::Done {
                summary: "done".to_owned(),
                outputs: outputs.clone(),
                external_id: None
            }
        );
        assert_eq!(
            done.with_external_id(Some("ecs-svc/2")),
            JobReport::Done {
                summary: "done".to_owned(),
                outputs,
                external_id: Some("ecs-svc/2".to_owned())
            }
        );

        let in_progress = |external_id: Option<&str>, payload| JobReport::InProgress {
            summary: "looking".to_owned(),
            percent: 42,
            external_id: external_id.map(ToOwned::to_owned),
            payload,
        };

        assert_eq!(
            JobReport::in_progress("looking", 42),
            in_progress(None, None)
        );

        let with = JobReport::in_progress_with("looking", 42, Some(json!(1)));
        assert_eq!(with, in_progress(None, Some(json!(1))));
        assert_eq!(
            with.clone().with_external_id(Some("ecs-svc/2")),
            in_progress(Some("ecs-svc/2"), Some(json!(1)))
        );
        assert_eq!(
            with.with_external_id(Some("ecs-svc/2"))
                .with_external_id(None),
            in_progress(None, Some(json!(1)))
        );
    }
}
