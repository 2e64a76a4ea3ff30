//! What is accepted as a task definition.

use serde_json::{Value, json};

use super::super::definition::READ_ONLY;
use super::super::{TaskDefinition, container_images};
use super::{counter, definition};

#[test]
fn read_only_fields_are_dropped_and_tags_kept() {
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
fn each_field_that_only_ecs_writes_is_left_out() {
    let user = "arn:aws:iam::111122223333:user/jane";
    for (field, value) in [
        ("taskDefinitionArn", json!("page-counter:1")),
        ("revision", json!(1)),
        ("status", json!("INACTIVE")),
        ("requiresAttributes", json!([{"name": "ecs.capability"}])),
        ("compatibilities", json!(["EC2"])),
        ("registeredAt", json!(1_767_603_600)),
        ("registeredBy", json!(user)),
        ("deregisteredAt", json!(1_767_603_600)),
        ("deleteRequestedAt", json!(1_767_603_600)),
    ] {
        let mut described = counter();
        described[field] = value;
        assert_eq!(
            definition(described).text(),
            definition(counter()).text(),
            "{field}"
        );
    }
}

#[test]
fn malformed_definitions_are_refused() {
    let with = |containers: Value| json!({"family": "a", "containerDefinitions": containers});
    let one = json!([{"name": "a", "image": "b"}]);
    let cases = [
        (json!([]), "not an object"),
        (json!({"containerDefinitions": one}), "`family`"),
        (
            json!({"family": "<TASK_FAMILY>", "containerDefinitions": one}),
            "`family` is `<TASK_FAMILY>`",
        ),
        (
            with(json!([{"name": "a b", "image": "b"}])),
            "`containerDefinitions[0].name` is `a b`",
        ),
        (with(json!([])), "`containerDefinitions`"),
        (
            with(json!([{"name": "a"}])),
            "`containerDefinitions[0].image`",
        ),
        (
            with(json!([{"image": "a"}])),
            "`containerDefinitions[0].name`",
        ),
        (
            with(json!([{"name": "a", "image": "b"}, {"name": "a", "image": "b"}])),
            "expected a unique name",
        ),
    ];

    for (value, expected) in cases {
        let refusal = TaskDefinition::from_value(value).expect_err("malformed");
        assert!(refusal.contains(expected), "{refusal}");
    }
}

#[test]
fn a_template_of_cloudformation_is_recognised() {
    let refusal = |value: Value| TaskDefinition::from_value(value).expect_err("malformed");
    let missing = "`family` is missing or not a string; expected a non-empty string";

    for (member, value) in [
        ("Family", json!({"Family": "web", "Cpu": "256"})),
        (
            "ContainerDefinitions",
            json!({"ContainerDefinitions": [], "Cpu": "256"}),
        ),
        ("Resources", json!({"Resources": {}, "Parameters": {}})),
        (
            "Properties",
            json!({"Type": "AWS::ECS::TaskDefinition", "Properties": {}}),
        ),
    ] {
        assert_eq!(
            refusal(value),
            format!(
                "{missing}; `{member}` is of AWS CloudFormation: give what RegisterTaskDefinition \
                 takes, with `family` and `containerDefinitions`"
            )
        );
    }
    assert_eq!(refusal(json!({"services": []})), missing);
}

#[test]
fn the_place_of_a_syntax_error_is_named_and_debug_hides_values() {
    for text in ["{\"family\": \"a\",}", "family: a", "// web\n{}", ""] {
        let refusal = TaskDefinition::parse(text.as_bytes()).expect_err("not JSON");
        assert!(
            refusal.starts_with("not JSON: ")
                && refusal.contains("line 1")
                && refusal.ends_with("; expected a JSON object without comments"),
            "{refusal}"
        );
    }
    assert!(!format!("{:?}", definition(counter())).contains("hush"));
}

#[test]
fn a_key_that_occurs_twice_is_refused_with_its_place_and_without_values() {
    let text = "{\"family\": \"a\", \"containerDefinitions\": [\n  \
                {\"name\": \"a\", \"image\": \"hush:1\", \"image\": \"hush:2\"}]}";
    let refusal = TaskDefinition::parse(text.as_bytes()).expect_err("twice");

    assert_eq!(
        refusal,
        "the key `image` occurs twice at line 2 column 42; expected each key of an object once"
    );
}

#[test]
fn sizes_and_names_are_limited() {
    let sized = |bytes: usize| {
        let bare =
            json!({"family": "a", "x": "", "containerDefinitions": [{"name": "a", "image": "b"}]});
        let mut value = bare.clone();
        value["x"] = json!("y".repeat(bytes - bare.to_string().len()));
        definition(value).check_size()
    };

    assert_eq!(sized(65_536), Ok(()));
    assert_eq!(
        sized(65_537),
        Err("the task definition has 65537 bytes; expected at most 65536".to_owned())
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
fn a_byte_order_mark_is_ignored_and_the_order_of_members_kept() {
    let text = "\u{feff}{\"family\":\"b\",\"cpu\":\"1\",\
                \"containerDefinitions\":[{\"image\":\"i\",\"name\":\"n\"}]}";
    let read = TaskDefinition::parse(text.as_bytes()).expect("a task definition");

    assert_eq!(read.text(), text.trim_start_matches('\u{feff}'));
    assert_eq!(read.family(), "b");
    assert_eq!(read.container_names().collect::<Vec<_>>(), ["n"]);
    assert_eq!(container_images(&read), [("n".to_owned(), "i".to_owned())]);
    assert_eq!(format!("{read:?}"), "TaskDefinition(b)");
}
