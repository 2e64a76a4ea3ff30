//! Laws of what differs between two task definitions, tried on definitions that proptest draws.

use fastrand::Rng;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use slipway::task_definition::{Difference, MemberChange, TaskDefinition};

/// How many draws each law is tried on.
const CASES: u32 = 200;

/// Tries a law on definitions, each with a seed: the same ones in every run.
#[track_caller]
fn always(law: impl Fn(Value, u64)) {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let drawn = (definition(), any::<u64>());
    let result = TestRunner::new_with_rng(config, rng).run(&drawn, |(value, seed)| {
        law(value, seed);
        Ok(())
    });

    if let Err(failure) = result {
        panic!("{failure}");
    }
}

/// A list whose items have a name in one member and a value in another.
fn list(key: &'static str, member: &'static str) -> impl Strategy<Value = Value> {
    let items = prop::collection::btree_map(0..40_u32, 0..100_u32, 0..5);
    items.prop_map(move |items| {
        let item = |(name, value)| json!({key: format!("n{name}"), member: format!("v{value}")});
        items.into_iter().map(item).collect::<Value>()
    })
}

/// Port mappings, each with or without its protocol, which are TCP and UDP on the same ports.
fn ports() -> impl Strategy<Value = Value> {
    let ports = prop::collection::btree_map((1..6_u32, any::<bool>()), any::<bool>(), 0..5);
    ports.prop_map(|ports| {
        let mapping = |((port, is_udp), is_stated): ((u32, bool), bool)| match (is_udp, is_stated) {
            (true, _) => json!({"containerPort": port, "protocol": "udp"}),
            (false, true) => json!({"containerPort": port, "protocol": "tcp"}),
            (false, false) => json!({"containerPort": port}),
        };
        ports.into_iter().map(mapping).collect::<Value>()
    })
}

fn container() -> impl Strategy<Value = Value> {
    let drawn = (
        (list("name", "value"), list("name", "valueFrom")),
        (list("containerPath", "sourceVolume"), ports()),
        0..3_u32,
    );
    drawn.prop_map(|((environment, secrets), (mounts, ports), words)| {
        json!({
            "image": "example/web:1", "environment": environment, "secrets": secrets,
            "mountPoints": mounts, "portMappings": ports,
            "ulimits": [{"name": "core", "hardLimit": 1}, {"name": "nofile", "softLimit": 2}],
            "command": (0..words).map(|word| format!("w{word}")).collect::<Vec<_>>(),
        })
    })
}

fn definition() -> impl Strategy<Value = Value> {
    let containers = prop::collection::vec(container(), 1..4);
    let drawn = (containers, list("key", "value"), list("name", "someMember"));
    drawn.prop_map(|(mut containers, tags, volumes)| {
        for (at, container) in containers.iter_mut().enumerate() {
            container["name"] = json!(format!("c{at}"));
        }
        json!({
            "family": "web", "containerDefinitions": containers, "tags": tags, "volumes": volumes,
        })
    })
}

/// The same with its members, and the items of its lists of objects, in other orders.
fn shuffled(value: &Value, rng: &mut Rng) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members
                .iter()
                .map(|(name, member)| (name.clone(), shuffled(member, rng)))
                .collect();
            rng.shuffle(&mut members);
            members.into_iter().collect()
        }
        Value::Array(items) if items.iter().all(Value::is_object) => {
            let mut items: Vec<Value> = items.iter().map(|item| shuffled(item, rng)).collect();
            rng.shuffle(&mut items);
            Value::Array(items)
        }
        other => other.clone(),
    }
}

fn between(old: &Value, new: &Value) -> Difference {
    let [old, new] = [old, new].map(|value| TaskDefinition::from_value(value.clone()));
    let old = old.expect("a task definition");
    Difference::between(&old, &new.expect("a task definition"))
}

#[test]
fn nothing_differs_between_a_definition_and_itself_in_any_order() {
    let nothing = Difference {
        changes: Vec::new(),
        more: 0,
    };
    always(|value, seed| {
        let other = shuffled(&value, &mut Rng::with_seed(seed));
        assert_eq!(between(&value, &value), nothing);
        assert_eq!(between(&value, &other), nothing);
    });
}

#[test]
fn one_change_is_found_in_any_order() {
    always(|value, seed| {
        let mut other = shuffled(&value, &mut Rng::with_seed(seed));
        other["containerDefinitions"][0]["image"] = json!("example/web:2");
        let name = other["containerDefinitions"][0]["name"].as_str();

        let change = MemberChange::Changed {
            path: format!("containers.{}.image", name.expect("a name")),
            old: "example/web:1".to_owned(),
            new: "example/web:2".to_owned(),
        };
        let found = between(&value, &other);
        assert_eq!((found.changes, found.more), (vec![change], 0));
    });
}
