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
            {"name": "frontend", "image": "<IMAGE1_NAME>", "portMappings": [{"containerPort": 5001, "hostPort": 80}]},
            {"name": "api", "image": "example/api:1", "environment": [{"name": "TOKEN", "value": "hush"}]},
        ],
    })
}

fn images(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, image)| ((*key).to_owned(), (*image).to_owned()))
        .collect()
}

#[test]
fn only_images_change_and_unknown_fields_survive() {
    let base = definition(counter());
    for key in ["frontend", "<IMAGE1_NAME>"] {
        let changed = set_images(&base, &images(&[(key, "example/frontend:2")])).expect("fits");
        let mut expected = counter();
        expected["containerDefinitions"][0]["image"] = json!("example/frontend:2");
        assert_eq!(
            serde_json::from_str::<Value>(&changed.text()).expect("JSON"),
            expected
        );
    }
}

#[test]
fn a_placeholder_takes_its_own_fields_with_it() {
    let mut base = counter();
    base["containerDefinitions"][0]["command"] = json!(["httpd"]);
    base["containerDefinitions"][0]["dockerLabels"] = json!({"slipway.placeholder": "command"});
    base["containerDefinitions"][1]["command"] = json!(["serve"]);
    let changed = set_images(
        &definition(base),
        &images(&[("frontend", "a"), ("api", "b")]),
    )
    .expect("fits");
    let containers: Vec<_> = changed.containers().collect();
    assert_eq!(
        (
            containers[0].get("command"),
            containers[0].get("dockerLabels")
        ),
        (None, None)
    );
    assert_eq!(containers[1]["command"], json!(["serve"]));
}

#[test]
fn read_only_fields_are_dropped_and_tags_of_the_answer_kept() {
    let mut described = counter();
    for field in READ_ONLY {
        described[field] = json!("x");
    }
    let answer = json!({"taskDefinition": described, "tags": [{"key": "team", "value": "web"}]});
    let mut expected = counter();
    expected["tags"] = json!([{"key": "team", "value": "web"}]);
    assert_eq!(
        serde_json::from_str::<Value>(&definition(answer).text()).expect("JSON"),
        expected
    );
}

#[test]
fn a_wrong_container_and_an_unfilled_placeholder_are_named() {
    let base = definition(counter());
    let wrong = set_images(&base, &images(&[("frontend", "a"), ("fronted", "b")]))
        .expect_err("no such container");
    assert!(
        wrong.contains("`fronted`") && wrong.contains("legal: frontend, api"),
        "{wrong}"
    );
    let unfilled = set_images(&base, &images(&[("api", "a")])).expect_err("placeholder left");
    assert!(unfilled.contains("<IMAGE1_NAME>"), "{unfilled}");
    let mut template = counter();
    template["containerDefinitions"][1]["image"] =
        json!("12345678.dkr.ecr.<region>.amazonaws.com/api:1");
    let left = set_images(&definition(template), &images(&[("frontend", "a")]))
        .expect_err("template left");
    assert!(
        left.contains("`api` keeps the image") && left.contains("<region>"),
        "{left}"
    );
}

#[test]
fn malformed_definitions_are_refused_without_quoting_values() {
    let cases = [
        (json!([]), "not an object"),
        (
            json!({"containerDefinitions": [{"name": "a", "image": "b"}]}),
            "`family`",
        ),
        (
            json!({"family": "<TASK_FAMILY>", "containerDefinitions": [{"name": "a", "image": "b"}]}),
            "`family` is `<TASK_FAMILY>`",
        ),
        (
            json!({"family": "a", "containerDefinitions": [{"name": "a b", "image": "b"}]}),
            "`containerDefinitions[0].name` is `a b`",
        ),
        (
            json!({"family": "a", "containerDefinitions": []}),
            "`containerDefinitions`",
        ),
        (
            json!({"family": "a", "containerDefinitions": [{"name": "a"}]}),
            "`containerDefinitions[0].image`",
        ),
        (
            json!({"family": "a", "containerDefinitions": [{"image": "a"}]}),
            "`containerDefinitions[0].name`",
        ),
        (
            json!({"family": "a", "containerDefinitions": [{"name": "a", "image": "b"}, {"name": "a", "image": "b"}]}),
            "twice",
        ),
        (
            json!({"family": "a", "x": "y".repeat(65_536), "containerDefinitions": [{"name": "a", "image": "b"}]}),
            "65536 at most",
        ),
    ];
    for (value, expected) in cases {
        let refusal = TaskDefinition::from_value(value).expect_err("malformed");
        assert!(refusal.contains(expected), "{refusal}");
    }
    assert!(
        TaskDefinition::parse(b"{\"family\": \"a\",}")
            .expect_err("trailing comma")
            .contains("line 1")
    );
    assert!(!format!("{:?}", definition(counter())).contains("hush"));
}

