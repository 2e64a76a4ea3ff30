//! What RegisterTaskDefinition refuses in where the output of containers goes.

use serde_json::Value;

use crate::ApiError;

use super::client_error;
use super::definition_rules::list;
use super::input::CheckedInput;

/// The options that each of these drivers needs (ECS API: LogConfiguration, `options`).
const REQUIRED: [(&str, [&str; 2]); 2] = [
    ("awslogs", ["awslogs-region", "awslogs-group"]),
    ("splunk", ["splunk-token", "splunk-url"]),
];

/// The options of `awslogs` in the ECS API, and no others of Docker's.
const OF_AWSLOGS: [&str; 8] = [
    "awslogs-create-group",
    "awslogs-datetime-format",
    "awslogs-group",
    "awslogs-multiline-pattern",
    "awslogs-region",
    "awslogs-stream-prefix",
    "max-buffer-size",
    "mode",
];

/// The log drivers of Fargate (ECS API: LogConfiguration).
const OF_FARGATE: [&str; 3] = ["awslogs", "splunk", "awsfirelens"];

pub(super) fn check(input: &CheckedInput) -> Result<(), ApiError> {
    let containers = input.list("containerDefinitions");
    for container in containers {
        check_options(&container["logConfiguration"])?;
        let options = &container["firelensConfiguration"]["options"];
        let file = options["config-file-value"].as_str();
        if is_in_s3(container) && file.is_none_or(|file| !file.starts_with("arn:")) {
            return Err(client_error("Invalid arn syntax."));
        }
    }

    let is_router = |container: &Value| !container["firelensConfiguration"].is_null();
    let is_routed = |container: &Value| driver(container) == Some("awsfirelens");
    match (
        containers.iter().any(is_router),
        containers.iter().any(is_routed),
    ) {
        (false, true) => Err(client_error(
            "When awsfirelens log driver is specified in log configuration, a firelens \
             configuration object must be configured in one of the containers.",
        )),
        (true, false) => Err(client_error(
            "When a firelensConfiguration object is specified, at least one container has to be \
             configured with the awsfirelens log driver.",
        )),
        _ => Ok(()),
    }
}

/// Whether a log router reads a file of S3.
fn is_in_s3(container: &Value) -> bool {
    container["firelensConfiguration"]["options"]["config-file-type"] == "s3"
}

fn driver(container: &Value) -> Option<&str> {
    container["logConfiguration"]["logDriver"].as_str()
}

fn check_options(configuration: &Value) -> Result<(), ApiError> {
    let Some(driver) = configuration["logDriver"].as_str() else {
        return Ok(());
    };
    let given = |option: &str| configuration["options"].get(option);
    let is_secret = |option: &str| {
        let secrets = list(configuration, "secretOptions");
        secrets.iter().any(|secret| secret["name"] == option)
    };
    let required = REQUIRED.iter().find(|(of, _)| *of == driver);
    let required = required.map_or(&[][..], |(_, options)| &options[..]);
    let missing: Vec<&str> = required
        .iter()
        .copied()
        .filter(|option| given(option).is_none() && !is_secret(option))
        .collect();
    if !missing.is_empty() {
        return Err(client_error(format!(
            "Log driver {driver} requires options: {}",
            missing.join(", ")
        )));
    }
    if let Some(empty) = required
        .iter()
        .find(|option| given(option).is_some_and(|it| it == ""))
    {
        return Err(client_error(format!(
            "Log driver {driver} option '{empty}' should not be null or empty."
        )));
    }

    if driver == "awslogs" {
        check_awslogs(&configuration["options"])
    } else {
        Ok(())
    }
}

fn check_awslogs(options: &Value) -> Result<(), ApiError> {
    let names = options.as_object().into_iter().flat_map(|it| it.keys());
    let others: Vec<&str> = names
        .map(String::as_str)
        .filter(|name| !OF_AWSLOGS.contains(name))
        .collect();
    if !others.is_empty() {
        return Err(client_error(format!(
            "Log driver awslogs disallows options: {}",
            others.join(", ")
        )));
    }

    let creates = options["awslogs-create-group"].as_str();
    if creates.is_some_and(|creates| !creates.eq_ignore_ascii_case("true")) {
        return Err(client_error(
            "Log driver awslogs option 'awslogs-create-group' should only be set to 'true', else \
             omit option.",
        ));
    }
    Ok(())
}

/// Fargate has some of the drivers, and needs the beginning of the name of a log stream.
pub(super) fn check_fargate(input: &CheckedInput) -> Result<(), ApiError> {
    let containers = input.list("containerDefinitions");
    let mut drivers = containers.iter().filter_map(driver);
    if let Some(other) = drivers.find(|driver| !OF_FARGATE.contains(driver)) {
        return Err(client_error(format!(
            "{other} is not a valid log driver. Must be one of [{}]",
            OF_FARGATE.join(",")
        )));
    }
    if containers.iter().any(is_in_s3) {
        return Err(client_error(
            "Fargate launch type does not support FirelensConfiguration config file from 's3'",
        ));
    }

    let lacks_prefix = |container: &Value| {
        let prefix = &container["logConfiguration"]["options"]["awslogs-stream-prefix"];
        driver(container) == Some("awslogs") && prefix.as_str().is_none_or(str::is_empty)
    };
    if containers.iter().any(lacks_prefix) {
        return Err(client_error(
            "Fargate requires log configuration options to include awslogs-stream-prefix to \
             support log driver awslogs.",
        ));
    }
    Ok(())
}
