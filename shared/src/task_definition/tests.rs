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
    pairs.iter().map(|(key, image)| ((*key).to_owned(), (*image).to_owned())).collect()
}

#[test]
fn only_images_change_and_unknown_fields_survive() {
    let base = definition(counter());
    for key in ["frontend", "<IMAGE1_NAME>"] {
        let changed = set_images(&base, &images(&[(key, "example/frontend:2")])).expect("fits");
        let mut expected = counter();
        expected["containerDefinitions"][0]["image"] = json!("example/frontend:2");
        assert_eq!(serde_json::from_str::<Value>(&changed.text()).expect("JSON"), expected);
    }
}

#[test]
fn a_placeholder_takes_its_own_fields_with_it() {
    let mut base = counter();
    base["containerDefinitions"][0]["command"] = json!(["httpd"]);
    base["containerDefinitions"][0]["dockerLabels"] = json!({"slipway.placeholder": "command"});
    base["containerDefinitions"][1]["command"] = json!(["serve"]);
    let changed = set_images(&definition(base), &images(&[("frontend", "a"), ("api", "b")])).expect("fits");
    let containers: Vec<_> = changed.containers().collect();
    assert_eq!((containers[0].get("command"), containers[0].get("dockerLabels")), (None, None));
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
    assert_eq!(serde_json::from_str::<Value>(&definition(answer).text()).expect("JSON"), expected);
}

#[test]
fn a_wrong_container_and_an_unfilled_placeholder_are_named() {
    let base = definition(counter());
    let wrong = set_images(&base, &images(&[("frontend", "a"), ("fronted", "b")])).expect_err("no such container");
    assert!(wrong.contains("`fronted`") && wrong.contains("legal: frontend, api"), "{wrong}");
    let unfilled = set_images(&base, &images(&[("api", "a")])).expect_err("placeholder left");
    assert!(unfilled.contains("<IMAGE1_NAME>"), "{unfilled}");
    let mut template = counter();
    template["containerDefinitions"][1]["image"] = json!("12345678.dkr.ecr.<region>.amazonaws.com/api:1");
    let left = set_images(&definition(template), &images(&[("frontend", "a")])).expect_err("template left");
    assert!(left.contains("`api` keeps the image") && left.contains("<region>"), "{left}");
}

#[test]
fn malformed_definitions_are_refused_without_quoting_values() {
    let cases = [
        (json!([]), "not an object"),
        (json!({"containerDefinitions": [{"name": "a", "image": "b"}]}), "`family`"),
        (
            json!({"family": "<TASK_FAMILY>", "containerDefinitions": [{"name": "a", "image": "b"}]}),
            "`family` is `<TASK_FAMILY>`",
        ),
        (
            json!({"family": "a", "containerDefinitions": [{"name": "a b", "image": "b"}]}),
            "`containerDefinitions[0].name` is `a b`",
        ),
        (json!({"family": "a", "containerDefinitions": []}), "`containerDefinitions`"),
        (json!({"family": "a", "containerDefinitions": [{"name": "a"}]}), "`containerDefinitions[0].image`"),
        (json!({"family": "a", "containerDefinitions": [{"image": "a"}]}), "`containerDefinitions[0].name`"),
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
    assert!(TaskDefinition::parse(b"{\"family\": \"a\",}").expect_err("trailing comma").contains("line 1"));
    assert!(!format!("{:?}", definition(counter())).contains("hush"));
}

#[test]
fn a_file_equals_its_own_registration_with_the_defaults_filled_in() {
    let mut described = counter();
    described["volumes"] = json!([]);
    for container in described["containerDefinitions"].as_array_mut().expect("containers") {
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
    let (one, two) = (json!({"name": "A", "value": "1"}), json!({"name": "B", "value": "2"}));
    assert!(same(&with(json!([one, two]), json!(["x", "y"])), &with(json!([two, one]), json!(["x", "y"]))));
    assert!(!same(&with(json!([one, two]), json!(["x", "y"])), &with(json!([one, two]), json!(["y", "x"]))));
}

#[test]
fn static_host_ports_are_found_where_they_hold_an_instance() {
    assert_eq!(definition(counter()).static_host_port(), Some(80));
    let mode = |mode: &str, host: u64| {
        definition(json!({"family": "a", "networkMode": mode, "containerDefinitions":
            [{"name": "a", "image": "b", "portMappings": [{"containerPort": 8080, "hostPort": host}]}]}))
        .static_host_port()
    };
    assert_eq!((mode("awsvpc", 8080), mode("bridge", 0), mode("host", 8080)), (None, None, Some(8080)));
}

#[test]
fn image_files_are_read_or_refused_with_what_they_lack() {
    let read = image_definitions(br#"[{"name":"web","imageUri":"a"},{"name":"api","imageUri":"b"}]"#).expect("legal");
    assert_eq!(read, images(&[("web", "a"), ("api", "b")]));
    for text in ["[]", "{}", r#"[{"name":"a"}]"#, r#"[{"name":"a","imageUri":"b"},{"name":"a","imageUri":"c"}]"#] {
        assert!(image_definitions(text.as_bytes()).is_err(), "{text} was taken");
    }
    assert_eq!(image_detail(br#"{"ImageSizeInBytes":"7","ImageURI":"a@b"}"#).as_deref(), Ok("a@b"));
    assert!(image_detail(b"{}").is_err());
}
