//! How executions move: stages that lock, actions by runOrder, endings.

mod stages;

use std::collections::BTreeMap;
use std::time::Duration;

use super::declaration::{ActionDeclaration, Mode, Provider};
use super::state::{
    ActionExecution, ActionStatus, Artifact, ErrorDetails, Execution, ExecutionStatus, JobState,
    SourceRevision, StageExecution, StageStatus,
};
use super::{CodePipelineEvent, endings, state_changes};
use crate::{Aws, Quirk};

use stages::{continue_stage, stage_succeeded};
pub(super) use stages::{end_stage, leave};

/// A Lambda action's job may be continued for a day in all.
const LAMBDA_ACTION_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);
/// "All other actions: 1 hour". Source:
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>
pub(super) const OTHER_ACTION_LIMIT: Duration = Duration::from_secs(60 * 60);
/// How long a manual approval waits unless the action sets another time.
const APPROVAL_DEFAULT_MINUTES: u64 = 7 * 24 * 60;

/// What a finished action leaves.
#[derive(Default)]
pub(super) struct Done {
    pub outputs: BTreeMap<String, String>,
    pub artifacts: Vec<(String, Artifact)>,
}

/// Starts an execution of the pipeline's current definition; it arrives at the first stage at once.
pub(super) fn start(
    aws: &mut Aws,
    pipeline: &str,
    trigger: &str,
    source_revisions: Vec<SourceRevision>,
    variables: BTreeMap<String, String>,
) -> String {
    let (id, now) = (aws.uuid(), aws.now);
    let who = aws.iam.principal.arn(aws);
    let known = &aws.codepipeline.pipelines[pipeline];
    let first = known.declaration.stages[0].name.clone();
    let execution = Execution {
        id: id.clone(),
        pipeline: pipeline.to_owned(),
        version: known.versions.len(),
        declaration: known.declaration.clone(),
        status: ExecutionStatus::InProgress,
        status_summary: None,
        ending: None,
        abandon: false,
        stop_reason: None,
        trigger: (trigger.to_owned(), who),
        source_revisions,
        variables,
        outputs: BTreeMap::new(),
        artifacts: BTreeMap::new(),
        stages: Vec::new(),
        attempt: 1,
        started: now,
        updated: now,
        ended: None,
    };
    aws.codepipeline.executions.push(execution);
    state_changes::pipeline(aws, &id, "STARTED");
    arrive(aws, &id, &first);
    id
}

/// An execution wants to enter a stage. In SUPERSEDED mode it replaces the one that waits there.
fn arrive(aws: &mut Aws, id: &str, stage: &str) {
    let execution = aws.codepipeline.execution_mut(id);
    let (pipeline, mode) = (execution.pipeline.clone(), execution.declaration.mode);
    if mode == Mode::Parallel {
        return enter(aws, id, stage);
    }

    let pipeline_state = aws.codepipeline.pipelines.get_mut(&pipeline);
    let lane =
        pipeline_state.and_then(|known| known.lanes.iter_mut().find(|lane| lane.stage == stage));
    let Some(lane) = lane else {
        return endings::end(aws, id, ExecutionStatus::Cancelled);
    };

    let waiting = if mode == Mode::Superseded {
        std::mem::take(&mut lane.inbound)
    } else {
        Vec::new()
    };
    lane.inbound.push(id.to_owned());

    for older in waiting {
        endings::end(aws, &older, ExecutionStatus::Superseded);
    }
    admit(aws, &pipeline, stage);
}

/// Lets the first waiting execution into a stage, if the stage is free and its inbound transition
/// is enabled.
pub(super) fn admit(aws: &mut Aws, pipeline: &str, stage: &str) {
    let Some(known) = aws.codepipeline.pipelines.get_mut(pipeline) else {
        return;
    };
    let Some(index) = known.lanes.iter().position(|lane| lane.stage == stage) else {
        return;
    };

    let way_out = index == 0 || known.lanes[index - 1].disabled_outbound.is_none();
    let lane = &mut known.lanes[index];
    if !way_out
        || lane.disabled_inbound.is_some()
        || lane.occupant.is_some()
        || lane.inbound.is_empty()
    {
        return;
    }
    let id = lane.inbound.remove(0);
    enter(aws, &id, stage);
}

