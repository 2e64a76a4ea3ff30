//! Descriptions of executions of pipelines, stages and actions.

use serde_json::{Value, json};

use super::input::{self, Checks, ID, NAME};
use super::state::{
    ActionExecution, ActionStatus, Artifact, Execution, ExecutionStatus, StageStatus,
};
use super::{known, known_execution};
use crate::{ApiError, Aws};

impl ExecutionStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Superseded => "Superseded",
            Self::Cancelled => "Cancelled",
        }
    }
}

impl StageStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }
}

impl ActionStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Abandoned => "Abandoned",
        }
    }
}

/// Members that are only there when they have a value.
pub(super) fn add(object: &mut Value, members: Vec<(&str, Option<Value>)>) {
    for (member, value) in members {
        if let Some(value) = value {
            object[member] = value;
        }
    }
}

fn trigger(execution: &Execution) -> Value {
    json!({"triggerType": execution.trigger.0, "triggerDetail": execution.trigger.1})
}

pub(super) fn pipeline_execution(aws: &Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(given, &["pipelineName", "pipelineExecutionId"])?;
    let mut checks = Checks::default();
    let name = checks.text(&given["pipelineName"], "pipelineName", &NAME)?;
    let id = checks.text(&given["pipelineExecutionId"], "pipelineExecutionId", &ID)?;
    checks.done()?;
    known(aws, name)?;

    let execution = known_execution(aws, name, id)?;
    let variable = |(name, value)| json!({"name": name, "resolvedValue": value});
    let revision = |(name, artifact): (&String, &Artifact)| {
        artifact
            .revision
            .as_ref()
            .map(|revision| json!({"name": name, "revisionId": revision}))
    };
    let mut output = json!({
        "pipelineName": name, "pipelineVersion": execution.version, "pipelineExecutionId": id,
        "status": execution.status.as_str(),
        "artifactRevisions": execution.artifacts.iter().filter_map(revision).collect::<Value>(),
        "variables": execution.variables.iter().map(variable).collect::<Value>(),
        "trigger": trigger(execution),
        "executionMode": execution.declaration.mode.as_str(),
        "executionType": "STANDARD",
    });
    add(
        &mut output,
        vec![(
            "statusSummary",
            execution.status_summary.clone().map(Value::from),
        )],
    );

    Ok(json!({ "pipelineExecution": output }))
}

pub(super) fn pipeline_executions(aws: &Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(
        given,
        &["pipelineName", "maxResults", "filter", "nextToken"],
    )?;
    let mut checks = Checks::default();
    let name = checks.text(&given["pipelineName"], "pipelineName", &NAME)?;
    let succeeded_in = &given["filter"]["succeededInStage"]["stageName"];
    let succeeded_in = checks.optional(succeeded_in, "filter.succeededInStage.stageName", &NAME)?;

    checks.done()?;
    known(aws, name)?;
    let wanted = |execution: &&Execution| {
        let succeeded = |stage| {
            execution
                .stage(stage)
                .is_some_and(|stage| stage.status == StageStatus::Succeeded)
        };
        execution.pipeline == name && succeeded_in.is_none_or(succeeded)
    };
    let newest_first = aws
        .codepipeline
        .executions
        .iter()
        .rev()
        .filter(wanted)
        .map(summary)
        .collect();
    input::page(aws, given, "pipelineExecutionSummaries", newest_first, 100)
}

fn summary(execution: &Execution) -> Value {
    let source = execution
        .stages
        .first()
        .map(super::StageExecution::current)
        .unwrap_or_default();
    let revision = |action: &ActionExecution| {
        let revision = action.output_artifacts.first()?.1.revision.clone()?;
        Some(json!({"actionName": action.name, "revisionId": revision}))
    };
    let mut output = json!({
        "pipelineExecutionId": execution.id, "status": execution.status.as_str(),
        "startTime": Aws::seconds(execution.started),
        "lastUpdateTime": Aws::seconds(execution.updated),
        "sourceRevisions": source.iter().filter_map(revision).collect::<Value>(),
        "trigger": trigger(execution),
        "executionMode": execution.declaration.mode.as_str(),
        "executionType": "STANDARD",
    });
    add(
        &mut output,
        vec![(
            "stopTrigger",
            execution
                .stop_reason
                .as_ref()
                .map(|reason| json!({ "reason": reason })),
        )],
    );
    output
}

