//! Which differences between definitions are changes: a value at a time, over a definition without
//! defaults.

use serde_json::{Value, json};

use super::super::{TaskDefinition, equivalent};
use super::{counter, definition};

/// A definition in which no value is empty or a default, so that every value counts.
const RICH: &str = r#"{
    "family": "web",
    "taskRoleArn": "arn:aws:iam::111122223333:role/slipway/web-task",
    "executionRoleArn": "arn:aws:iam::111122223333:role/slipway/web-execution",
    "networkMode": "bridge",
    "cpu": "256",
    "memory": "512",
    "pidMode": "task",
    "ipcMode": "host",
    "requiresCompatibilities": ["EC2"],
    "enableFaultInjection": true,
    "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
    "ephemeralStorage": {"sizeInGiB": 30},
    "placementConstraints": [{"type": "memberOf", "expression": "attribute:zone == a"}],
    "volumes": [{"name": "cache", "host": {"sourcePath": "/var/cache"}}],
    "tags": [{"key": "team", "value": "web"}],
    "someFieldOf2031": {"kept": [1, 2.5, "x"]},
    "containerDefinitions": [
        {
            "name": "frontend",
            "image": "example/frontend:1",
            "cpu": 128,
            "memory": 256,
            "memoryReservation": 64,
            "essential": false,
            "command": ["serve", "--port", "5001"],
            "entryPoint": ["/bin/sh"],
            "workingDirectory": "/srv",
            "user": "1000",
            "readonlyRootFilesystem": true,
            "links": ["api"],
            "dependsOn": [{"containerName": "api", "condition": "HEALTHY"}],
            "environment": [
                {"name": "LEVEL", "value": "info"},
                {"name": "REGION", "value": "eu"}
            ],
            "environmentFiles": [{"value": "arn:aws:s3:::bucket/env", "type": "s3"}],
            "secrets": [{
                "name": "TOKEN",
                "valueFrom": "arn:aws:ssm:eu-west-1:111122223333:parameter/token"
            }],
            "portMappings": [{"containerPort": 5001, "hostPort": 80, "protocol": "udp"}],
            "mountPoints": [
                {"sourceVolume": "cache", "containerPath": "/cache", "readOnly": true}
            ],
            "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}],
            "systemControls": [{"namespace": "net.core.somaxconn", "value": "1024"}],
            "extraHosts": [{"hostname": "db", "ipAddress": "10.0.0.1"}],
            "dockerLabels": {"tier": "front"},
            "healthCheck": {"command": ["CMD", "true"], "interval": 30, "retries": 3},
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "web"}},
            "linuxParameters": {"initProcessEnabled": true},
            "repositoryCredentials": {"credentialsParameter": "arn:aws:secretsmanager:…"},
            "stopTimeout": 60
        },
        {
            "name": "api",
            "image": "example/api:1",
            "volumesFrom": [{"sourceContainer": "frontend", "readOnly": true}]
        }
    ]
}"#;

fn rich() -> Value {
    serde_json::from_str(RICH).expect("JSON")
}

/// Collects the paths of all scalars as `leaves`, and of all values inside others as `members`.
fn paths(value: &Value, at: &str, leaves: &mut Vec<String>, members: &mut Vec<String>) {
    let mut go = |inner: &Value, name: String| {
        let path = format!("{at}/{name}");
        members.push(path.clone());
        paths(inner, &path, leaves, members);
    };

    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, inner)| go(inner, name.clone())),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, inner)| go(inner, index.to_string())),
        _ => leaves.push(at.to_owned()),
    }
}

#[test]
fn a_file_is_equivalent_to_its_registration() {
    let mut described = counter();
    described["volumes"] = json!([]);
    for container in described["containerDefinitions"]
        .as_array_mut()
        .expect("containers")
    {
        container["cpu"] = json!(0);
        container["essential"] = json!(true);
        container["mountPoints"] = json!([]);
    }

    described["containerDefinitions"][0]["portMappings"][0]["protocol"] = json!("tcp");

    assert!(equivalent(
        &definition(counter()),
        &definition(described.clone())
    ));

    described["containerDefinitions"][0]["image"] = json!("other");

    assert!(!equivalent(&definition(counter()), &definition(described)));
}

#[test]
fn order_matters_only_where_it_has_a_meaning() {
    let with = |environment: Value, command: Value| {
        definition(json!({"family": "a", "containerDefinitions": [{
            "name": "a", "image": "b", "environment": environment, "command": command,
        }]}))
    };

    let one = json!({"name": "A", "value": "1"});
    let two = json!({"name": "B", "value": "2"});

    assert!(equivalent(
        &with(json!([one, two]), json!(["x", "y"])),
        &with(json!([two, one]), json!(["x", "y"]))
    ));
    assert!(!equivalent(
        &with(json!([one, two]), json!(["x", "y"])),
        &with(json!([one, two]), json!(["y", "x"]))
    ));
}