fn enter(aws: &mut Aws, id: &str, stage: &str) {
    let now = aws.now;
    occupy(aws, id, stage);
    let execution = aws.codepipeline.execution_mut(id);
    execution.updated = now;
    execution.stages.push(StageExecution {
        name: stage.to_owned(),
        status: StageStatus::InProgress,
        actions: Vec::new(),
        round: 0,
        started: now,
        ended: None,
    });
    state_changes::stage(aws, id, stage, "STARTED");
    start_next(aws, id, stage);
}

/// Takes a stage's lock. In PARALLEL mode only the last one to enter is remembered.
pub(super) fn occupy(aws: &mut Aws, id: &str, stage: &str) {
    let execution = aws.codepipeline.execution_mut(id);
    let (pipeline, parallel) = (
        execution.pipeline.clone(),
        execution.declaration.mode == Mode::Parallel,
    );
    let Some(known) = aws.codepipeline.pipelines.get_mut(&pipeline) else {
        return;
    };

    if let Some(lane) = known.lanes.iter_mut().find(|lane| lane.stage == stage) {
        lane.latest = Some(id.to_owned());
        lane.occupant = (!parallel).then(|| id.to_owned());
    }
}

/// Begins the actions of the lowest runOrder that is not done, or finishes the stage.
pub(super) fn start_next(aws: &mut Aws, id: &str, stage: &str) {
    let execution = aws.codepipeline.execution_mut(id);
    let declaration = execution.declaration.clone();
    let Some(declared) = declaration.stages.iter().find(|known| known.name == stage) else {
        return;
    };

    let status = |action: &ActionDeclaration| {
        execution
            .latest_action(stage, &action.name)
            .map(|latest| latest.status)
    };
    let open: Vec<&ActionDeclaration> = declared
        .actions
        .iter()
        .filter(|action| status(action) != Some(ActionStatus::Succeeded))
        .collect();
    let Some(order) = open.iter().map(|action| action.run_order).min() else {
        return stage_succeeded(aws, id, stage);
    };

    for action in open.into_iter().filter(|action| action.run_order == order) {
        begin_action(aws, id, stage, action);
    }
}

/// Runs the failed actions of a stage once more.
pub(super) fn retry_failed(aws: &mut Aws, id: &str, stage: &str) {
    let execution = aws.codepipeline.execution_mut(id);
    let declaration = execution.declaration.clone();
    let Some(declared) = declaration.stages.iter().find(|known| known.name == stage) else {
        return;
    };

    let unfinished = |action: &&ActionDeclaration| {
        let latest = execution.latest_action(stage, &action.name);
        latest.is_some_and(|latest| {
            matches!(
                latest.status,
                ActionStatus::Failed | ActionStatus::Abandoned
            )
        })
    };
    let failed: Vec<&ActionDeclaration> = declared.actions.iter().filter(unfinished).collect();

    for action in &failed {
        begin_action(aws, id, stage, action);
    }
    if failed.is_empty() {
        start_next(aws, id, stage);
    }
}

/// How long an action may take.
fn limit_of(aws: &mut Aws, action: &ActionDeclaration) -> Option<Duration> {
    match &action.provider {
        Provider::Lambda => Some(LAMBDA_ACTION_LIMIT),
        // Otherwise each of its jobs has the hour.
        Provider::Custom(_) => {
            let is_for_jobs = aws.draw_quirk(Quirk::LimitsJobsOfCustomActions);
            (!is_for_jobs).then_some(OTHER_ACTION_LIMIT)
        }
        Provider::Manual => Some(Duration::from_secs(
            60 * action.timeout_minutes.unwrap_or(APPROVAL_DEFAULT_MINUTES),
        )),
        Provider::Ecr | Provider::S3 | Provider::Connection => None,
        // A build ends by itself long before the time that CodeBuild gives it.
        Provider::Build | Provider::Test => None,
    }
}

