//! Members of wrong types that the product would read as absent, or replace.

use super::*;

/// The refusal of a definition with a member at a pointer.
fn refusal(pointer: &str, member: Value) -> String {
    let mut value = json!({
        "family": "web", "tags": [{"key": "team", "value": "web"}], "networkMode": "bridge",
        "requiresCompatibilities": ["EC2"], "runtimePlatform": {"cpuArchitecture": "ARM64"},
        "taskRoleArn": "web-task", "executionRoleArn": "web-execution",
        "containerDefinitions": [{
            "name": "web", "image": "web:1",
            "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
        }],
    });
    TaskDefinition::from_value(value.clone()).expect("each member has its type");

    *value.pointer_mut(pointer).expect("a member") = Value::Null;
    if !pointer.starts_with("/tags/0") {
        TaskDefinition::from_value(value.clone()).expect("null is absent");
    }
    *value.pointer_mut(pointer).expect("a member") = member;
    TaskDefinition::from_value(value).expect_err("another type")
}

#[test]
fn a_map_of_tags_is_refused_with_the_form_that_ecs_takes() {
    for tags in [json!({"Env": "prod"}), json!({})] {
        assert_eq!(
            refusal("/tags", tags),
            "`tags` is an object; expected a list such as [{\"key\": \"team\", \"value\": \"web\"}]"
        );
    }
    let missing = "`tags[0].key` is null; expected a string, as in {\"key\": \"team\", \
                   \"value\": \"web\"}";
    for tag in [json!({"Key": "Env", "Value": "prod"}), json!("Env=prod")] {
        assert_eq!(refusal("/tags/0", tag), missing);
    }
    assert_eq!(refusal("/tags/0/key", Value::Null), missing);
}

#[test]
fn members_that_decide_about_a_release_have_the_types_of_ecs() {
    for (pointer, member, message) in [
        (
            "/networkMode",
            json!(["host"]),
            "`networkMode` is a list; expected a string",
        ),
        (
            "/requiresCompatibilities",
            json!("FARGATE"),
            "`requiresCompatibilities` is a string; expected a list",
        ),
        (
            "/runtimePlatform",
            json!("ARM64"),
            "`runtimePlatform` is a string; expected an object",
        ),
        (
            "/runtimePlatform/cpuArchitecture",
            json!(64),
            "`runtimePlatform.cpuArchitecture` is a whole number; expected a string",
        ),
        (
            "/taskRoleArn",
            json!({"Ref": "Role"}),
            "`taskRoleArn` is an object; expected a string",
        ),
        (
            "/executionRoleArn",
            json!({"Ref": "Role"}),
            "`executionRoleArn` is an object; expected a string",
        ),
    ] {
        assert_eq!(refusal(pointer, member), message);
    }
}

#[test]
fn port_mappings_have_the_types_of_ecs() {
    let mapping = "/containerDefinitions/0/portMappings";
    for (pointer, member, message) in [
        (
            mapping.to_owned(),
            json!({"containerPort": 80}),
            "`containerDefinitions[0].portMappings` is an object; expected a list",
        ),
        (
            format!("{mapping}/0/hostPort"),
            json!("80"),
            "`containerDefinitions[0].portMappings[0].hostPort` is a string; expected a whole \
             number",
        ),
        (
            format!("{mapping}/0/containerPort"),
            json!(80.5),
            "`containerDefinitions[0].portMappings[0].containerPort` is a decimal number; \
             expected a whole number",
        ),
        (
            format!("{mapping}/0/protocol"),
            json!(6),
            "`containerDefinitions[0].portMappings[0].protocol` is a whole number; expected a \
             string",
        ),
    ] {
        assert_eq!(refusal(&pointer, member), message);
    }
}
