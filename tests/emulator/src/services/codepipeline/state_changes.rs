//! The state change events of pipelines, stages and actions.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::state::{ActionExecution, Artifact, Execution};
use crate::{Aws, Millis, Quirk, eventbridge};

const SOURCE: &str = "aws.codepipeline";

/// What every event of an execution contains.
fn common(aws: &mut Aws, execution: &Execution, started: Millis, state: &str) -> Value {
    // The documentation's samples write these numbers both as 1 and as 1.0; consumers must
    // accept either.
    let as_float = aws.draw_quirk(Quirk::FractionalNumbers);
    let number = |value: usize| {
        if as_float {
            json!(value as f64)
        } else {
            json!(value)
        }
    };

    json!({
        "pipeline": execution.pipeline, "execution-id": execution.id,
        "start-time": timestamp(started), "state": state, "version": number(execution.version),
        "pipeline-execution-attempt": number(execution.attempt as usize),
    })
}

fn timestamp(at: Millis) -> String {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000);
    time.ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .expect("virtual time stays within the years of RFC 3339")
}

fn emit(aws: &mut Aws, kind: &str, execution: &Execution, detail: Value) {
    let arn = aws.arn("codepipeline", &execution.pipeline);
    eventbridge::emit(
        aws,
        SOURCE,
        &format!("CodePipeline {kind} Execution State Change"),
        vec![arn],
        detail,
    );
}

fn known(aws: &Aws, execution: &str) -> Execution {
    aws.codepipeline
        .execution(execution)
        .cloned()
        .expect("executions are never forgotten")
}

pub(super) fn pipeline(aws: &mut Aws, execution: &str, state: &str) {
    let execution = known(aws, execution);
    let mut detail = common(aws, &execution, execution.started, state);
    match (state, &execution.stop_reason) {
        ("STARTED", _) => {
            detail["execution-trigger"] =
                json!({"trigger-type": execution.trigger.0, "trigger-detail": execution.trigger.1});
        }
        ("STOPPING" | "STOPPED", Some(reason)) => detail["stop-execution-comments"] = json!(reason),
        _ => {}
    }
    emit(aws, "Pipeline", &execution, detail);
}

pub(super) fn stage(aws: &mut Aws, execution: &str, stage: &str, state: &str) {
    let execution = known(aws, execution);
    let started = execution
        .stage(stage)
        .map_or(aws.now, |stage| stage.started);
    let mut detail = common(aws, &execution, started, state);
    detail["stage"] = json!(stage);
    emit(aws, "Stage", &execution, detail);
}

pub(super) fn action(aws: &mut Aws, execution: &str, action: &str, state: &str) {
    let execution = known(aws, execution);
    let Some((stage, action)) = execution.action(action) else {
        return;
    };
    let Some(declared) = execution.declaration.action(&stage.name, &action.name) else {
        return;
    };

    let mut detail = common(aws, &execution, action.started, state);
    detail["stage"] = json!(stage.name);
    detail["action-execution-id"] = json!(action.id);
    detail["action"] = json!(action.name);
    detail["region"] = json!(declared.region.as_ref().unwrap_or(&aws.region));
    detail["type"] = declared.provider.id();

    if !action.input_artifacts.is_empty() {
        detail["input-artifacts"] = artifacts(&action.input_artifacts);
    }
    if state != "STARTED" {
        detail["execution-result"] = result(action);
        if !action.output_artifacts.is_empty() {
            detail["output-artifacts"] = artifacts(&action.output_artifacts);
        }
    }
    emit(aws, "Action", &execution, detail);
}

fn artifacts(artifacts: &[(String, Artifact)]) -> Value {
    let described = |(name, artifact): &(String, Artifact)| {
        json!({
            "name": name,
            "s3location": {"bucket": artifact.bucket, "key": artifact.key},
        })
    };
    artifacts.iter().map(described).collect()
}

fn result(action: &ActionExecution) -> Value {
    let mut result = json!({});
    let summary = action
        .error
        .as_ref()
        .map(|error| &error.message)
        .or(action.summary.as_ref());

    if let Some(summary) = summary {
        result["external-execution-summary"] = json!(summary);
    }
    if let Some(id) = &action.external_id {
        result["external-execution-id"] = json!(id);
    }
    if let Some(error) = &action.error {
        result["error-code"] = json!(error.code);
    }
    result
}