#[test]
fn a_file_equals_its_own_registration_with_the_defaults_filled_in() {
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
    assert!(same(&definition(counter()), &definition(described.clone())));
    described["containerDefinitions"][0]["image"] = json!("other");
    assert!(!same(&definition(counter()), &definition(described)));
}

#[test]
fn order_matters_only_where_it_has_a_meaning() {
    let with = |environment: Value, command: Value| {
        definition(
            json!({"family": "a", "containerDefinitions": [{"name": "a", "image": "b", "environment": environment, "command": command}]}),
        )
    };
    let (one, two) = (
        json!({"name": "A", "value": "1"}),
        json!({"name": "B", "value": "2"}),
    );
    assert!(same(
        &with(json!([one, two]), json!(["x", "y"])),
        &with(json!([two, one]), json!(["x", "y"]))
    ));
    assert!(!same(
        &with(json!([one, two]), json!(["x", "y"])),
        &with(json!([one, two]), json!(["y", "x"]))
    ));
}

#[test]
fn static_host_ports_are_found_where_they_hold_an_instance() {
    assert_eq!(definition(counter()).static_host_port(), Some(80));
    let mode = |mode: &str, host: u64| {
        definition(json!({"family": "a", "networkMode": mode, "containerDefinitions":
            [{"name": "a", "image": "b", "portMappings": [{"containerPort": 8080, "hostPort": host}]}]}))
        .static_host_port()
    };
    assert_eq!(
        (mode("awsvpc", 8080), mode("bridge", 0), mode("host", 8080)),
        (None, None, Some(8080))
    );
}

#[test]
fn image_files_are_read_or_refused_with_what_they_lack() {
    let read =
        image_definitions(br#"[{"name":"web","imageUri":"a"},{"name":"api","imageUri":"b"}]"#)
            .expect("legal");
    assert_eq!(read, images(&[("web", "a"), ("api", "b")]));
    for text in [
        "[]",
        "{}",
        r#"[{"name":"a"}]"#,
        r#"[{"name":"a","imageUri":"b"},{"name":"a","imageUri":"c"}]"#,
    ] {
        assert!(
            image_definitions(text.as_bytes()).is_err(),
            "{text} was taken"
        );
    }
    assert_eq!(
        image_detail(br#"{"ImageSizeInBytes":"7","ImageURI":"a@b"}"#).as_deref(),
        Ok("a@b")
    );
    assert!(image_detail(b"{}").is_err());
}

/// A definition in which no value is empty or a default, so that each of them counts.
fn rich() -> Value {
    let text = r#"{
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
                "environment": [{"name": "LEVEL", "value": "info"}, {"name": "REGION", "value": "eu"}],
                "environmentFiles": [{"value": "arn:aws:s3:::bucket/env", "type": "s3"}],
                "secrets": [{"name": "TOKEN", "valueFrom": "arn:aws:ssm:eu-west-1:111122223333:parameter/token"}],
                "portMappings": [{"containerPort": 5001, "hostPort": 80, "protocol": "udp"}],
                "mountPoints": [{"sourceVolume": "cache", "containerPath": "/cache", "readOnly": true}],
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
            {"name": "api", "image": "example/api:1", "volumesFrom": [{"sourceContainer": "frontend", "readOnly": true}]}
        ]
    }"#;
    serde_json::from_str(text).expect("JSON")
}

