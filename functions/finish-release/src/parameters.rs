//! The user parameters of the step: what must be running when the release ends, and for how long
//! before.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use slipway::job::Failure;
use slipway::limits::SOAK_MAX_MINUTES;
use slipway::observed::service::check_revision_arn;
use slipway::timestamp::minutes;

/// User parameters of a finish-release action.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// ARN of the revision that must be running.
    pub task_definition: String,
    /// How long the release stays open once the service runs the revision steadily, in minutes: a
    /// failure in that time rolls it back, and a promotion goes on only after it. 0 when not given.
    #[schemars(range(max = SOAK_MAX_MINUTES))]
    pub soak_minutes: Option<u32>,
}

impl Parameters {
    pub(crate) fn validate(&self) -> Result<(), Failure> {
        check_revision_arn(&self.task_definition).map_err(Failure::configuration)?;
        match self.soak_minutes {
            Some(given) if given > SOAK_MAX_MINUTES => Err(Failure::configuration(format!(
                "`soak_minutes` is {given}; expected 0 to {SOAK_MAX_MINUTES}"
            ))),
            _ => Ok(()),
        }
    }

    pub(crate) fn soak(&self) -> Duration {
        minutes(self.soak_minutes.unwrap_or_default())
    }
}