pub(super) fn action_executions(aws: &Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(
        given,
        &["pipelineName", "filter", "maxResults", "nextToken"],
    )?;
    let mut checks = Checks::default();
    let name = checks.text(&given["pipelineName"], "pipelineName", &NAME)?;
    let id = filtered_execution(&mut checks, &given["filter"])?;
    checks.done()?;
    known(aws, name)?;

    if let Some(id) = id {
        known_execution(aws, name, id)?;
    }

    let wanted = |execution: &&Execution| {
        execution.pipeline == name && id.is_none_or(|id| execution.id == id)
    };
    let mut details: Vec<(i64, Value)> = Vec::new();
    for execution in aws.codepipeline.executions.iter().filter(wanted) {
        for stage in &execution.stages {
            let described = |action: &ActionExecution| {
                (action.started, detail(aws, execution, &stage.name, action))
            };
            details.extend(stage.actions.iter().map(described));
        }
    }

    details.sort_by_key(|(started, _)| *started);
    input::page(
        aws,
        given,
        "actionExecutionDetails",
        details
            .into_iter()
            .rev()
            .map(|(_, detail)| detail)
            .collect(),
        100,
    )
}

/// The id of the execution that a filter names.
fn filtered_execution<'a>(
    checks: &mut Checks,
    filter: &'a Value,
) -> Result<Option<&'a str>, ApiError> {
    if !filter.is_null() {
        input::only(
            filter,
            &["pipelineExecutionId", "latestInPipelineExecution"],
        )?;
    }

    let direct = checks.optional(
        &filter["pipelineExecutionId"],
        "filter.pipelineExecutionId",
        &ID,
    )?;
    let latest = checks.optional(
        &filter["latestInPipelineExecution"]["pipelineExecutionId"],
        "filter.latestInPipelineExecution.pipelineExecutionId",
        &ID,
    )?;
    Ok(direct.or(latest))
}

fn detail(aws: &Aws, execution: &Execution, stage: &str, action: &ActionExecution) -> Value {
    let mut output = json!({"pipelineExecutionId": execution.id, "actionExecutionId": action.id,
        "pipelineVersion": execution.version, "stageName": stage, "actionName": action.name,
        "startTime": Aws::seconds(action.started), "lastUpdateTime": Aws::seconds(action.updated),
        "status": action.status.as_str()});
    let artifacts = |artifacts: &[(String, Artifact)]| -> Value {
        let described = |(name, artifact): &(String, Artifact)| {
            json!({
                "name": name,
                "s3location": {"bucket": artifact.bucket, "key": artifact.key},
            })
        };
        artifacts.iter().map(described).collect()
    };

    if let Some(declared) = execution.declaration.action(stage, &action.name) {
        output["input"] = json!({
            "actionTypeId": declared.provider.id(),
            "configuration": declared.configuration, "resolvedConfiguration": action.resolved,
            "region": declared.region.as_ref().unwrap_or(&aws.region),
            "inputArtifacts": artifacts(&action.input_artifacts)});
        add(
            &mut output["input"],
            vec![("namespace", declared.namespace.clone().map(Value::from))],
        );
    }

    let mut result = json!({});
    add(
        &mut result,
        vec![
            (
                "externalExecutionId",
                action.external_id.clone().map(Value::from),
            ),
            (
                "externalExecutionSummary",
                action.summary.clone().map(Value::from),
            ),
            ("errorDetails", error(action)),
        ],
    );
    output["output"] = json!({
        "outputArtifacts": artifacts(&action.output_artifacts),
        "executionResult": result, "outputVariables": action.outputs,
    });
    output
}

pub(super) fn error(action: &ActionExecution) -> Option<Value> {
    action
        .error
        .as_ref()
        .map(|error| json!({"code": error.code, "message": error.message}))
}