fn begin_action(aws: &mut Aws, id: &str, stage: &str, action: &ActionDeclaration) {
    let (action_id, now) = (aws.uuid(), aws.now);
    let execution = aws.codepipeline.execution_mut(id);
    execution.updated = now;
    let artifact = |name: &String| Some((name.clone(), execution.artifacts.get(name)?.clone()));
    let input_artifacts = action.input_artifacts.iter().filter_map(artifact).collect();
    execution.stage_mut(stage).actions.push(ActionExecution {
        id: action_id.clone(),
        name: action.name.clone(),
        status: ActionStatus::InProgress,
        summary: None,
        percent: None,
        external_id: None,
        error: None,
        token: None,
        resolved: action.configuration.clone(),
        outputs: BTreeMap::new(),
        input_artifacts,
        output_artifacts: Vec::new(),
        started: now,
        updated: now,
        ended: None,
    });
    state_changes::action(aws, id, &action_id, "STARTED");

    let limit = limit_of(aws, action);
    let (execution, action) = (id.to_owned(), action_id);

    if let Some(limit) = limit {
        let due = CodePipelineEvent::ActionLimit {
            execution: execution.clone(),
            action: action.clone(),
        };
        aws.schedule(limit, due);
    }

    let latency = Duration::from_millis(aws.rng.u64(100..=1500));
    aws.schedule(latency, CodePipelineEvent::Act { execution, action });
}

/// An action ended by itself; one that was abandoned before stays so.
pub(super) fn finish_action(
    aws: &mut Aws,
    id: &str,
    action_id: &str,
    ended: Result<Done, ErrorDetails>,
) {
    let now = aws.now;
    let execution = aws.codepipeline.execution_mut(id);
    let declaration = execution.declaration.clone();
    let Some((stage, action)) = execution.action(action_id) else {
        return;
    };
    if action.status != ActionStatus::InProgress {
        return;
    }

    let (stage, name) = (stage.name.clone(), action.name.clone());
    let state = match ended {
        Ok(done) => {
            if let Some(namespace) = declaration
                .action(&stage, &name)
                .and_then(|action| action.namespace.clone())
            {
                execution.outputs.insert(namespace, done.outputs.clone());
            }

            execution.artifacts.extend(done.artifacts.iter().cloned());
            close(
                execution,
                action_id,
                ActionStatus::Succeeded,
                now,
                |action| {
                    action.outputs = done.outputs;
                    action.output_artifacts = done.artifacts;
                },
            );
            "SUCCEEDED"
        }
        Err(error) => {
            close(execution, action_id, ActionStatus::Failed, now, |action| {
                action.error = Some(error)
            });
            "FAILED"
        }
    };
    end_jobs(aws, action_id);
    state_changes::action(aws, id, action_id, state);
    continue_stage(aws, id, &stage);
}

pub(super) fn close(
    execution: &mut Execution,
    action_id: &str,
    status: ActionStatus,
    now: i64,
    more: impl FnOnce(&mut ActionExecution),
) {
    execution.updated = now;
    if let Some(action) = execution.action_mut(action_id) {
        action.status = status;
        action.updated = now;
        action.ended = Some(now);
        more(action);
    }
}

/// A job that is still open when its action ends (time-out, abandonment) can no longer get a
/// result.
pub(super) fn end_jobs(aws: &mut Aws, action_id: &str) {
    let now = aws.now;
    let open = |job: &&mut super::Job| job.action_execution == action_id && job.is_open();
    for job in aws.codepipeline.jobs.iter_mut().filter(open) {
        job.state = JobState::Abandoned;
        job.ended = Some(now);
    }
}
