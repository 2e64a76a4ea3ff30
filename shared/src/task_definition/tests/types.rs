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
            "`containerDefinitions[1].command[1]` is a whole number; expected a string",
            "`containerDefinitions[0].environment[1].value` is a whole number; expected a string",
            "`containerDefinitions[0].logConfiguration.options.max-size` is a decimal number; \
             expected a string",
            "`containerDefinitions[0].cpu` is a string; expected a whole number",
            "`containerDefinitions[1].ulimits[0].hardLimit` is an object; expected a whole number",
            "`containerDefinitions[1].ulimits[0].softLimit` is a string; expected a whole number",
            "`containerDefinitions[0].essential` is a string; expected true or false",
        ]
    );
}

#[test]
fn a_definition_of_the_right_types_has_none_to_name() {
    assert_eq!(definition(counter()).wrong_types(), [""; 0]);
}

#[test]
fn every_member_that_files_have_in_another_type_is_named() {
    let wrong = definition(json!({
        "family": "web", "cpu": 1, "memory": 1, "tags": [{"key": "a", "value": 1}],
        "ephemeralStorage": {"sizeInGiB": "21"},
        "containerDefinitions": [{
            "name": "web", "image": "web:1", "command": [1], "dockerLabels": {"a": 1},
            "entryPoint": [1], "environment": [{"name": "A", "value": 1}], "user": 1,
            "healthCheck": {
                "command": [1], "interval": "5", "retries": "1", "startPeriod": "1", "timeout": "2",
            },
            "logConfiguration": {"logDriver": "awslogs", "options": {"a": 1}},
            "cpu": "1", "memory": "6", "memoryReservation": "6",
            "startTimeout": "2", "stopTimeout": "2",
            "ulimits": [{"name": "nofile", "softLimit": "1", "hardLimit": "1"}],
            "essential": "true", "mountPoints": [{"readOnly": "true"}], "privileged": "true",
            "readonlyRootFilesystem": "true",
        }],
    }));
    let of_task = ["cpu", "memory", "tags[0].value"].map(ToOwned::to_owned);
    let texts = "command[0] dockerLabels.a entryPoint[0] environment[0].value \
                 healthCheck.command[0] logConfiguration.options.a user";
    let numbers = "cpu healthCheck.interval healthCheck.retries healthCheck.startPeriod \
                   healthCheck.timeout memory memoryReservation startTimeout stopTimeout \
                   ulimits[0].hardLimit ulimits[0].softLimit";
    let flags = "essential mountPoints[0].readOnly privileged readonlyRootFilesystem";
    let of_container = |fields: &str| -> Vec<String> {
        let at = |field: &str| format!("containerDefinitions[0].{field}");
        fields.split_whitespace().map(at).collect()
    };

    let mut expected = Vec::new();
    for (fields, found, wanted) in [
        (of_task.to_vec(), "a whole number", "a string"),
        (of_container(texts), "a whole number", "a string"),
        (
            vec!["ephemeralStorage.sizeInGiB".to_owned()],
            "a string",
            "a whole number",
        ),
        (of_container(numbers), "a string", "a whole number"),
        (of_container(flags), "a string", "true or false"),
    ] {
        let row = |field: &String| format!("`{field}` is {found}; expected {wanted}");
        expected.extend(fields.iter().map(row));
    }
    assert_eq!(wrong.wrong_types(), expected);
}
