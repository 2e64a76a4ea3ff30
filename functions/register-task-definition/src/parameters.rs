//! The user parameters of the step: the base of the new revision and its images.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use slipway::job::Failure;

/// User parameters of a register-task-definition action.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Images by container name or placeholder (`<IMAGE1_NAME>`): a reference, or
    /// `Artifact::imageDetail.json`.
    #[serde(default)]
    pub images: BTreeMap<String, String>,
    /// `Artifact::imagedefinitions.json`, for several containers at once.
    pub imagedefinitions: Option<String>,
    /// The base as a file: `Artifact::taskdef.json`.
    pub taskdef: Option<String>,
    /// The base as a family's newest revision.
    pub family: Option<String>,
}

impl Parameters {
    pub(crate) fn validate(&self) -> Result<(), Failure> {
        if self.taskdef.is_some() && self.family.is_some() {
            return Err(Failure::configuration(
                "`taskdef` and `family` are both given; expected at most one base (without one it \
                 is the service's current definition); remove one",
            ));
        }

        if self.images.is_empty() && self.imagedefinitions.is_none() {
            return Err(Failure::configuration(
                "no image is given; expected `images` {\"<container>\": \"<image>\"}, or \
                 `imagedefinitions` \"<artifact>::imagedefinitions.json\"",
            ));
        }

        Ok(())
    }
}
