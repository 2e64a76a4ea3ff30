//! Repositories and the pipelines that deliver them, made by calls as `infra/pipelines/` makes
//! them: thousands of them fit into an account, and none has a stack or a deploy role.

use std::collections::BTreeMap;

use emulator::{Aws, cloudformation, codepipeline, ecr, eventbridge};
use harness::demo::root;
use invariants::deliveries::Delivered;
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::{Value, json};

/// The bucket of the pipelines' artifacts.
const ARTIFACTS: &str = "artifacts";
/// What the tags begin with that are delivered.
pub(crate) const PREFIX: &str = "v";

/// An account with the functions from the project's own template. Without deploy roles, which need
/// a service each, the functions do these actions themselves.
///
/// # Errors
/// What the template or a service refused.
pub(crate) fn account(seed: u64, actions: &[&str]) -> Result<Aws, String> {
    let mut aws = Aws::new(seed);
    let template = root().join("template.yaml");
    cloudformation::deploy(&mut aws, FUNCTIONS_STACK, &template, &BTreeMap::new())
        .map_err(|error| error.to_string())?;
    aws.s3.create_bucket(ARTIFACTS, true);
    disable_rules(&mut aws)?;
    allow(&mut aws, actions);
    Ok(aws)
}

/// The rules of the functions' own stack: no service is updated, so nothing is to be swept or
/// rolled back.
fn disable_rules(aws: &mut Aws) -> Result<(), String> {
    let names: Vec<String> = aws.events.rules.keys().cloned().collect();
    for name in names {
        call_events(aws, "DisableRule", &json!({ "Name": name }))?;
    }
    Ok(())
}

fn allow(aws: &mut Aws, actions: &[&str]) {
    let statement = json!({"Effect": "Allow", "Resource": "*", "Action": actions});
    let document = json!({"Version": "2012-10-17", "Statement": [statement]});
    for function in aws.lambda.functions.values() {
        let role = function.role.rsplit('/').next().unwrap_or_default();
        if let Some(role) = aws.cloudformation.iam.role_mut(role) {
            role.policies.insert("starts".to_owned(), document.clone());
        }
    }
}

/// Makes a repository.
///
/// # Errors
/// What Amazon ECR refused.
pub(crate) fn make_repository(aws: &mut Aws, one: &Delivered) -> Result<(), String> {
    let name = json!({"repositoryName": one.repository});
    let created = ecr::call(aws, "CreateRepository", &name);
    created.map(drop).map_err(|error| error.to_string())
}

/// Makes the pipeline of a repository: it takes a digest, performs these actions, and then waits.
///
/// # Errors
/// What CodePipeline refused.
pub(crate) fn make_pipeline(
    aws: &mut Aws,
    one: &Delivered,
    actions: &[Value],
) -> Result<(), String> {
    let declaration = json!({ "pipeline": declaration(one, actions) });
    let created = codepipeline::call(aws, "CreatePipeline", &declaration);
    created.map(drop).map_err(|error| error.to_string())
}

/// Makes the rules between a repository and its pipeline.
///
/// # Errors
/// What EventBridge refused.
pub(crate) fn subscribe(aws: &mut Aws, one: &Delivered) -> Result<(), String> {
    let Delivered {
        pipeline,
        repository,
        ..
    } = one;
    let pattern = pattern(repository);
    let input = input_of(aws, one);
    let name = format!("slipway-{pipeline}");
    let rule = json!({
        "Name": name, "EventPattern": pattern.to_string(), "ScheduleExpression": "rate(1 hour)",
    });
    put_rule(aws, &rule, &input)?;
    if !one.is_scanned {
        return Ok(());
    }
    let scans = json!({
        "source": ["aws.ecr"], "detail-type": ["ECR Image Scan"],
        "detail": {"repository-name": [repository]},
    });
    let name = format!("slipway-scan-{pipeline}");
    let rule = json!({"Name": name, "EventPattern": scans.to_string()});
    put_rule(aws, &rule, &input)
}

/// What the function gets with an event: the subscription of the pipeline.
fn input_of(aws: &Aws, one: &Delivered) -> String {
    let subscription = json!({
        "pipeline": one.pipeline, "action": "Image", "account": aws.account, "region": aws.region,
        "repository": one.repository, "tag_pattern": format!("{PREFIX}*"),
        "image_gate": if one.is_scanned { "CRITICAL:0" } else { "" },
    });
    format!(r#"{{"subscription":{subscription},"event":<aws.events.event.json>}}"#)
}

/// Makes a rule that forwards events to `start-pipeline`.
fn put_rule(aws: &mut Aws, rule: &Value, input: &str) -> Result<(), String> {
    call_events(aws, "PutRule", rule)?;
    let function = format!("{FUNCTIONS_STACK}-StartPipelineFunctionArn");
    let function = aws.cloudformation.export(&function);
    let function = function.ok_or("the functions' stack exports no start-pipeline")?;
    let target = json!({
        "Id": "start-pipeline", "Arn": function, "InputTransformer": {"InputTemplate": input},
    });
    let targets = json!({"Rule": rule["Name"], "Targets": [target]});
    call_events(aws, "PutTargets", &targets)
}

/// The pushes that a rule forwards.
fn pattern(repository: &str) -> Value {
    json!({
        "source": ["aws.ecr"],
        "detail-type": ["ECR Image Action", "ECR Replication Action"],
        "detail": {
            "action-type": ["PUSH", "REPLICATE"], "result": ["SUCCESS"],
            "repository-name": [repository],
            "image-tag": [{"exists": true}],
        },
    })
}

fn call_events(aws: &mut Aws, operation: &str, input: &Value) -> Result<(), String> {
    let answer = eventbridge::call(aws, operation, input);
    answer.map(drop).map_err(|error| error.to_string())
}

fn declaration(one: &Delivered, actions: &[Value]) -> Value {
    let image = json!({
        "name": "Image", "namespace": "Image",
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "ECR", "version": "1"},
        "configuration": {"RepositoryName": one.repository, "ImageTag": "slipway-none"},
        "outputArtifacts": [{"name": "Image"}],
    });
    let wait = json!({
        "name": "Wait", "runOrder": 1 + actions.len(),
        "actionTypeId": {
            "category": "Approval", "owner": "AWS", "provider": "Manual", "version": "1",
        },
    });
    let release = [actions, &[wait]].concat();
    json!({
        "name": one.pipeline,
        "roleArn": "arn:aws:iam::111122223333:role/pipeline",
        "pipelineType": "V2",
        "artifactStore": {"type": "S3", "location": ARTIFACTS},
        "stages": [
            {"name": "Source", "actions": [image]},
            {"name": "Release", "actions": release},
        ],
    })
}
