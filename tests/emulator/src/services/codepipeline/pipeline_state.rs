//! GetPipelineState: the stages of a pipeline, with their latest executions.

use serde_json::{Value, json};

use super::input::{self, Checks, NAME};
use super::known;
use super::responses::{add, error};
use super::state::{ActionExecution, ActionStatus, Execution, Lane, Pipeline};
use crate::{ApiError, Aws};

pub(super) fn describe(aws: &Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(given, &["name"])?;
    let mut checks = Checks::default();
    let name = checks.text(&given["name"], "name", &NAME)?;
    checks.done()?;
    let pipeline = known(aws, name)?;
    let stages: Value = pipeline
        .lanes
        .iter()
        .map(|lane| stage_state(aws, pipeline, lane))
        .collect();

    Ok(json!({
        "pipelineName": name,
        "pipelineVersion": pipeline.versions.len(),
        "stageStates": stages,
        "created": Aws::seconds(pipeline.created),
        "updated": Aws::seconds(pipeline.updated),
    }))
}

fn stage_state(aws: &Aws, pipeline: &Pipeline, lane: &Lane) -> Value {
    let waiting = |id: &String| {
        json!({
            "pipelineExecutionId": id, "status": "InProgress", "type": "STANDARD",
        })
    };
    let inbound: Vec<Value> = lane.inbound.iter().map(waiting).collect();
    let latest = lane
        .latest
        .as_ref()
        .and_then(|id| aws.codepipeline.execution(id));
    let latest_stage =
        latest.and_then(|execution| Some((execution, execution.stage(&lane.stage)?)));

    let mut output = json!({
        "stageName": lane.stage, "inboundExecutions": inbound,
        "inboundTransitionState": inbound_transition(lane),
        "actionStates": action_states(pipeline, &lane.stage, latest),
    });
    add(
        &mut output,
        vec![
            ("inboundExecution", inbound.first().cloned()),
            (
                "latestExecution",
                latest_stage.map(|(execution, stage)| {
                    json!({
                        "pipelineExecutionId": execution.id, "status": stage.status.as_str(),
                        "type": "STANDARD",
                    })
                }),
            ),
        ],
    );
    output
}

fn inbound_transition(lane: &Lane) -> Value {
    let mut transition = json!({"enabled": lane.disabled_inbound.is_none()});
    if let Some(disabled) = &lane.disabled_inbound {
        transition["disabledReason"] = json!(disabled.reason);
        transition["lastChangedAt"] = Aws::seconds(disabled.since);
    }
    transition
}

/// The declared actions of a stage, each with its newest execution in the latest execution of the
/// stage.
fn action_states(pipeline: &Pipeline, stage: &str, latest: Option<&Execution>) -> Value {
    let declared = pipeline
        .declaration
        .stages
        .iter()
        .find(|known| known.name == stage);
    declared
        .into_iter()
        .flat_map(|stage| &stage.actions)
        .map(|action| {
            let mut state = json!({ "actionName": action.name });
            let latest = latest.and_then(|execution| execution.latest_action(stage, &action.name));
            add(
                &mut state,
                vec![("latestExecution", latest.map(action_state))],
            );
            state
        })
        .collect()
}

fn action_state(action: &ActionExecution) -> Value {
    let mut state = json!({"actionExecutionId": action.id, "status": action.status.as_str(),
        "lastStatusChange": Aws::seconds(action.updated)});
    let token = action
        .token
        .clone()
        .filter(|_| action.status == ActionStatus::InProgress);
    add(
        &mut state,
        vec![
            ("summary", action.summary.clone().map(Value::from)),
            ("token", token.map(Value::from)),
            (
                "externalExecutionId",
                action.external_id.clone().map(Value::from),
            ),
            ("percentComplete", action.percent.map(Value::from)),
            ("errorDetails", error(action)),
        ],
    );
    state
}
