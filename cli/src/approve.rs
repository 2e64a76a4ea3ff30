//! `slipway approve` and `slipway reject`: the answer to an approval that waits.

use clap::Args;
use serde_json::json;
use slipway::aws::Pipelines;
use slipway::observed::pipeline::{Approval, StageNow};

use crate::pipeline::{Execution, Pipeline};
use crate::{Answer, Failed, Session, find};

/// The longest summary of an answer (CodePipeline API: ApprovalResult).
const SUMMARY_CHARS: usize = 512;

/// What CodePipeline refuses of an approval that was answered meanwhile.
const ANSWERED: [&str; 2] = [
    "ApprovalAlreadyCompletedException",
    "InvalidApprovalTokenException",
];

/// Approves the release that waits for it: its next actions run.
#[derive(Debug, Args)]
pub struct Approve {
    #[command(flatten)]
    pub waiting: Waits,
}

/// Rejects the release that waits for an approval: it is closed or rolled back.
#[derive(Debug, Args)]
pub struct Reject {
    #[command(flatten)]
    pub waiting: Waits,
}

// The approval that is meant.
// Not a doc comment: that of what is flattened would take the place of the command's.
#[derive(Clone, Debug, Args)]
pub struct Waits {
    /// The service whose release is open, the pipeline, or the id of the execution.
    #[arg(value_name = "SERVICE|PIPELINE|EXECUTION")]
    pub target: String,
    /// The pipeline, of an execution that was started by hand and has not begun its release.
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
    /// The action, if several approvals wait.
    #[arg(long, value_name = "NAME")]
    pub action: Option<String>,
    /// Why, for those who look at the pipeline.
    #[arg(long, value_name = "REASON", default_value = "answered by an operator")]
    pub because: String,
}

impl Approve {
    /// # Errors
    /// If no approval waits, or several do, or a call fails.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        self.waiting.answer(session, true).await
    }
}

impl Reject {
    /// # Errors
    /// As of [`Approve::run`].
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        self.waiting.answer(session, false).await
    }
}

impl Waits {
    async fn answer(&self, session: &Session, approved: bool) -> Result<Answer, Failed> {
        let (pipeline, execution) = self.find(session).await?;
        let pipelines = Pipelines::new(&session.sdk);
        let stages = pipelines.stages(&pipeline).await?;
        let approval = self.only(approvals(&stages), execution.as_deref())?;
        let summary: String = self.because.chars().take(SUMMARY_CHARS).collect();

        let answered = pipelines
            .answer(&pipeline, &approval, approved, &summary)
            .await;
        answered.map_err(|error| Failed::refused_for(&ANSWERED, error, str::to_owned))?;
        let word = if approved { "approved" } else { "rejected" };
        let Approval {
            execution, action, ..
        } = approval;
        Ok(Answer::line(
            format!("{word} {action} of execution {execution} in {pipeline}"),
            json!({
                "pipeline": pipeline, "execution": execution, "action": action, "answer": word,
            }),
        ))
    }

    /// The pipeline, and the execution if one is meant.
    async fn find(&self, session: &Session) -> Result<(String, Option<String>), Failed> {
        if find::is_execution(&self.target) {
            let pipeline = self.pipeline.as_deref();
            let execution = Execution::find(session, &self.target, pipeline).await?;
            return Ok((execution.pipeline, Some(execution.id)));
        }
        let listing = session.ledger().leases().await?;
        let lease = find::named(&listing, &self.target).ok();
        if let Some(release) = lease.and_then(|lease| lease.release.as_ref()) {
            return Ok((release.pipeline.clone(), Some(release.execution.clone())));
        }
        let pipeline = Pipeline::find_in(session, &listing, &self.target).await?;
        Ok((pipeline.name, None))
    }

    /// The one approval that is meant.
    fn only(&self, waiting: Vec<Approval>, execution: Option<&str>) -> Result<Approval, Failed> {
        let action = self.action.as_deref();
        let mut meant = waiting.into_iter().filter(|approval| {
            execution.is_none_or(|wanted| approval.execution == wanted)
                && action.is_none_or(|wanted| approval.action == wanted)
        });
        match (meant.next(), meant.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(Failed::Refused(format!(
                "no approval of `{}` waits for an answer",
                self.target
            ))),
            (Some(one), Some(other)) => Err(Failed::Refused(format!(
                "several approvals wait; expected one, by the id of its execution or by --action: \
                 {} of {}, {} of {}",
                one.action, one.execution, other.action, other.execution
            ))),
        }
    }
}

/// The approvals that wait for an answer.
fn approvals(stages: &[StageNow]) -> Vec<Approval> {
    let mut waiting = Vec::new();
    for stage in stages {
        for action in &stage.actions {
            if let (true, Some(token), Some(execution)) =
                (action.is_running(), &action.token, &stage.execution)
            {
                waiting.push(Approval {
                    execution: execution.clone(),
                    stage: stage.name.clone(),
                    action: action.name.clone(),
                    token: token.clone(),
                });
            }
        }
    }
    waiting
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(action: Option<&str>) -> Waits {
        Waits {
            target: "slipway-web".to_owned(),
            pipeline: None,
            action: action.map(ToOwned::to_owned),
            because: String::new(),
        }
    }

    fn approval(action: &str, execution: &str) -> Approval {
        Approval {
            execution: execution.to_owned(),
            stage: "Release".to_owned(),
            action: action.to_owned(),
            token: format!("token of {action}"),
        }
    }

    #[test]
    fn one_approval_is_answered_and_never_one_of_several() {
        let both = || vec![approval("approve", "e-1"), approval("approve-prod", "e-2")];
        let of = |action, execution| waits(action).only(both(), execution);

        assert!(of(None, None).is_err());
        assert_eq!(
            of(None, Some("e-1")).expect("one"),
            approval("approve", "e-1")
        );
        let named = of(Some("approve-prod"), None).expect("one");
        assert_eq!(named, approval("approve-prod", "e-2"));
        assert!(of(Some("approve"), Some("e-2")).is_err());
        assert!(waits(None).only(Vec::new(), None).is_err());
    }
}
