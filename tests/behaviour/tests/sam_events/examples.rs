//! Examples for a step that has none yet, made from what the demo sends to it.

use emulator::Aws;
use emulator::lambda::Invocation;
use harness::functions;
use invariants::ledger_reader::FUNCTIONS_STACK;
use serde_json::{Value, json};

use crate::{JOB, events, folder};

/// The three examples of a step, from a job that was sent to it. Ids and credentials are those of
/// the example `like`.
fn examples(step: &str, sent: &Value, like: &Value) -> [Value; 3] {
    const PARAMETERS: &str =
        "/CodePipeline.job/data/actionConfiguration/configuration/UserParameters";

    let parameters = |job: &Value| -> Value {
        let text = job.pointer(PARAMETERS).and_then(Value::as_str);
        serde_json::from_str(text.expect("parameters")).expect("JSON")
    };
    let mut given = parameters(sent);
    given["execution"] = parameters(like)["execution"].take();

    let mut job = sent.clone();
    for id in [
        "/CodePipeline.job/id",
        "/CodePipeline.job/data/artifactCredentials",
    ] {
        let part = job.pointer_mut(id).expect("a job has it");
        *part = like.pointer(id).expect("a job has it").clone();
    }
    *job.pointer_mut(PARAMETERS).expect("parameters") = json!(given.to_string());

    let mut with_token = job.clone();
    let token = json!({"v": 1, "step": step, "since": "2026-01-05T09:00:00Z"});
    with_token["CodePipeline.job"]["data"]["continuationToken"] = json!(token.to_string());

    // Without a job there is no pipeline whose deploy role could be used.
    given
        .as_object_mut()
        .expect("parameters")
        .remove("deploy_role");
    [job, with_token, json!({ "parameters": given })]
}

/// Writes the examples of each step that has none.
pub(crate) fn write_missing(aws: &Aws, sent: &[&Invocation]) {
    let known = events();
    let like = &known[&("FinishReleaseFunction".to_owned(), "job".to_owned())];
    let stack = aws.cloudformation.stack(FUNCTIONS_STACK);

    for resource in &stack.expect("the functions' stack").resources {
        let id = &resource.logical_id;
        let Some(function) = aws.lambda.function(&resource.physical_id) else {
            continue;
        };
        let is_step = functions::STEPS.contains(&function.code.as_str());
        let mut all = sent.iter();
        let first = all.find(|invocation| invocation.function == function.name);
        let Some(first) = first.filter(|_| is_step) else {
            continue;
        };

        for (case, example) in JOB
            .iter()
            .zip(examples(&function.code, &first.payload, like))
        {
            if !known.contains_key(&(id.clone(), (*case).to_owned())) {
                let text = serde_json::to_string_pretty(&example).expect("JSON");
                let file = folder().join(format!("{id}.{case}.json"));
                std::fs::write(file, text + "\n").expect("tests/events can be written");
            }
        }
    }
}

/// Keys and JSON types, and nothing of the values.
pub(super) fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), shape(member)))
            .collect(),
        Value::Array(items) => items
            .first()
            .map_or_else(|| json!([]), |item| json!([shape(item)])),
        Value::String(text) => match serde_json::from_str(text) {
            // UserParameters and tokens are JSON in a string.
            Ok(inner @ Value::Object(_)) => json!({"text": shape(&inner)}),
            _ => json!("text"),
        },
        Value::Number(_) => json!("number"),
        Value::Bool(_) => json!("bool"),
        Value::Null => Value::Null,
    }
}
