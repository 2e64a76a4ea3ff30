//! A pipeline of an S3 source and one stage of Lambda actions, moved through virtual time.

mod api;
mod builds;
mod custom;
mod ecr;
mod flow;
mod jobs;
mod notices;
mod properties;
mod protocols;
mod transitions;
mod triggers;

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::lambda::{self, Attempt, Function};

const PIPELINE: &str = "slipway-web";

pub(super) fn source() -> Value {
    json!({
        "name": "Source",
        "actions": [
            {
                "name": "Config", "namespace": "Config",
                "actionTypeId": {
                    "category": "Source", "owner": "AWS", "provider": "S3", "version": "1",
                },
                "configuration": {"S3Bucket": "config", "S3ObjectKey": "spec.zip"},
                "outputArtifacts": [{"name": "Spec"}],
            },
        ],
    })
}

pub(super) fn step(name: &str, run_order: u32, parameters: &str) -> Value {
    json!({
        "name": name, "runOrder": run_order, "namespace": name,
        "inputArtifacts": [{"name": "Spec"}],
        "actionTypeId": {
            "category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1",
        },
        "configuration": {"FunctionName": "step", "UserParameters": parameters},
    })
}

pub(super) fn approval(run_order: u32) -> Value {
    json!({
        "name": "Approve", "runOrder": run_order,
        "actionTypeId": {
            "category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1",
        },
    })
}

pub(super) fn declaration(actions: Vec<Value>) -> Value {
    json!({
        "name": PIPELINE,
        "roleArn": "arn:aws:iam::111122223333:role/slipway/pipeline",
        "pipelineType": "V2",
        "artifactStore": {"type": "S3", "location": "artifacts"},
        "variables": [{"name": "who", "defaultValue": "unknown"}],
        "stages": [source(), {"name": "Release", "actions": actions}],
    })
}

/// An account with the buckets and the function `step`.
pub(super) fn account(seed: u64) -> Aws {
    let mut aws = Aws::new(seed);
    for bucket in ["config", "artifacts"] {
        aws.s3.create_bucket(bucket, true);
    }

    aws.s3.put("config", "spec.zip", b"spec".to_vec()).unwrap();
    lambda::create_function(
        &mut aws,
        Function {
            name: "step".to_owned(),
            ..Function::default()
        },
    )
    .unwrap();
    aws
}

/// The account with a pipeline of these actions; its first execution has just started.
pub(super) fn with_pipeline(actions: Vec<Value>) -> Aws {
    let mut aws = account(3);
    call(
        &mut aws,
        "CreatePipeline",
        &json!({"pipeline": declaration(actions)}),
    )
    .unwrap();
    aws
}

pub(super) fn after(aws: &mut Aws, secs: u64) {
    aws.now += Duration::from_secs(secs).as_millis() as i64;
    aws.run_due();
}

/// Moves on until a job reaches the function, for 5 minutes at most.
pub(super) fn next_job(aws: &mut Aws) -> Attempt {
    for _ in 0..300 {
        if let Some(attempt) = aws.lambda.take_ready() {
            return attempt;
        }
        after(aws, 1);
    }
    panic!("no job within 5 minutes")
}

pub(super) fn id_of(attempt: &Attempt) -> String {
    attempt.payload["CodePipeline.job"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

pub(super) fn succeed(aws: &mut Aws, attempt: &Attempt) {
    call(
        aws,
        "PutJobSuccessResult",
        &json!({"jobId": id_of(attempt)}),
    )
    .unwrap();
}

pub(super) fn fail(aws: &mut Aws, attempt: &Attempt) {
    let details = json!({"type": "JobFailed", "message": "no"});
    call(
        aws,
        "PutJobFailureResult",
        &json!({"jobId": id_of(attempt), "failureDetails": details}),
    )
    .unwrap();
}

pub(super) fn start(aws: &mut Aws) -> String {
    let output = call(aws, "StartPipelineExecution", &json!({"name": PIPELINE})).unwrap();
    output["pipelineExecutionId"].as_str().unwrap().to_owned()
}

pub(super) fn status(aws: &Aws, id: &str) -> ExecutionStatus {
    aws.codepipeline.execution(id).unwrap().status
}

/// `kind state` of every event of an execution, in order.
pub(super) fn history(aws: &Aws, id: &str) -> Vec<String> {
    let of_execution = aws
        .events
        .events
        .iter()
        .filter(|event| event["detail"]["execution-id"] == id);
    let states = of_execution.map(|event| {
        let kind = event["detail-type"]
            .as_str()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap();
        format!("{kind} {}", event["detail"]["state"].as_str().unwrap())
    });
    states.collect()
}
