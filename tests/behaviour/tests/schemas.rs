//! The JSON Schemas in infra/schemas/ are those of the Rust types, so that an editor knows what a
//! step takes; and the templates have the words and constants that the steps know.

use std::path::Path;

use harness::functions;
use schemars::{Schema, schema_for};
use serde_json::{Map, Value};
use slipway::job::{NoParameters, ReleaseRef};
use slipway::limits::FUNCTION_TIMEOUT;
use slipway::strategy::StrategyName;
use slipway::strategy::in_place::percentages::{Bound, Shape, StrategyRules};

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

/// The schema of an action with its own name and title, which come first.
fn named(function: &str, schema: &Schema) -> Map<String, Value> {
    let title = format!("UserParameters of {function}");
    let mut named = Map::from_iter([
        ("$schema".to_owned(), Value::Null),
        (
            "$id".to_owned(),
            format!("urn:slipway:user-parameters:{function}").into(),
        ),
    ]);
    named.extend(schema.as_object().cloned().unwrap_or_default());
    named.insert("title".to_owned(), title.into());
    named
}

fn compare(function: &str, own: Schema) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../infra/schemas/{function}.json"));
    let schema = named(function, &complete(own));

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

/// An editor refuses what the step would refuse. The bounds of percentages are tested with their
/// type.
#[test]
fn schemas_have_the_bounds_of_numbers_that_steps_check() {
    let mut found: Vec<(&str, String, Value, Value)> = functions::schemas()
        .into_iter()
        .flat_map(|(function, schema)| {
            let properties = schema.get("properties").and_then(Value::as_object);
            let properties = properties.cloned().unwrap_or_default();
            properties
                .into_iter()
                .filter(|(_, it)| it["minimum"].as_u64() > Some(0) || !it["maximum"].is_null())
                .map(move |(name, it)| {
                    (function, name, it["minimum"].clone(), it["maximum"].clone())
                })
        })
        .collect();

    let expected = [
        ("begin-release", "desired_count", 1, None),
        ("begin-release", "initial_count", 1, None),
        ("evaluate-canary", "bake_minutes", 1, None),
        ("finish-release", "soak_minutes", 0, Some(1320)),
        ("run-checks", "timeout_minutes", 1, Some(1380)),
        ("update-service", "deadline_minutes", 1, Some(1380)),
        ("update-service", "desired_count", 1, None),
        ("update-service", "drain_minutes", 0, Some(1380)),
        ("update-service", "initial_count", 1, None),
    ];
    let mut expected: Vec<(&str, String, Value, Value)> = expected
        .map(|(function, name, least, most)| (function, name.to_owned(), least.into(), most.into()))
        .to_vec();
    for list in [&mut expected, &mut found] {
        list.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    }
    assert_eq!(found, expected);
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

fn in_place() -> impl Iterator<Item = &'static StrategyRules> {
    let all = StrategyName::ALL.map(StrategyName::rules).into_iter();
    all.filter(|rules| rules.shape == Shape::Service)
}

/// Other documents refer to this table instead of listing the words.
#[test]
fn the_table_of_in_place_strategies_has_each_with_the_parameters_that_it_takes() {
    let text = template("docs/strategies/in-place.md");
    for rules in in_place() {
        let is_free = |bound: Bound| !matches!(bound, Bound::Fixed(_));
        let takes = match (is_free(rules.minimum), is_free(rules.maximum)) {
            (true, true) => "`MinimumHealthy…` and `Maximum…`",
            (true, false) => "`MinimumHealthy…`",
            (false, true) => "`Maximum…`",
            (false, false) => "nothing",
        };

        let start = format!("| `{}` | ", rules.word);
        let row = text.lines().find(|line| line.starts_with(&start));
        let last = row.and_then(|row| row.trim_end_matches(" |").rsplit(" | ").next());
        assert_eq!(last, Some(takes), "{}", rules.word);
    }
}

#[test]
fn the_template_offers_every_in_place_strategy() {
    let words: Vec<&str> = in_place().map(|rules| rules.word).collect();
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
fn the_pipeline_of_records_takes_small_steps_and_waits_for_open_connections() {
    let text = template("infra/pipelines/dns.yaml");
    let default = |name: &str| {
        let start = format!("\n  {name}:\n");
        let parameter = text.split(&start).nth(1).expect("a parameter");
        let mut lines = parameter.lines().map(str::trim);
        lines.find_map(|line| line.strip_prefix("Default: "))
    };
    assert_eq!(default("Shift"), Some("linear"));
    assert_eq!(default("StepPercent"), Some("10"));
    // `client_keep_alive.seconds` is 3,600 unless it is set.
    assert_eq!(default("DrainMinutes"), Some("60"));
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
    // A judgement always reads alarms, a swap only those that it is given.
    let without = |name: &str, reads: &str| {
        let role = role(name);
        let (before, read) = role.split_once(reads).expect("it reads alarms");
        assert!(read.contains("Sid: ReadAlarms"), "{name}");
        before.to_owned()
    };

    let canary = without("canary", "                # A judgement compares metrics");
    let composite = "                # Composite alarms are found";
    assert_eq!(canary, without("blue-green", composite));
}