#[test]
fn changing_any_value_is_a_change() {
    let mut leaves = Vec::new();
    let mut members = Vec::new();
    paths(&rich(), "", &mut leaves, &mut members);

    assert!(leaves.len() > 60, "{} values", leaves.len());

    for path in leaves {
        let mut changed = rich();
        let leaf = changed.pointer_mut(&path).expect("a path of it");
        *leaf = match &*leaf {
            Value::String(text) => json!(format!("{text}0")),
            Value::Bool(flag) => json!(!flag),
            Value::Number(number) => json!(number.as_f64().map(|number| number + 7.0)),
            other => panic!("{other} at {path}"),
        };

        if let Some(number) = leaf.as_f64().filter(|number| number.fract() == 0.0) {
            *leaf = json!(number as u64);
        }

        assert!(
            !equivalent(&definition(changed.clone()), &definition(rich())),
            "{path} was changed unnoticed"
        );
        assert!(
            !equivalent(&definition(rich()), &definition(changed)),
            "{path} was changed back unnoticed"
        );
    }
}

#[test]
fn removing_any_member_is_a_change() {
    let mut leaves = Vec::new();
    let mut members = Vec::new();
    paths(&rich(), "", &mut leaves, &mut members);

    for path in members {
        let (parent, name) = path.rsplit_once('/').expect("a path");
        let mut changed = rich();
        match changed.pointer_mut(parent).expect("a path of it") {
            Value::Object(fields) => drop(fields.shift_remove(name)),
            Value::Array(items) => drop(items.remove(name.parse().expect("an index"))),
            other => panic!("{other} at {parent}"),
        }

        // Without a name or an image it is no longer a task definition.
        let Ok(changed) = TaskDefinition::from_value(changed) else {
            continue;
        };

        assert!(
            !equivalent(&changed, &definition(rich())),
            "{path} was removed unnoticed"
        );
        assert!(
            !equivalent(&definition(rich()), &changed),
            "{path} was added unnoticed"
        );
    }
}

#[test]
fn sizes_of_a_task_are_text_or_numbers() {
    let mut file = rich();
    file["cpu"] = json!(256);
    file["memory"] = json!(512);

    assert!(equivalent(&definition(file), &definition(rich())));
}

/// Another item for a list of `rich`: the same but for its first member.
fn another(item: &Value) -> Value {
    let mut other = item.clone();
    let member = other
        .as_object_mut()
        .and_then(|fields| fields.values_mut().next())
        .expect("a member");

    *member = if member.is_string() {
        json!("another")
    } else {
        json!(9)
    };
    other
}

#[test]
fn the_order_of_sets_is_not_a_change_and_a_further_item_is() {
    for list in [
        "environment",
        "secrets",
        "portMappings",
        "mountPoints",
        "ulimits",
        "systemControls",
        "extraHosts",
    ] {
        let mut one = rich();
        let mut two = rich();
        let first = rich()["containerDefinitions"][0][list][0].clone();
        let second = another(&first);

        one["containerDefinitions"][0][list] = json!([first, second]);
        two["containerDefinitions"][0][list] = json!([second, first]);
        assert!(
            equivalent(&definition(one.clone()), &definition(two)),
            "the order of {list}"
        );
        assert!(
            !equivalent(&definition(one), &definition(rich())),
            "one more of {list}"
        );
    }

    for list in ["tags", "volumes", "requiresCompatibilities"] {
        let mut one = rich();
        let mut two = rich();
        let item = one[list][0].clone();

        one[list] = json!([item, "x"]);
        two[list] = json!(["x", item]);
        assert!(
            equivalent(&definition(one), &definition(two)),
            "the order of {list}"
        );
    }
}

#[test]
fn defaults_are_not_changes() {
    let bare = |more: Value| {
        let mut container = json!({
            "name": "web", "image": "a",
            "portMappings": [{"containerPort": 80}], "mountPoints": [{"sourceVolume": "v"}],
        });
        for (path, value) in more.as_object().expect("an object") {
            let (parent, name) = path.rsplit_once('/').expect("a path");
            container.pointer_mut(parent).expect("a path of it")[name] = value.clone();
        }

        definition(json!({"family": "a", "containerDefinitions": [container]}))
    };

    for more in [
        json!({"/cpu": 0, "/essential": true, "/links": [], "/dockerLabels": {}, "/user": null}),
        json!({"/portMappings/0/protocol": "tcp", "/portMappings/0/hostPort": 0}),
        json!({"/mountPoints/0/readOnly": false}),
    ] {
        assert!(equivalent(&bare(json!({})), &bare(more.clone())), "{more}");
    }

    for more in [
        json!({"/cpu": 1}),
        json!({"/essential": false}),
        json!({"/portMappings/0/hostPort": 81}),
    ] {
        assert!(!equivalent(&bare(json!({})), &bare(more.clone())), "{more}");
    }
}
