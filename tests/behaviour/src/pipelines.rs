//! Pipelines of the templates, changed as an operator would.

use emulator::codepipeline;
use emulator::{ApiError, Aws};
use serde_json::{Map, Value, json};

/// Changes a pipeline with UpdatePipeline, as an operator would.
pub fn update_pipeline(
    aws: &mut Aws,
    name: &str,
    change: impl FnOnce(&mut Value),
) -> Result<Value, ApiError> {
    let mut definition =
        codepipeline::call(aws, "GetPipeline", &json!({ "name": name }))?["pipeline"].take();
    definition
        .as_object_mut()
        .expect("a pipeline is an object")
        .remove("version");
    change(&mut definition);
    codepipeline::call(aws, "UpdatePipeline", &json!({ "pipeline": definition }))
}

/// An action of the Release stage of a pipeline's definition.
pub fn action<'a>(pipeline: &'a mut Value, name: &str) -> &'a mut Value {
    let actions = pipeline["stages"][1]["actions"]
        .as_array_mut()
        .expect("actions");
    let found = actions.iter_mut().find(|action| action["name"] == name);
    found.expect("the pipeline has the action")
}

/// Changes the user parameters of an action of a pipeline's second stage.
pub fn change_parameters(
    pipeline: &mut Value,
    name: &str,
    change: impl FnOnce(&mut Map<String, Value>),
) {
    let given = &mut action(pipeline, name)["configuration"]["UserParameters"];
    let text = given.as_str().expect("parameters");
    let mut parameters: Map<String, Value> = serde_json::from_str(text).expect("an object");
    change(&mut parameters);
    *given = json!(Value::from(parameters).to_string());
}

/// Leaves a pipeline its first two steps, and gives the second further parameters. The first does
/// not look for the template's container, because the second may get images of others.
pub fn only_register(aws: &mut Aws, name: &str, more: Value) {
    let changed = update_pipeline(aws, name, |pipeline| {
        change_parameters(pipeline, "begin-release", |parameters| {
            parameters.remove("containers");
        });
        change_parameters(pipeline, "register-task-definition", |parameters| {
            parameters.extend(more.as_object().expect("an object").clone());
        });

        let actions = pipeline["stages"][1]["actions"]
            .as_array_mut()
            .expect("actions");
        actions.retain(|action| {
            ["begin-release", "register-task-definition"]
                .iter()
                .any(|name| action["name"] == *name)
        });
    });
    changed.expect("a legal pipeline");
}

/// Leaves a pipeline its first step, which only checks whether a release of the image could begin,
/// with further parameters.
pub fn only_check(aws: &mut Aws, name: &str, more: Value) {
    let changed = update_pipeline(aws, name, |pipeline| {
        change_parameters(pipeline, "begin-release", |parameters| {
            parameters.insert("dry_run".to_owned(), json!(true));
            parameters.insert("image".to_owned(), json!("#{Image.ImageURI}"));
            parameters.extend(more.as_object().expect("an object").clone());
        });

        let actions = pipeline["stages"][1]["actions"].as_array_mut();
        actions
            .expect("actions")
            .retain(|action| action["name"] == "begin-release");
    });
    changed.expect("a legal pipeline");
}
