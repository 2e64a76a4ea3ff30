//! What differs between two definitions, by the kind of its place, and how it is shown.

use serde_json::{Value, json};

use super::super::{Difference, MemberChange};
use super::definition;
use crate::limits::{CHANGE_CHARS, LISTED_CHANGES};

/// A definition of one container with these members, and with these of its own.
pub(super) fn of(container: &Value, own: &Value) -> Value {
    let mut web = json!({"name": "web", "image": "web:1"});
    let members = web.as_object_mut().expect("an object");
    members.extend(container.as_object().expect("an object").clone());

    let mut value = json!({"family": "web", "containerDefinitions": [web]});
    let members = value.as_object_mut().expect("an object");
    members.extend(own.as_object().expect("an object").clone());
    value
}

fn between(old: &Value, new: &Value) -> Difference {
    Difference::between(&definition(old.clone()), &definition(new.clone()))
}

pub(super) fn lines(old: &Value, new: &Value) -> Vec<String> {
    let found = between(old, new);
    assert_eq!(found.more, 0);
    found.changes.iter().map(ToString::to_string).collect()
}

/// The changes from a container with some members to one with others, without what comes before
/// the members' own paths.
fn of_container(old: &Value, new: &Value) -> Vec<String> {
    let none = json!({});
    let lines = lines(&of(old, &none), &of(new, &none));
    let short = |line: String| line.replace(" containers.web.", " ");
    lines.into_iter().map(short).collect()
}

fn of_task(old: &Value, new: &Value) -> Vec<String> {
    let none = json!({});
    lines(&of(&none, old), &of(&none, new))
}

#[test]
fn a_member_of_a_container_is_added_removed_or_changed_under_its_path() {
    for (old, new, expected) in [
        (
            json!({}),
            json!({"image": "web:2"}),
            "changed image: web:1 -> web:2",
        ),
        (json!({}), json!({"memory": 64}), "added memory: 64"),
        (json!({"memory": 64}), json!({}), "removed memory: 64"),
        (
            json!({"essential": true}),
            json!({"essential": false}),
            "changed essential: true -> false",
        ),
        (json!({}), json!({"cpu": 10}), "added cpu: 10"),
        (
            json!({"command": ["a"]}),
            json!({"command": ["a", "b"]}),
            r#"changed command: ["a"] -> ["a","b"]"#,
        ),
        (json!({}), json!({"entryPoint": []}), "added entryPoint: []"),
        (
            json!({"command": ["a", "b"]}),
            json!({"command": ["b", "a"]}),
            r#"changed command: ["a","b"] -> ["b","a"]"#,
        ),
        (
            json!({}),
            json!({"dockerLabels": {"a.b": "c"}}),
            "added dockerLabels.a.b: c",
        ),
        (
            json!({"healthCheck": {"command": ["CMD", "true"]}}),
            json!({"healthCheck": {"command": ["CMD", "true"], "retries": 5}}),
            "added healthCheck.retries: 5",
        ),
    ] {
        assert_eq!(of_container(&old, &new), [expected]);
    }
}

#[test]
fn an_item_of_a_list_without_an_order_is_listed_under_its_name() {
    let ports = |mappings: Value| json!({"portMappings": mappings});
    let mounts = |mounts: Value| json!({"mountPoints": mounts});
    for (old, new, expected) in [
        (
            json!({"ulimits": [{"name": "core", "hardLimit": 1}]}),
            json!({"ulimits": [{"name": "core", "hardLimit": 2}]}),
            "changed ulimits.core.hardLimit: 1 -> 2",
        ),
        (
            ports(json!([])),
            ports(json!([{"containerPort": 80}])),
            "added portMappings.80/tcp.hostPort: 0",
        ),
        (
            ports(json!([{"containerPort": 80, "hostPort": 8080}])),
            ports(json!([{"containerPort": 80}])),
            "changed portMappings.80/tcp.hostPort: 8080 -> 0",
        ),
        (
            ports(json!([{"containerPort": 53, "hostPort": 1, "protocol": "udp"}])),
            ports(json!([{"containerPort": 53, "hostPort": 2, "protocol": "udp"}])),
            "changed portMappings.53/udp.hostPort: 1 -> 2",
        ),
        (
            ports(json!([{"containerPort": 80, "hostPort": 1}])),
            ports(json!([
                {"containerPort": 80, "hostPort": 1}, {"containerPort": 80, "hostPort": 2},
            ])),
            "added portMappings.80/tcp#2.hostPort: 2",
        ),
        (
            mounts(json!([{"containerPath": "/a", "sourceVolume": "a"}])),
            mounts(json!([{"containerPath": "/a", "sourceVolume": "a", "readOnly": true}])),
            "added mountPoints./a.readOnly: true",
        ),
    ] {
        assert_eq!(of_container(&old, &new), [expected]);
    }
}