/// The paths of all values that are not containers of others, and of all lists and objects.
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
fn changing_any_one_value_of_a_definition_is_a_change() {
    let (mut leaves, mut members) = (Vec::new(), Vec::new());
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
            !same(&definition(changed.clone()), &definition(rich())),
            "{path} was changed unnoticed"
        );
        assert!(
            !same(&definition(rich()), &definition(changed)),
            "{path} was changed back unnoticed"
        );
    }
}

#[test]
fn leaving_any_one_member_of_a_definition_out_is_a_change() {
    let (mut leaves, mut members) = (Vec::new(), Vec::new());
    paths(&rich(), "", &mut leaves, &mut members);
    for path in members {
        let (parent, name) = path.rsplit_once('/').expect("a path");
        let mut changed = rich();
        match changed.pointer_mut(parent).expect("a path of it") {
            Value::Object(fields) => drop(fields.shift_remove(name)),
            Value::Array(items) => drop(items.remove(name.parse().expect("an index"))),
            other => panic!("{other} at {parent}"),
        }
        // Without a name or an image it is not a task definition any more.
        let Ok(changed) = TaskDefinition::from_value(changed) else {
            continue;
        };
        assert!(
            !same(&changed, &definition(rich())),
            "{path} was left out unnoticed"
        );
        assert!(
            !same(&definition(rich()), &changed),
            "{path} was added unnoticed"
        );
    }
}

#[test]
fn what_amazon_ecs_writes_otherwise_is_not_a_change() {
    let mut file = rich();
    (file["cpu"], file["memory"]) = (json!(256), json!(512));
    assert!(same(&definition(file), &definition(rich())));
    for list in [
        "environment",
        "secrets",
        "portMappings",
        "mountPoints",
        "ulimits",
        "systemControls",
        "extraHosts",
    ] {
        let (mut one, mut two) = (rich(), rich());
        let items = one["containerDefinitions"][0][list]
            .as_array()
            .expect("a list")
            .clone();
        let mut second = items[0].clone();
        let member = second
            .as_object_mut()
            .and_then(|fields| fields.values_mut().next())
            .expect("a member");
        *member = if member.is_string() {
            json!("another")
        } else {
            json!(9)
        };
        one["containerDefinitions"][0][list] = json!([items[0], second]);
        two["containerDefinitions"][0][list] = json!([second, items[0]]);
        assert!(
            same(&definition(one.clone()), &definition(two)),
            "the order of {list}"
        );
        assert!(
            !same(&definition(one), &definition(rich())),
            "one more of {list}"
        );
    }
    for list in ["tags", "volumes", "requiresCompatibilities"] {
        let (mut one, mut two) = (rich(), rich());
        let item = one[list][0].clone();
        (one[list], two[list]) = (json!([item, "x"]), json!(["x", item]));
        assert!(
            same(&definition(one), &definition(two)),
            "the order of {list}"
        );
    }
    let bare = |more: Value| {
        let mut container = json!({"name": "web", "image": "a", "portMappings": [{"containerPort": 80}], "mountPoints": [{"sourceVolume": "v"}]});
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
        assert!(same(&bare(json!({})), &bare(more.clone())), "{more}");
    }
    for more in [
        json!({"/cpu": 1}),
        json!({"/essential": false}),
        json!({"/portMappings/0/hostPort": 81}),
    ] {
        assert!(!same(&bare(json!({})), &bare(more.clone())), "{more}");
    }
}

