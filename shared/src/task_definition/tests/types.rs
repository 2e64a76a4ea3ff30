//! Members of other types than ECS expects are named, and their values are not.

use super::*;

#[test]
fn members_of_other_types_are_named_with_both_types() {
    let wrong = definition(json!({
        "family": "web", "cpu": 256, "memory": "512", "tags": [{"key": "a", "value": true}],
        "containerDefinitions": [
            {
                "name": "web", "image": "web:1", "cpu": "256", "essential": "true",
                "environment": [
                    {"name": "LEVEL", "value": "debug"}, {"name": "PORT", "value": 8080},
                ],
                "logConfiguration": {"logDriver": "awslogs", "options": {"max-size": 1.5}},
            },
            {
                "name": "log", "image": "log:1", "memory": null, "command": ["run", 1],
                "ulimits": [{"softLimit": "80", "hardLimit": {}}],
            },
        ],
    }));

    assert_eq!(
        wrong.wrong_types(),
        [
            "`cpu` is a whole number; expected a string",
            "`tags[0].value` is true or false; expected a string",
            "`containerDefinitions[0].cpu` is a string; expected a whole number",
            "`containerDefinitions[0].essential` is a string; expected true or false",
            "`containerDefinitions[0].environment[1].value` is a whole number; expected a string",
            "`containerDefinitions[0].logConfiguration.options.max-size` is a decimal number; \
             expected a string",
            "`containerDefinitions[1].command[1]` is a whole number; expected a string",
            "`containerDefinitions[1].ulimits[0].softLimit` is a string; expected a whole number",
            "`containerDefinitions[1].ulimits[0].hardLimit` is an object; expected a whole number",
        ]
    );
}

#[test]
fn a_definition_of_the_right_types_has_none_to_name() {
    assert_eq!(definition(counter()).wrong_types(), [""; 0]);

    let newer = definition(json!({
        "family": "web", "memberOfTomorrow": {"a": 1},
        "containerDefinitions": [{"name": "web", "image": "web:1", "ofTomorrow": [1, "2"]}],
    }));
    assert_eq!(newer.wrong_types(), [""; 0]);
}

/// What is wrong with the members of a container that has a name and an image beside them.
fn of_container(members: Value) -> Vec<String> {
    let mut container = json!({"name": "web", "image": "web:1"});
    let more = members.as_object().expect("members").clone();
    container.as_object_mut().expect("an object").extend(more);
    let wrong = definition(json!({"family": "web", "containerDefinitions": [container]}));
    wrong.wrong_types()
}

#[test]
fn what_is_given_in_the_place_of_a_list_or_an_object_is_named_once() {
    for (members, expected) in [
        (
            json!({"command": "npm start"}),
            "command` is a string; expected a list",
        ),
        (
            json!({"environment": {"LEVEL": "debug"}}),
            "environment` is an object; expected a list",
        ),
        (
            json!({"secrets": {"TOKEN": "arn"}}),
            "secrets` is an object; expected a list",
        ),
        (
            json!({"dependsOn": "db"}),
            "dependsOn` is a string; expected a list",
        ),
        (
            json!({"dependsOn": ["db"]}),
            "dependsOn[0]` is a string; expected an object",
        ),
        (
            json!({"logConfiguration": "awslogs"}),
            "logConfiguration` is a string; expected an object",
        ),
        (
            json!({"dockerLabels": ["a=b"]}),
            "dockerLabels` is a list; expected an object",
        ),
        (
            json!({"healthCheck": ["CMD", "true"]}),
            "healthCheck` is a list; expected an object",
        ),
        (
            json!({"linuxParameters": {"capabilities": {"add": "SYS_PTRACE"}}}),
            "linuxParameters.capabilities.add` is a string; expected a list",
        ),
    ] {
        let expected = format!("`containerDefinitions[0].{expected}");
        assert_eq!(of_container(members), [expected]);
    }
}

