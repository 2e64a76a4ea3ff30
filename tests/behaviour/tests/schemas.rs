//! The JSON Schemas in infra/schemas/ are those of the Rust types, so that an editor knows what a
//! step takes; and the templates have the words and constants that the steps know.

use std::path::Path;

use harness::functions;
use schemars::{Schema, schema_for};
use serde_json::{Map, Value};
use slipway::job::{NoParameters, ReleaseRef};
use slipway::limits::FUNCTION_TIMEOUT;
use slipway::strategy::StrategyName;
use slipway::strategy::in_place::percentages::Shape;

/// The schema of a step's own parameters with the common ones of all actions, which come first. A
/// type without fields has no properties.
fn complete(own: Schema) -> Schema {
    let mut schema = own.clone();
    let common = schema_for!(ReleaseRef);
    let part = |schema: &Schema, key: &str| schema.get(key).cloned();

    let mut properties = Map::new();
    for part in [part(&common, "properties"), part(&own, "properties")] {
        let part = part.as_ref().and_then(Value::as_object);
        properties.extend(part.cloned().unwrap_or_default());
    }
    let mut required = Vec::new();
    for part in [part(&common, "required"), part(&own, "required")] {
        required.extend(
            part.and_then(|part| part.as_array().cloned())
                .unwrap_or_default(),
        );
    }

    schema.insert("properties".to_owned(), properties.into());
    schema.insert("required".to_owned(), required.into());
    schema
}

fn template(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(name);
    std::fs::read_to_string(path).expect("a template")
}

fn compare(function: &str, own: Schema) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../infra/schemas/{function}.json"));
    let mut schema = complete(own);
    schema.insert(
        "title".to_owned(),
        format!("UserParameters of {function}").into(),
    );

    let wanted = format!(
        "{}\n",
        serde_json::to_string_pretty(&schema).expect("a schema is JSON")
    );
    if std::env::var_os("SLIPWAY_WRITE_SCHEMAS").is_some() {
        std::fs::write(&path, &wanted).expect("infra/schemas/ can be written");
    }

    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        found, wanted,
        "infra/schemas/{function}.json differs from the type; write it: \
         SLIPWAY_WRITE_SCHEMAS=1 cargo test -p behaviour --test schemas"
    );
}

#[test]
fn schemas_are_those_of_the_types() {
    for (function, own) in functions::schemas() {
        compare(function, own);
    }
}

#[test]
fn a_step_without_parameters_of_its_own_takes_the_common_ones() {
    let schema = complete(schema_for!(NoParameters));
    let common = schema_for!(ReleaseRef);

    for key in ["properties", "required"] {
        assert_eq!(schema.get(key), common.get(key), "{key}");
    }
    assert_eq!(schema.get("additionalProperties"), Some(&false.into()));
}

#[test]
fn the_template_offers_every_in_place_strategy() {
    let words: Vec<&str> = StrategyName::ALL
        .map(StrategyName::rules)
        .into_iter()
        .filter(|rules| rules.shape == Shape::Service)
        .map(|rules| rules.word)
        .collect();
    let offered = format!("AllowedValues: [{}]", words.join(", "));

    let text = template("infra/pipelines/in-place.yaml");
    let parameter = text.split("\n  Strategy:\n").nth(1).expect("a parameter");
    let found = parameter
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("AllowedValues:"));
    assert_eq!(found, Some(offered.as_str()));
}

#[test]
fn the_functions_template_has_the_time_out_that_the_steps_know() {
    let text = template("template.yaml");
    let timeouts: Vec<&str> = text.split("\n    Timeout: ").skip(1).collect();

    assert_eq!(timeouts.len(), 1);
    assert!(timeouts[0].starts_with(&format!("{}\n", FUNCTION_TIMEOUT.as_secs())));
}

#[test]
fn the_deploy_roles_of_pairs_differ_only_in_what_a_canary_reads() {
    let role = |name: &str| {
        let text = template(&format!("infra/pipelines/{name}.yaml"));
        let (_, role) = text.split_once("\n  DeployRole:\n").expect("a deploy role");
        let (role, _) = role.split_once("\n  Pipeline:\n").expect("a pipeline");
        role.to_owned()
    };
    let canary = role("canary");
    let (before, reads) = canary
        .split_once("                # Reading metrics")
        .expect("it reads metrics");
    let (_, after) = reads.split_once("      Tags:\n").expect("it has tags");

    assert_eq!(format!("{before}      Tags:\n{after}"), role("blue-green"));
}