#[test]
fn images_go_to_containers_by_name_before_placeholder_and_to_every_placeholder() {
    let base = definition(json!({"family": "a", "containerDefinitions": [
        {"name": "one", "image": "<IMAGE>"}, {"name": "two", "image": "<IMAGE>"}, {"name": "three", "image": "c:1"},
    ]}));
    let set = |pairs: &[(&str, &str)]| {
        set_images(&base, &images(pairs)).map(|changed| container_images(&changed))
    };
    let found = |one: &str, two: &str, three: &str| {
        Ok([("one", one), ("two", two), ("three", three)]
            .map(|(name, image)| (name.to_owned(), image.to_owned()))
            .to_vec())
    };
    assert_eq!(set(&[("<IMAGE>", "a:2")]), found("a:2", "a:2", "c:1"));
    assert_eq!(
        set(&[("<IMAGE>", "a:2"), ("one", "b:2"), ("three", "c:2")]),
        found("b:2", "a:2", "c:2")
    );
    let refusal = set(&[("one", "b:2")]).expect_err("two is a placeholder still");
    let whole = "container `two` has the placeholder <IMAGE>, and `images` fills neither `two` nor `<IMAGE>`; add one of them";
    assert_eq!(refusal, whole);
}

#[test]
fn the_fields_of_a_placeholder_go_and_other_labels_stay() {
    let base = |labels: Value| {
        definition(json!({"family": "a", "containerDefinitions": [{
            "name": "web", "image": "httpd", "command": ["x"], "healthCheck": {"retries": 3}, "user": "1", "dockerLabels": labels,
        }]}))
    };
    let released = |labels: Value| {
        let changed = set_images(&base(labels), &images(&[("web", "b")])).expect("fits");
        changed.containers().next().expect("a container").clone()
    };
    let labelled = json!({"slipway.placeholder": "command, healthCheck", "team": "web"});
    let expected =
        json!({"name": "web", "image": "b", "user": "1", "dockerLabels": {"team": "web"}});
    assert_eq!(released(labelled), expected);
    let own = json!({"team": "web"});
    let expected = json!({
        "name": "web", "image": "b", "command": ["x"], "healthCheck": {"retries": 3}, "user": "1", "dockerLabels": own,
    });
    assert_eq!(released(own), expected);
}

#[test]
fn a_container_that_gets_no_image_keeps_its_placeholder_fields() {
    let base = definition(json!({"family": "a", "containerDefinitions": [
        {"name": "one", "image": "httpd", "command": ["x"], "dockerLabels": {"slipway.placeholder": "command"}},
        {"name": "two", "image": "b"},
    ]}));
    let changed = set_images(&base, &images(&[("two", "c")])).expect("fits");
    assert_eq!(changed.containers().next(), base.containers().next());
}

