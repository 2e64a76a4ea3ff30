//! What RegisterTaskDefinition refuses for Amazon ECS Managed Instances.

use crate::ApiError;

use super::client_error;
use super::definition_network::{MANAGED, network_mode};
use super::input::CheckedInput;

/// The log drivers of managed instances (ECS API: LogConfiguration).
const DRIVERS: [&str; 4] = ["awslogs", "splunk", "awsfirelens", "json-file"];

pub(super) fn check(input: &CheckedInput) -> Result<(), ApiError> {
    if !input.texts("requiresCompatibilities").contains(&MANAGED) {
        return Ok(());
    }

    if network_mode(input.0) == "bridge" {
        return Err(client_error(
            "Tasks using Managed Instances do not support networkMode=bridge.",
        ));
    }
    let containers = input.list("containerDefinitions").iter();
    let mut drivers = containers.filter_map(|it| it["logConfiguration"]["logDriver"].as_str());
    if let Some(other) = drivers.find(|driver| !DRIVERS.contains(driver)) {
        return Err(client_error(format!(
            "{other} is not a valid log driver. Must be one of [{}]",
            DRIVERS.join(",")
        )));
    }

    let mut volumes = input.list("volumes").iter();
    if volumes.any(|volume| volume["dockerVolumeConfiguration"].is_object()) {
        return Err(client_error(
            "Tasks using Managed Instances do not support dockerVolumeConfiguration",
        ));
    }
    Ok(())
}
