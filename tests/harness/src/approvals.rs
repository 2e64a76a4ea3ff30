//! Approvals of pipelines that wait, and how an operator answers them.

use emulator::codepipeline::{self, ActionStatus};
use emulator::{ApiError, Aws, Millis};
use invariants::ledger_reader::executions;
use serde_json::json;

/// An approval that waits.
#[derive(Clone, Debug)]
pub struct Approval {
    /// Id of the action's execution.
    pub id: String,
    pub execution: String,
    /// Since when it waits.
    pub since: Millis,
    pipeline: String,
    stage: String,
    action: String,
    token: String,
}

/// The approvals of a pipeline that wait, those of the oldest execution first.
#[must_use]
pub fn waiting(aws: &Aws, pipeline: &str) -> Vec<Approval> {
    let mut waiting = Vec::new();
    for execution in executions(aws, pipeline).filter(|execution| !execution.is_over()) {
        for stage in &execution.stages {
            waiting.extend(stage.actions.iter().filter_map(|action| {
                let waits = action.status == ActionStatus::InProgress;
                Some(Approval {
                    id: action.id.clone(),
                    execution: execution.id.clone(),
                    since: action.started,
                    pipeline: pipeline.to_owned(),
                    stage: stage.name.clone(),
                    action: action.name.clone(),
                    token: action.token.clone().filter(|_| waits)?,
                })
            }));
        }
    }
    waiting
}

impl Approval {
    /// Approves or rejects it.
    ///
    /// # Errors
    /// When it does not wait any more.
    pub fn answer(&self, aws: &mut Aws, approves: bool) -> Result<(), ApiError> {
        let status = if approves { "Approved" } else { "Rejected" };
        let input = json!({
            "pipelineName": self.pipeline, "stageName": self.stage, "actionName": self.action,
            "token": self.token, "result": {"status": status, "summary": "as tested"},
        });
        codepipeline::call(aws, "PutApprovalResult", &input).map(drop)
    }
}