#[test]
fn a_variable_is_listed_without_its_value_and_a_file_of_variables_by_its_place() {
    for (old, new, expected) in [
        (
            json!({"environmentFiles": [{"type": "s3", "value": "a"}]}),
            json!({"environmentFiles": [{"type": "s3", "value": "b"}]}),
            "changed environmentFiles.0.value: a -> b",
        ),
        (
            json!({"environment": [{"name": "A", "value": "1"}]}),
            json!({"environment": [{"name": "A", "value": "2"}]}),
            "changed environment.A: *** -> ***",
        ),
        (
            json!({}),
            json!({"environment": [{"name": "A"}]}),
            "added environment.A: ***",
        ),
    ] {
        assert_eq!(of_container(&old, &new), [expected]);
    }
}

#[test]
fn a_member_of_the_task_is_added_removed_or_changed_under_its_path() {
    for (old, new, expected) in [
        (json!({}), json!({"cpu": "256"}), "added cpu: 256"),
        (
            json!({"cpu": "256"}),
            json!({"cpu": "1 vCPU"}),
            "changed cpu: 256 -> 1024",
        ),
        (
            json!({}),
            json!({"family": "shop"}),
            "changed family: web -> shop",
        ),
        (
            json!({}),
            json!({"volumes": [{"name": "data"}]}),
            "added volumes.data: {}",
        ),
        (
            json!({"volumes": [{"name": "data"}]}),
            json!({"volumes": [{"name": "data", "host": {"sourcePath": "/a"}}]}),
            "added volumes.data.host.sourcePath: /a",
        ),
        (
            json!({"tags": [{"key": "team", "value": "web"}]}),
            json!({"tags": [{"key": "team", "value": "shop"}]}),
            "changed tags.team: web -> shop",
        ),
        (
            json!({"requiresCompatibilities": ["EC2"]}),
            json!({"requiresCompatibilities": ["FARGATE", "EC2"]}),
            r#"changed requiresCompatibilities: ["EC2"] -> ["EC2","FARGATE"]"#,
        ),
        (
            json!({"fieldOf2031": {"kept": [1, {"a": 1}]}}),
            json!({"fieldOf2031": {"kept": [2, {"a": 1}]}}),
            r#"changed fieldOf2031.kept: [1,{"a":1}] -> [2,{"a":1}]"#,
        ),
        (
            json!({}),
            json!({"fieldOf2031": {}}),
            "added fieldOf2031: {}",
        ),
    ] {
        assert_eq!(of_task(&old, &new), [expected]);
    }
}

#[test]
fn a_container_that_is_added_is_listed_by_its_members() {
    let none = json!({});
    let one = of(&none, &none);
    let mut two = one.clone();
    let containers = two["containerDefinitions"].as_array_mut().expect("a list");
    let log = json!({"name": "log", "image": "log:1", "essential": true, "memory": 64});
    containers.insert(0, log);

    let added = [
        "added containers.log.image: log:1",
        "added containers.log.memory: 64",
    ];
    assert_eq!(lines(&one, &two), added);
    let removed = added.map(|line| line.replace("added", "removed"));
    assert_eq!(lines(&two, &one), removed);
}

#[test]
fn of_a_secret_only_what_its_arn_names_is_shown() {
    let secret = |region: &str, name: &str| {
        let arn = format!("arn:aws:secretsmanager:{region}:111122223333:secret:{name}");
        json!({"secrets": [{"name": "DB_PASSWORD", "valueFrom": arn}]})
    };
    let found = |old: &Value, new: &Value| of_container(old, new).concat();
    let none = json!({});
    let old = secret("eu-west-1", "db-1a2B3c:key::");

    assert_eq!(
        found(&old, &secret("eu-west-1", "db-4d5E6f")),
        "changed secrets.DB_PASSWORD: secret:db-1a2B3c:key:: -> secret:db-4d5E6f"
    );
    assert_eq!(
        found(&secret("eu-west-1", "db"), &secret("eu-west-2", "db")),
        "changed secrets.DB_PASSWORD: arn:aws:secretsmanager:eu-west-1:111122223333:secret:db -> \
         arn:aws:secretsmanager:eu-west-2:111122223333:secret:db"
    );
    let parameter = json!({"secrets": [{"name": "DB_PASSWORD", "valueFrom": "/prod/db"}]});
    assert_eq!(
        found(&none, &parameter),
        "added secrets.DB_PASSWORD: /prod/db"
    );

    let credentials = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:hub";
    let credentials = json!({"repositoryCredentials": {"credentialsParameter": credentials}});
    let line = "added repositoryCredentials.credentialsParameter: secret:hub";
    assert_eq!(found(&none, &credentials), line);
}

