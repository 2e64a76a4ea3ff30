//! The volumes that a service configures for its tasks at launch: the task definition must leave
//! them to it.

use serde_json::{Map, Value};

use crate::ApiError;

use super::definition_rules::name;
use super::definitions::TaskDefinition;
use super::invalid;

pub(super) fn check(
    settings: &Map<String, Value>,
    definition: &TaskDefinition,
) -> Result<(), ApiError> {
    let configured = settings.get("volumeConfigurations");
    let mut configured = configured.and_then(Value::as_array).into_iter().flatten();
    let defined = definition.json.get("volumes").and_then(Value::as_array);
    let is_left_open = |wanted: &Value| {
        let mut volumes = defined.into_iter().flatten();
        volumes.any(|volume| volume["configuredAtLaunch"] == true && name(volume) == name(wanted))
    };

    if configured.all(is_left_open) {
        Ok(())
    } else {
        Err(invalid(
            "Volume configuration provided but no matching configuredAtLaunch volume found in task \
             definition.",
        ))
    }
}
