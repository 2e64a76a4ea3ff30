//! The user parameters of the step: what must be running when the release ends.

use schemars::JsonSchema;
use serde::Deserialize;
use slipway::job::Failure;
use slipway::observed::service::check_revision_arn;

/// User parameters of a finish-release action.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// ARN of the revision that must be running.
    pub task_definition: String,
}

impl Parameters {
    pub(crate) fn validate(&self) -> Result<(), Failure> {
        check_revision_arn(&self.task_definition).map_err(Failure::configuration)
    }
}