#[test]
fn no_value_of_a_variable_and_no_secret_is_anywhere() {
    let with = |secret: &str, short: &str| {
        let variables = json!([{"name": "A", "value": secret}, {"name": "PIN", "value": short}]);
        of(
            &json!({
                "environment": variables,
                "command": ["run", "--like", secret, "--token=sesame-of-ali"],
                "dockerLabels": {"proxy.auth.users": short, "note": format!("with {secret}")},
                "logConfiguration": {"logDriver": "splunk", "options": {"splunk-token": short}},
            }),
            &json!({"sidecarsOf2031": [{"environment": [{"name": "B", "value": short}]}]}),
        )
    };
    let old = with("hunter22", "zq-1");
    let new = with("correct horse", "zq-2");
    let none = of(&json!({}), &json!({}));

    for (old, new, count) in [(&old, &new, 7), (&none, &new, 8), (&old, &none, 8)] {
        let found = between(old, new);
        assert_eq!(found.count(), count, "{found:?}");
        let lines: Vec<String> = found.changes.iter().map(ToString::to_string).collect();
        let shown = format!("{found:?}{lines:?}{}", json!(found.changes));
        for secret in ["hunter", "correct", "horse", "zq-", "sesame"] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }
}

#[test]
fn a_value_that_names_a_secret_is_masked_and_so_are_variables_in_another_form() {
    let none = json!({});
    let options = |options: Value| json!({"logConfiguration": {"options": options}});
    for (container, path) in [
        (json!({"environment": ["A=b"]}), "environment"),
        (json!({"environment": "A=b"}), "environment"),
        (json!({"command": "run --password x"}), "command"),
        (
            options(json!({"header": "X-Api-Key x"})),
            "logConfiguration.options.header",
        ),
        (
            json!({"dockerLabels": {"note": r#"{"token":"x"}"#}}),
            "dockerLabels.note",
        ),
    ] {
        let line = format!("added {path}: ***");
        assert_eq!(of_container(&none, &container), [line]);
    }

    let volume = |options: &str| {
        let driver = json!({"driverOpts": {"o": options}});
        json!({"volumes": [{"name": "nas", "dockerVolumeConfiguration": driver}]})
    };
    let path = "volumes.nas.dockerVolumeConfiguration.driverOpts.o";
    assert_eq!(
        of_task(&volume("addr=nas"), &volume("addr=nas,password=x")),
        [format!("changed {path}: *** -> ***")]
    );
    assert_eq!(
        of_task(&volume("addr=nas"), &volume("addr=san")),
        [format!("changed {path}: addr=nas -> addr=san")]
    );
}

#[test]
fn a_long_value_is_cut_and_a_line_stays_one() {
    let label = |text: &str| json!({"dockerLabels": {"note": text}});
    let long = "ä".repeat(CHANGE_CHARS);
    let line = |text: &str| of_container(&json!({}), &label(text)).concat();

    assert_eq!(line(&long), format!("added dockerLabels.note: {long}"));
    let cut: String = long.chars().skip(1).collect();
    assert_eq!(
        line(&format!("{long}x")),
        format!("added dockerLabels.note: {cut}…")
    );
    assert_eq!(
        line("a\nadded cpu: 9"),
        "added dockerLabels.note: a added cpu: 9"
    );
}

#[test]
fn the_first_changes_by_path_are_listed_and_the_others_counted() {
    let variables = |count: usize| {
        let variable = |at: usize| json!({"name": format!("V{at:03}"), "value": "x"});
        let list: Vec<Value> = (0..count).rev().map(variable).collect();
        of(&json!({"environment": list}), &json!({}))
    };
    let none = variables(0);

    let found = between(&none, &variables(LISTED_CHANGES));
    assert_eq!((found.changes.len(), found.more), (LISTED_CHANGES, 0));
    let found = between(&none, &variables(LISTED_CHANGES + 7));
    assert_eq!((found.changes.len(), found.more), (LISTED_CHANGES, 7));
    assert_eq!(found.count(), LISTED_CHANGES + 7);

    let paths: Vec<&str> = found.changes.iter().map(path).collect();
    assert_eq!(paths[0], "containers.web.environment.V000");
    assert!(paths.is_sorted());
}

fn path(change: &MemberChange) -> &str {
    match change {
        MemberChange::Added { path, .. }
        | MemberChange::Removed { path, .. }
        | MemberChange::Changed { path, .. } => path,
    }
}

#[test]
fn a_change_as_json_has_its_kind_its_path_and_its_values() {
    let found = between(
        &of(&json!({"memory": 1, "cpu": 1}), &json!({})),
        &of(&json!({"memory": 2, "user": "web"}), &json!({})),
    );
    assert_eq!(
        json!(found.changes),
        json!([
            {"change": "removed", "path": "containers.web.cpu", "old": "1"},
            {"change": "changed", "path": "containers.web.memory", "old": "1", "new": "2"},
            {"change": "added", "path": "containers.web.user", "new": "web"},
        ])
    );
}
