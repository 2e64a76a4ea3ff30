use super::*;

const CONTAINER: &str = "/containerDefinitions/0";

/// Members of a container, each with a value of another type and how that is refused.
fn of_container() -> Vec<(&'static str, Value, &'static str)> {
    let linux = "linuxParameters";
    let list = "Expected list or null";
    let structure = "Expected structure or null";
    let number = "NUMBER_VALUE cannot be converted to String";
    let text = "STRING_VALUE cannot be converted to Integer";
    let flag = "STRING_VALUE cannot be converted to Boolean";

    vec![
        ("command", json!("npm start"), list),
        ("dependsOn", json!({"db": "HEALTHY"}), list),
        ("dependsOn", json!(["db"]), structure),
        ("dockerLabels", json!([]), structure),
        ("healthCheck", json!("curl -f localhost"), structure),
        (linux, json!({"maxSwap": "64"}), text),
        (linux, json!({"initProcessEnabled": "true"}), flag),
        (
            linux,
            json!({"tmpfs": [{"containerPath": "/tmp", "size": "64"}]}),
            text,
        ),
        (linux, json!({"capabilities": {"add": "x"}}), list),
        ("logConfiguration", json!("awslogs"), structure),
        (
            "resourceRequirements",
            json!([{"type": "GPU", "value": 1}]),
            number,
        ),
        (
            "restartPolicy",
            json!({"enabled": true, "ignoredExitCodes": ["0"]}),
            text,
        ),
        ("secrets", json!({"TOKEN": "arn"}), list),
        (
            "systemControls",
            json!([{"namespace": "net.core.somaxconn", "value": 1024}]),
            number,
        ),
        ("extraHosts", json!(["db:10.0.0.2"]), structure),
        (
            "firelensConfiguration",
            json!({"type": "fluentbit", "options": {"a": 1}}),
            number,
        ),
    ]
}

#[test]
fn every_member_of_the_model_has_its_type() {
    for (member, value, words) in of_container() {
        let pointer = format!("{CONTAINER}/{member}");
        assert_eq!(
            refusal(plain(), &pointer, value),
            format!("SerializationException: {words}"),
            "{member}"
        );
    }

    let properties = json!([{"name": "AppPorts", "value": 8080}]);
    let efs = json!({"fileSystemId": "fs-1", "transitEncryptionPort": "2999"});
    for (pointer, value) in [
        ("/enableFaultInjection", json!("false")),
        ("/proxyConfiguration", json!({"properties": properties})),
        ("/volumes", json!({"name": "data"})),
        ("/volumes", json!([{"name": "data", "host": "/data"}])),
        (
            "/volumes",
            json!([{"name": "data", "efsVolumeConfiguration": efs}]),
        ),
    ] {
        let refused = refusal(plain(), pointer, value);
        assert!(
            refused.starts_with("SerializationException: "),
            "{pointer}: {refused}"
        );
    }
}

#[test]
fn a_member_that_is_null_or_that_the_model_does_not_have_is_taken() {
    let mut definition = plain();
    definition["containerDefinitions"][0]["linuxParameters"] = Value::Null;
    definition["containerDefinitions"][0]["memberOfTomorrow"] = json!({"a": [1, "2"]});
    World::new(1).ok("RegisterTaskDefinition", definition);
}
