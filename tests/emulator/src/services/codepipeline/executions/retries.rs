//! A failed stage is tried again.

use serde_json::{Value, json};

use crate::codepipeline::declaration::Mode;
use crate::codepipeline::input::{self, Checks, ID, NAME};
use crate::codepipeline::state::{
    ActionStatus, Execution, ExecutionStatus, StageExecution, StageStatus,
};
use crate::codepipeline::{engine, known, known_execution, require_stage, state_changes};
use crate::{ApiError, Aws};

pub(crate) fn retry_stage(aws: &mut Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(
        given,
        &[
            "pipelineName",
            "stageName",
            "pipelineExecutionId",
            "retryMode",
        ],
    )?;
    let mut checks = Checks::default();
    let pipeline = checks.text(&given["pipelineName"], "pipelineName", &NAME)?;
    let stage = checks.text(&given["stageName"], "stageName", &NAME)?;
    let id = checks.text(&given["pipelineExecutionId"], "pipelineExecutionId", &ID)?;
    let all = checks.one_of(
        &given["retryMode"],
        "retryMode",
        &["FAILED_ACTIONS", "ALL_ACTIONS"],
    )? == "ALL_ACTIONS";

    checks.done()?;
    check_retryable(aws, pipeline, stage, id, all)?;
    resume(aws, id, stage);

    if all {
        let stage_execution = aws.codepipeline.execution_mut(id).stage_mut(stage);
        stage_execution.round = stage_execution.actions.len();
        engine::start_next(aws, id, stage);
    } else {
        engine::retry_failed(aws, id, stage);
    }
    Ok(json!({ "pipelineExecutionId": id }))
}

fn check_retryable(
    aws: &Aws,
    pipeline: &str,
    stage: &str,
    id: &str,
    all: bool,
) -> Result<(), ApiError> {
    let known = known(aws, pipeline)?;
    require_stage(known, stage)?;
    let execution = known_execution(aws, pipeline, id).map_err(|_| not_retryable())?;
    let lane = known.lanes.iter().find(|lane| lane.stage == stage);
    if lane.is_some_and(|lane| lane.latest.as_deref() != Some(id))
        && known.declaration.mode != Mode::Parallel
    {
        let message = "The stage has failed in a later run of the pipeline and the \
            pipelineExecutionId associated with the request is out of date.";
        return Err(ApiError::client(
            "NotLatestPipelineExecutionException",
            message,
        ));
    }
    if execution.version != known.versions.len() {
        return Err(not_retryable());
    }

    let entered = execution
        .stages
        .last()
        .filter(|last| last.name == stage)
        .ok_or_else(not_retryable)?;
    let failed = has_failed_actions(execution, entered);

    // While other actions are still in progress, only the failed ones can be retried.
    match entered.status {
        StageStatus::Failed | StageStatus::Stopped if failed => Ok(()),
        StageStatus::InProgress if failed && !all && execution.ending.is_none() => Ok(()),
        _ => Err(not_retryable()),
    }
}

fn not_retryable() -> ApiError {
    ApiError::client(
        "StageNotRetryableException",
        "Unable to retry. The pipeline structure or stage state might have changed while \
         actions awaited retry, or the stage contains no failed actions.",
    )
}

/// Whether the newest execution of any action of a stage has failed or was abandoned.
fn has_failed_actions(execution: &Execution, stage: &StageExecution) -> bool {
    let bad = |name: &str| {
        let latest = execution.latest_action(&stage.name, name);
        latest.is_some_and(|action| {
            matches!(
                action.status,
                ActionStatus::Failed | ActionStatus::Abandoned
            )
        })
    };
    stage.current().iter().any(|action| bad(&action.name))
}

fn resume(aws: &mut Aws, id: &str, stage: &str) {
    let now = aws.now;
    let execution = aws.codepipeline.execution_mut(id);
    execution.attempt += 1;
    if !execution.is_over() {
        return;
    }

    execution.status = ExecutionStatus::InProgress;
    execution.ended = None;
    execution.updated = now;
    execution.ending = None;
    execution.abandon = false;
    let resumed = execution.stage_mut(stage);
    resumed.status = StageStatus::InProgress;
    resumed.ended = None;
    engine::occupy(aws, id, stage);
    state_changes::pipeline(aws, id, "RESUMED");
    state_changes::stage(aws, id, stage, "RESUMED");
}
