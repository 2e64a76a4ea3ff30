//! A pipeline of custom actions, one of each type: `poll-jobs` takes their jobs and invokes the
//! steps, which refuse them, because no release has begun.

use emulator::{Aws, codepipeline};
use harness::demo::{CLUSTER, WEB, custom_actions};
use serde_json::{Value, json};
use slipway::job::{ACTION_TYPES, ActionType, Property};

/// A value for a property that a step needs. No strategy and no shift has this word, so that those
/// steps read no further.
fn value(property: &Property) -> String {
    match property.name.as_str() {
        "cluster" => CLUSTER.to_owned(),
        "service" => WEB.to_owned(),
        _ => "none".to_owned(),
    }
}

fn action(name: &str, of_type: &ActionType) -> Value {
    let properties = of_type.properties();
    let required = properties.iter().filter(|property| property.is_required);
    let configuration: serde_json::Map<String, Value> = required
        .map(|property| (property.name.clone(), json!(value(property))))
        .collect();

    let id = of_type.ids().last().expect("a version");
    json!({
        "name": name,
        "actionTypeId": {
            "category": id.category, "owner": "Custom", "provider": id.provider,
            "version": id.version,
        },
        "configuration": configuration,
    })
}

/// A type of a step that these functions do not have.
fn unknown() -> Value {
    let artifacts = json!({"minimumCount": 0, "maximumCount": 0});
    json!({
        "category": "Deploy", "provider": "slipway-none", "version": "1",
        "inputArtifactDetails": artifacts, "outputArtifactDetails": artifacts,
    })
}

/// Makes the types and the pipeline, which starts at once. One more action is of a type without a
/// step, so that the worker reports its job.
pub(super) fn start(aws: &mut Aws) {
    custom_actions::deploy_types(aws).expect("the stacks deploy");
    let mut actions: Vec<Value> = ACTION_TYPES
        .iter()
        .map(|of_type| action(of_type.step, of_type))
        .collect();
    codepipeline::call(aws, "CreateCustomActionType", &unknown()).expect("it is new");
    actions.push(json!({
        "name": "unknown",
        "actionTypeId": {
            "category": "Deploy", "owner": "Custom", "provider": "slipway-none", "version": "1",
        },
    }));

    let export = |name: &str| {
        let value = aws.cloudformation.export(&format!("web-pipeline-{name}"));
        value.expect("the stack exports it").to_owned()
    };
    let source = json!({
        "name": "Image", "outputArtifacts": [{"name": "Image"}],
        "actionTypeId": {
            "category": "Source", "owner": "AWS", "provider": "ECR", "version": "1",
        },
        "configuration": {"RepositoryName": WEB, "ImageTag": "1.0.0"},
    });
    let pipeline = json!({
        "name": "custom", "pipelineType": "V2", "roleArn": export("PipelineRoleArn"),
        "artifactStore": {"type": "S3", "location": export("ArtifactBucketName")},
        "stages": [
            {"name": "Source", "actions": [source]},
            {"name": "Steps", "actions": actions},
        ],
    });
    codepipeline::call(aws, "CreatePipeline", &json!({"pipeline": pipeline}))
        .expect("a legal pipeline");
}
