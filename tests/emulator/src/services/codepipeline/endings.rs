//! How executions end: all stages done, stopped, canceled or superseded.

use super::engine::{admit, close, end_jobs, end_stage, leave};
use super::state::{
    ActionExecution, ActionStatus, Ending, ExecutionStatus, StageExecution, StageStatus,
};
use super::state_changes;
use crate::Aws;

/// Ends an execution and lets the next ones in.
pub(super) fn end(aws: &mut Aws, id: &str, status: ExecutionStatus) {
    let now = aws.now;
    let execution = aws.codepipeline.execution_mut(id);
    if execution.is_over() {
        return;
    }

    execution.status = status;
    execution.updated = now;
    execution.ended = Some(now);
    let pipeline = execution.pipeline.clone();
    let state = match status {
        ExecutionStatus::Succeeded => "SUCCEEDED",
        ExecutionStatus::Failed => "FAILED",
        ExecutionStatus::Superseded => "SUPERSEDED",
        ExecutionStatus::Cancelled => "CANCELED",
        _ => "STOPPED",
    };
    let freed = leave(aws, &pipeline, id);

    state_changes::pipeline(aws, id, state);
    for stage in freed {
        admit(aws, &pipeline, &stage);
    }
}

/// Ends an execution before its last stage: now if nothing is in progress or its actions are
/// abandoned, otherwise as soon as they are done.
pub(super) fn end_early(aws: &mut Aws, id: &str, ending: Ending, abandon: bool) {
    aws.codepipeline.execution_mut(id).ending = Some(ending);
    if abandon {
        abandon_actions(aws, id);
    }
    if !aws
        .codepipeline
        .execution_mut(id)
        .stages
        .iter()
        .any(StageExecution::is_busy)
    {
        conclude(aws, id);
    }
}

fn abandon_actions(aws: &mut Aws, id: &str) {
    let now = aws.now;
    let execution = aws.codepipeline.execution_mut(id);
    let open = |action: &&ActionExecution| action.status == ActionStatus::InProgress;
    let actions: Vec<String> = execution
        .stages
        .iter()
        .flat_map(|stage| &stage.actions)
        .filter(open)
        .map(|action| action.id.clone())
        .collect();

    for action in actions {
        close(
            aws.codepipeline.execution_mut(id),
            &action,
            ActionStatus::Abandoned,
            now,
            |_| {},
        );
        end_jobs(aws, &action);
        state_changes::action(aws, id, &action, "ABANDONED");
    }
}

pub(super) fn conclude(aws: &mut Aws, id: &str) {
    match aws.codepipeline.execution_mut(id).ending {
        Some(Ending::Cancel) => {
            end_stage(aws, id, StageStatus::Cancelled, "CANCELED");
            end(aws, id, ExecutionStatus::Cancelled);
        }
        Some(Ending::Stop) => {
            end_stage(aws, id, StageStatus::Stopped, "STOPPED");
            end(aws, id, ExecutionStatus::Stopped);
        }
        None => {}
    }
}
