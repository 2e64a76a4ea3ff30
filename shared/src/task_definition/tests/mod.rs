//! Tests of task definitions, by subject, and the definitions they share.

mod base;
mod command_secrets;
mod difference;
mod images;
mod leaves;
mod mark;
mod one_off;
mod parse;
mod properties;
mod read_members;
mod refused;
mod registration;
mod roles;
mod secrets;
mod types;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;

fn definition(value: Value) -> TaskDefinition {
    TaskDefinition::from_value(value).expect("a task definition")
}

fn counter() -> Value {
    json!({
        "family": "page-counter",
        "someFieldOf2031": {"kept": [1, 2.5, null]},
        "containerDefinitions": [
            {
                "name": "frontend", "image": "<IMAGE1_NAME>",
                "portMappings": [{"containerPort": 5001, "hostPort": 80}],
            },
            {
                "name": "api", "image": "example/api:1",
                "environment": [{"name": "TOKEN", "value": "hush"}],
            },
        ],
    })
}

fn images(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, image)| ((*key).to_owned(), (*image).to_owned()))
        .collect()
}
