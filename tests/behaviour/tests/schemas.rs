//! The JSON Schemas in infra/schemas/ are those of the Rust types, so that an editor knows what a step takes.

use std::path::Path;

use schemars::{JsonSchema, schema_for};

fn holds<S: JsonSchema>(function: &str) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../infra/schemas/{function}.json"));
    let mut schema = schema_for!(S);
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
        "infra/schemas/{function}.json is not the type's; write it: SLIPWAY_WRITE_SCHEMAS=1 cargo test -p sandbox --test schemas"
    );
}

#[test]
fn schemas_are_those_of_the_types() {
    holds::<begin_release::Spec>("begin-release");
    holds::<register_task_definition::Spec>("register-task-definition");
    holds::<update_service::Spec>("update-service");
    holds::<evaluate_canary::Spec>("evaluate-canary");
    holds::<finish_release::Spec>("finish-release");
    holds::<swap_target_groups::Spec>("swap-target-groups");
}
