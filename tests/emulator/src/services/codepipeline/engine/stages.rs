//! How a stage ends, and what follows.

use std::collections::BTreeSet;

use crate::Aws;
use crate::codepipeline::state::{ActionStatus, ExecutionStatus, StageStatus};
use crate::codepipeline::{endings, state_changes};

use super::{admit, arrive, start_next};

/// Decides how a stage goes on after one of its actions ended.
pub(super) fn continue_stage(aws: &mut Aws, id: &str, stage: &str) {
    let execution = aws.codepipeline.execution_mut(id);
    let stage_execution = execution.stage_mut(stage);
    if stage_execution.is_busy() {
        return;
    }

    let names: BTreeSet<String> = stage_execution
        .current()
        .iter()
        .map(|action| action.name.clone())
        .collect();
    let failed = |name: &String| {
        execution
            .latest_action(stage, name)
            .is_some_and(|action| action.status != ActionStatus::Succeeded)
    };

    match execution.ending {
        Some(_) => endings::conclude(aws, id),
        None if names.iter().any(failed) => {
            end_stage(aws, id, StageStatus::Failed, "FAILED");
            endings::end(aws, id, ExecutionStatus::Failed);
        }
        None => start_next(aws, id, stage),
    }
}

pub(super) fn stage_succeeded(aws: &mut Aws, id: &str, stage: &str) {
    end_stage(aws, id, StageStatus::Succeeded, "SUCCEEDED");
    let execution = aws.codepipeline.execution_mut(id);
    let stages = &execution.declaration.stages;
    let next = stages
        .iter()
        .skip_while(|known| known.name != stage)
        .nth(1)
        .map(|next| next.name.clone());
    let pipeline = execution.pipeline.clone();

    match next {
        None => endings::end(aws, id, ExecutionStatus::Succeeded),
        Some(next) => {
            leave(aws, &pipeline, id);
            arrive(aws, id, &next);
            admit(aws, &pipeline, stage);
        }
    }
}

/// Ends the stage that the execution is in, if it is in one.
pub(crate) fn end_stage(aws: &mut Aws, id: &str, status: StageStatus, state: &str) {
    let now = aws.now;
    let execution = aws.codepipeline.execution_mut(id);
    let Some(stage) = execution
        .stages
        .last_mut()
        .filter(|stage| stage.ended.is_none())
    else {
        return;
    };

    stage.status = status;
    stage.ended = Some(now);
    let name = stage.name.clone();
    state_changes::stage(aws, id, &name, state);
}

/// Gives up every lock and every place in a queue; returns the stages that this may have freed.
pub(crate) fn leave(aws: &mut Aws, pipeline: &str, id: &str) -> Vec<String> {
    let mut freed = Vec::new();
    for lane in aws
        .codepipeline
        .pipelines
        .get_mut(pipeline)
        .into_iter()
        .flat_map(|known| &mut known.lanes)
    {
        lane.inbound.retain(|waiting| waiting != id);
        if lane.occupant.as_deref() == Some(id) {
            lane.occupant = None;
            freed.push(lane.stage.clone());
        }
    }
    freed
}
