//! The results of an action's HTTP checks, and what follows from them and from its one-off task.
//!
//! The action ends with the first NG, unless its task still runs: what is undecided is then SKIP.
//! It never ends before its task does.

use serde_json::Value;
use slipway::job::{Failure, JobReport, StepError, StepResult};
use slipway::strategy::http_check::{Attempt, CheckProgress, CheckState, HttpCheck};
use slipway::strategy::one_off_task::TaskProgress;
use slipway::task_definition::TaskDefinition;

/// What separates one result from the next.
const JOINT: &str = "; ";

/// What an attempt found, without the secrets of the application's task definition.
pub(crate) fn judged(
    check: &HttpCheck,
    control: Option<&Attempt>,
    attempt: &Attempt,
    definition: &TaskDefinition,
) -> Result<String, String> {
    check.judge_with(control, attempt, |text| definition.redacted(text))
}

/// The checks of an action with what their attempts have shown.
#[derive(Debug)]
pub(crate) struct Results<'a> {
    checks: &'a [HttpCheck],
    made: Vec<CheckProgress>,
}

impl<'a> Results<'a> {
    /// The results of checks, in their order.
    pub(crate) fn new(checks: &'a [HttpCheck], made: Vec<CheckProgress>) -> Self {
        Self { checks, made }
    }

    /// What a job reports after it looked at its task, if the action has one, and made these
    /// attempts; `payload` is what it received.
    pub(crate) fn with_task(
        &self,
        looked: Option<StepResult>,
        payload: Option<&Value>,
    ) -> StepResult {
        let looked = looked.unwrap_or_else(|| Ok(JobReport::done("", [])));
        match looked {
            Ok(JobReport::Done {
                summary,
                outputs,
                external_id,
            }) => {
                if self.has(CheckState::Ng) {
                    return Err(Failure::job(self.listed("", true, &summary)).into());
                }
                let summary = self.listed(&summary, false, "");
                if self.has(CheckState::Open) {
                    let payload = self.payload(payload)?;
                    let report = JobReport::in_progress_with(summary, self.percent(), payload);
                    return Ok(report.with_external_id(external_id.as_deref()));
                }
                Ok(JobReport::Done {
                    summary,
                    outputs,
                    external_id,
                })
            }
            Ok(JobReport::InProgress {
                summary,
                percent,
                external_id,
                payload,
            }) => Ok(JobReport::InProgress {
                summary: self.listed(&summary, false, ""),
                percent,
                external_id,
                payload: self.payload(payload.as_ref())?,
            }),
            Err(StepError::Failed(failure)) => Err(StepError::Failed(Failure {
                message: self.listed(&failure.message, true, ""),
                ..failure
            })),
            // The task could not be looked at: the next job makes the attempts again.
            other => other,
        }
    }

    fn pairs(&self) -> impl Iterator<Item = (&HttpCheck, &CheckProgress)> {
        self.checks.iter().zip(&self.made)
    }

    fn has(&self, state: CheckState) -> bool {
        self.pairs().any(|(check, made)| check.state(made) == state)
    }

    /// All results in one text, the NG ones first, between two other texts, each of which may be
    /// empty.
    fn listed(&self, first: &str, is_over: bool, last: &str) -> String {
        let mut pairs: Vec<_> = self.pairs().collect();
        pairs.sort_by_key(|(check, made)| check.state(made));
        let lines = pairs.iter().map(|(check, made)| check.line(made, is_over));

        let all = std::iter::once(first.to_owned()).chain(lines);
        let all = all.chain([last.to_owned()]);
        let all: Vec<String> = all.filter(|text| !text.is_empty()).collect();
        all.join(JOINT)
    }

    /// How many of the attempts are made, from 0 to 99.
    fn percent(&self) -> u8 {
        let counts = self.pairs().map(|(check, made)| check.left(made));
        let (left, most) = counts.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let percent = 100 - 100 * left / most.max(1);
        u8::try_from(percent.min(99)).unwrap_or(99)
    }

    /// What the next job receives: the progress of the task with that of the checks.
    fn payload(&self, of_task: Option<&Value>) -> Result<Option<Value>, Failure> {
        let progress = TaskProgress {
            checks: self.made.iter().map(CheckProgress::kept).collect(),
            ..TaskProgress::read(of_task)?
        };
        Ok(progress.payload())
    }
}

#[cfg(test)]
mod tests;
