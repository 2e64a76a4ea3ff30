//! Marks: given to a revision, read back, never copied; and which definitions a fingerprint
//! distinguishes.

use super::*;

fn mark() -> Mark {
    Mark {
        execution: "e-1".to_owned(),
        sent: "0f".repeat(32),
    }
}

fn tagged(count: usize) -> TaskDefinition {
    let mut value = counter();
    value["tags"] = (0..count)
        .map(|number| json!({"key": format!("tag{number}"), "value": "x"}))
        .collect();
    definition(value)
}

#[test]
fn a_mark_is_read_back_from_the_tags_and_replaced_not_added() {
    let marked = tagged(2).marked(&mark()).expect("room");
    let described = definition(serde_json::from_str(&marked.text()).expect("JSON"));

    assert_eq!(described.mark(), Some(mark()));
    assert_eq!(described.clone().unmarked(), tagged(2));
    assert_eq!(tagged(2).mark(), None);

    let again = Mark {
        execution: "e-2".to_owned(),
        ..mark()
    };
    let remarked = described.marked(&again).expect("room");

    assert_eq!(remarked.mark(), Some(again.clone()));
    assert_eq!(remarked, tagged(2).marked(&again).expect("room"));
}

#[test]
fn a_definition_without_tags_has_none_when_its_mark_is_removed() {
    let bare = definition(counter());
    let marked = bare.clone().marked(&mark()).expect("room");

    assert_eq!(marked.unmarked().text(), bare.text());
}

#[test]
fn a_mark_needs_room_for_two_tags() {
    let full = tagged(48).marked(&mark()).expect("room");
    assert_eq!(full.check_tags(), Ok(()), "its own tags are replaced");

    let why = tagged(49).marked(&mark()).expect_err("no room");

    assert_eq!(
        why,
        "`tags` has 49 items; expected at most 48, because each revision also gets \
         `slipway:execution` and `slipway:sent`"
    );
}

#[test]
fn a_fingerprint_differs_by_definition_and_not_by_the_order_of_members() {
    let text = r#"{"containerDefinitions":[{"image":"i:1","name":"a"}],"family":"f"}"#;
    let sorted = definition(serde_json::from_str(text).expect("JSON"));
    let other = json!({"family": "f", "containerDefinitions": [{"name": "a", "image": "i:1"}]});

    assert_eq!(sorted.fingerprint().len(), 64);
    assert_eq!(
        sorted.fingerprint(),
        definition(other.clone()).fingerprint()
    );

    let mut dynamic = other.clone();
    dynamic["containerDefinitions"][0]["portMappings"] =
        json!([{"containerPort": 8080, "hostPort": 0}]);
    let mut fixed = dynamic.clone();
    fixed["containerDefinitions"][0]["portMappings"][0]["hostPort"] = json!(8080);
    let mut twice = other.clone();
    twice["containerDefinitions"][0]["environment"] =
        json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]);
    let mut swapped = twice.clone();
    swapped["containerDefinitions"][0]["environment"] =
        json!([{"name": "A", "value": "2"}, {"name": "A", "value": "1"}]);

    let all = [other, dynamic, fixed, twice, swapped];
    let fingerprints: std::collections::BTreeSet<_> = all
        .iter()
        .map(|value| definition(value.clone()).fingerprint())
        .collect();

    assert_eq!(fingerprints.len(), all.len());
}

/// A definition with leaves of each kind and at each depth.
fn with_leaves() -> Value {
    json!({
        "family": "web",
        "cpu": "256",
        "memory": "512",
        "networkMode": "awsvpc",
        "taskRoleArn": "arn:aws:iam::111122223333:role/task",
        "executionRoleArn": "arn:aws:iam::111122223333:role/execution",
        "volumes": [{"name": "data", "host": {"sourcePath": "/srv"}}],
        "tags": [{"key": "team", "value": "shop"}],
        "containerDefinitions": [{
            "name": "web",
            "image": "web:1",
            "cpu": 128,
            "essential": true,
            "command": ["serve", "8080"],
            "environment": [{"name": "LEVEL", "value": "info"}],
            "secrets": [{"name": "TOKEN", "valueFrom": "/web/token"}],
            "portMappings": [{"containerPort": 8080}],
        }],
    })
}

#[test]
fn a_change_of_any_single_leaf_changes_the_fingerprint() {
    let base = with_leaves();
    let of_container = [
        ("name", json!("web2")),
        ("image", json!("web:2")),
        ("cpu", json!(129)),
        ("essential", json!(false)),
        ("command/0", json!("Serve")),
        ("command/1", json!(8080)),
        ("environment/0/name", json!("LEVEL_2")),
        ("environment/0/value", json!("debug")),
        ("secrets/0/name", json!("TOKEN_2")),
        ("secrets/0/valueFrom", json!("/web/token2")),
        ("portMappings/0/containerPort", json!(8081)),
    ];
    let of_task = [
        ("family", json!("web2")),
        ("cpu", json!("512")),
        ("memory", json!("1024")),
        ("networkMode", json!("bridge")),
        ("taskRoleArn", json!("arn:aws:iam::111122223333:role/task2")),
        (
            "executionRoleArn",
            json!("arn:aws:iam::111122223333:role/task"),
        ),
        ("volumes/0/name", json!("data2")),
        ("volumes/0/host/sourcePath", json!("/srv2")),
        ("tags/0/key", json!("Team")),
        ("tags/0/value", json!("shop2")),
    ];
    let of_container =
        of_container.map(|(leaf, value)| (format!("/containerDefinitions/0/{leaf}"), value));
    let of_task = of_task.map(|(leaf, value)| (format!("/{leaf}"), value));

    let mut known = std::collections::BTreeSet::from([definition(base.clone()).fingerprint()]);
    for (leaf, value) in of_container.into_iter().chain(of_task) {
        let mut changed = base.clone();
        *changed.pointer_mut(&leaf).expect("a leaf") = value;
        assert!(
            known.insert(definition(changed).fingerprint()),
            "a change of {leaf} is not seen"
        );
    }
}