#[test]
fn every_number_of_a_container_is_named_where_a_string_is_expected() {
    let wrong = of_container(json!({
        "command": [1], "entryPoint": [1], "environment": [{"name": "A", "value": 1}],
        "environmentFiles": [{"value": 1}], "secrets": [{"valueFrom": 1}],
        "dockerLabels": {"a": 1}, "user": 1, "hostname": 1, "workingDirectory": 1,
        "healthCheck": {"command": [1]},
        "logConfiguration": {"options": {"a": 1}, "secretOptions": [{"name": 1}]},
        "firelensConfiguration": {"options": {"a": 1}},
        "systemControls": [{"namespace": "net.core.somaxconn", "value": 1024}],
        "resourceRequirements": [{"type": "GPU", "value": 1}],
        "extraHosts": [{"ipAddress": 1}], "dnsServers": [1],
        "linuxParameters": {"tmpfs": [{"mountOptions": [1]}]},
    }));
    let fields = "command[0] entryPoint[0] environment[0].value environmentFiles[0].value \
                  secrets[0].valueFrom dockerLabels.a user hostname workingDirectory \
                  healthCheck.command[0] logConfiguration.options.a \
                  logConfiguration.secretOptions[0].name firelensConfiguration.options.a \
                  systemControls[0].value resourceRequirements[0].value extraHosts[0].ipAddress \
                  dnsServers[0] linuxParameters.tmpfs[0].mountOptions[0]";
    assert_eq!(wrong, named(fields, "a whole number", "a string"));
}

#[test]
fn every_string_of_a_container_is_named_where_another_type_is_expected() {
    let wrong = of_container(json!({
        "cpu": "1", "memory": "6", "memoryReservation": "6",
        "startTimeout": "2", "stopTimeout": "2",
        "healthCheck": {"interval": "5", "retries": "1", "startPeriod": "1", "timeout": "2"},
        "ulimits": [{"name": "nofile", "softLimit": "1", "hardLimit": "1"}],
        "restartPolicy": {"ignoredExitCodes": ["0"], "restartAttemptPeriod": "60"},
        "linuxParameters": {"maxSwap": "1", "sharedMemorySize": "1", "tmpfs": [{"size": "1"}]},
    }));
    let numbers = "cpu memory memoryReservation startTimeout stopTimeout healthCheck.interval \
                   healthCheck.retries healthCheck.startPeriod healthCheck.timeout \
                   ulimits[0].softLimit ulimits[0].hardLimit restartPolicy.ignoredExitCodes[0] \
                   restartPolicy.restartAttemptPeriod linuxParameters.maxSwap \
                   linuxParameters.sharedMemorySize linuxParameters.tmpfs[0].size";
    assert_eq!(wrong, named(numbers, "a string", "a whole number"));

    let wrong = of_container(json!({
        "essential": "true", "mountPoints": [{"readOnly": "true"}], "privileged": "true",
        "readonlyRootFilesystem": "true", "interactive": "true", "pseudoTerminal": "true",
        "linuxParameters": {"initProcessEnabled": "true"}, "restartPolicy": {"enabled": "true"},
    }));
    let flags = "essential mountPoints[0].readOnly privileged readonlyRootFilesystem interactive \
                 pseudoTerminal linuxParameters.initProcessEnabled restartPolicy.enabled";
    assert_eq!(wrong, named(flags, "a string", "true or false"));
}

/// What is expected of the members of a container, for these in this order.
fn named(fields: &str, found: &str, expected: &str) -> Vec<String> {
    let row =
        |field: &str| format!("`containerDefinitions[0].{field}` is {found}; expected {expected}");
    fields.split_whitespace().map(row).collect()
}

#[test]
fn members_beside_the_containers_are_named_too() {
    let wrong = definition(json!({
        "family": "web", "cpu": 1, "memory": 1, "pidMode": 1,
        "containerDefinitions": [{"name": "web", "image": "web:1"}],
        "volumes": [
            {"name": "data", "host": "/data"},
            {"name": "files", "efsVolumeConfiguration": {
                "fileSystemId": "fs-1", "transitEncryptionPort": "2999",
            }},
            {"name": "nas", "dockerVolumeConfiguration": {
                "autoprovision": "true", "driverOpts": {"a": 1},
            }},
        ],
        "proxyConfiguration": {"properties": [{"name": "AppPorts", "value": 8080}]},
        "ephemeralStorage": {"sizeInGiB": "21"}, "enableFaultInjection": "true",
    }));
    assert_eq!(
        wrong.wrong_types(),
        [
            "`cpu` is a whole number; expected a string",
            "`memory` is a whole number; expected a string",
            "`pidMode` is a whole number; expected a string",
            "`volumes[0].host` is a string; expected an object",
            "`volumes[1].efsVolumeConfiguration.transitEncryptionPort` is a string; expected a \
             whole number",
            "`volumes[2].dockerVolumeConfiguration.autoprovision` is a string; expected true or \
             false",
            "`volumes[2].dockerVolumeConfiguration.driverOpts.a` is a whole number; expected a \
             string",
            "`proxyConfiguration.properties[0].value` is a whole number; expected a string",
            "`ephemeralStorage.sizeInGiB` is a string; expected a whole number",
            "`enableFaultInjection` is a string; expected true or false",
        ]
    );
}
