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
                "portMappings": [{"containerPort": "80", "hostPort": {}}],
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
            "`containerDefinitions[1].portMappings[0].containerPort` is a string; expected a \
             whole number",
            "`containerDefinitions[1].portMappings[0].hostPort` is an object; expected a whole \
             number",
            "`containerDefinitions[0].essential` is a string; expected true or false",
        ]
    );
}

#[test]
fn a_definition_of_the_right_types_has_none_to_name() {
    assert_eq!(definition(counter()).wrong_types(), [""; 0]);
}