#[test]
fn files_of_images_are_refused_with_what_is_wrong() {
    let refusal = |text: &str| image_definitions(text.as_bytes()).expect_err("refused");
    assert!(refusal("[]").contains("legal: one entry or more"));
    let twice = r#"[{"name":"a","imageUri":"b"},{"name":"a","imageUri":"c"}]"#;
    assert!(refusal(twice).contains("it names a container twice"));
    assert!(refusal("{}").contains(r#"[{"name": <container>, "imageUri": <image>}, …]"#));
    let one = image_definitions(br#"[{"name":"web","imageUri":"a","extra":1}]"#);
    assert_eq!(one, Ok(images(&[("web", "a")])));
    for text in ["{}", r#"{"ImageURI": 7}"#, r#"{"imageUri": "a"}"#] {
        assert!(
            image_detail(text.as_bytes())
                .expect_err("refused")
                .contains("`ImageURI` is missing"),
            "{text}"
        );
    }
}

#[test]
fn sizes_and_names_are_taken_up_to_their_limits() {
    let sized = |bytes: usize| {
        let bare =
            json!({"family": "a", "x": "", "containerDefinitions": [{"name": "a", "image": "b"}]});
        let mut value = bare.clone();
        value["x"] = json!("y".repeat(bytes - bare.to_string().len()));
        TaskDefinition::from_value(value).map(|definition| definition.text().len())
    };
    assert_eq!(sized(65_536), Ok(65_536));
    assert_eq!(
        sized(65_537),
        Err("it has 65537 bytes; legal: 65536 at most".to_owned())
    );
    let named = |family: String, name: String| {
        TaskDefinition::from_value(
            json!({"family": family, "containerDefinitions": [{"name": name, "image": "b"}]}),
        )
        .is_ok()
    };
    let longest = "a-_9".repeat(64)[..255].to_owned();
    assert!(named(longest.clone(), longest.clone()));
    assert!(
        !named(format!("{longest}a"), longest.clone())
            && !named(longest.clone(), format!("{longest}a"))
    );
    assert!(!named("ä".to_owned(), longest.clone()) && !named(longest, "a.b".to_owned()));
}

#[test]
fn text_is_read_with_a_byte_order_mark_and_its_members_keep_their_order() {
    let text = "\u{feff}{\"family\":\"b\",\"cpu\":\"1\",\"containerDefinitions\":[{\"image\":\"i\",\"name\":\"n\"}]}";
    let read = TaskDefinition::parse(text.as_bytes()).expect("a task definition");
    assert_eq!(read.text(), text.trim_start_matches('\u{feff}'));
    assert_eq!(read.family(), "b");
    assert_eq!(read.container_names().collect::<Vec<_>>(), ["n"]);
    assert_eq!(container_images(&read), [("n".to_owned(), "i".to_owned())]);
    assert_eq!(format!("{read:?}"), "TaskDefinition(b)");
}

#[test]
fn a_static_port_of_any_mapping_of_any_container_counts() {
    let ports = |mode: Option<&str>, mappings: Value| {
        let mut value = json!({"family": "a", "containerDefinitions": [
            {"name": "a", "image": "b"},
            {"name": "b", "image": "b", "portMappings": mappings},
        ]});
        if let Some(mode) = mode {
            value["networkMode"] = json!(mode);
        }
        definition(value).static_host_port()
    };
    let dynamic_first =
        json!([{"containerPort": 8080, "hostPort": 0}, {"containerPort": 8081, "hostPort": 81}]);
    assert_eq!(ports(None, dynamic_first.clone()), Some(81));
    assert_eq!(ports(Some("bridge"), dynamic_first.clone()), Some(81));
    assert_eq!(ports(Some("host"), dynamic_first.clone()), Some(8080));
    assert_eq!(
        [
            ports(Some("awsvpc"), dynamic_first.clone()),
            ports(Some("none"), dynamic_first)
        ],
        [None, None]
    );
    assert_eq!(
        [
            ports(None, json!([{"containerPort": 8080}])),
            ports(None, json!([]))
        ],
        [None, None]
    );
}

#[test]
fn the_values_of_all_environments_are_known_as_secrets() {
    let with = definition(json!({"family": "a", "containerDefinitions": [
        {"name": "a", "image": "b", "environment": [{"name": "A", "value": "one"}, {"name": "B"}]},
        {"name": "b", "image": "b", "environment": [{"name": "C", "value": "two"}]},
    ]}));
    assert_eq!(
        with.environment_values().collect::<Vec<_>>(),
        ["one", "two"]
    );
}

#[test]
fn a_definition_moves_to_another_family_and_takes_tags_only_when_it_has_none() {
    let with = |tags: Value| {
        let mut value =
            json!({"family": "a", "containerDefinitions": [{"name": "a", "image": "b"}]});
        if !tags.is_null() {
            value["tags"] = tags;
        }
        definition(value)
    };
    let (none, empty) = (with(json!(null)), with(json!([])));
    let (web, shop) = (
        with(json!([{"key": "team", "value": "web"}])),
        with(json!([{"key": "team", "value": "shop"}])),
    );
    assert!(none.clone().with_tags_of(&web) == web && empty.with_tags_of(&web) == web);
    assert!(shop.clone().with_tags_of(&web) == shop);
    assert!(none.clone().with_tags_of(&none) == none);
    let moved = none.clone().in_family("other");
    assert_eq!(
        moved.text(),
        none.text()
            .replace(r#""family":"a""#, r#""family":"other""#)
    );
}
