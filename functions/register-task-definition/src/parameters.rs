//! The user parameters of the step: the base of the new revision and its images.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use slipway::freeze::{Freeze, Guards, Line};
use slipway::job::Failure;
use slipway::task_definition::{Base, BaseName};

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
    /// The base as a file: `Artifact::taskdef.json`, or what `docker inspect` prints:
    /// `Artifact::inspect.json`.
    pub taskdef: Option<String>,
    /// The base as a word; `running` when not given.
    pub base: Option<BaseName>,
    /// The family of the base `newest`, which need not be given with it; the one that the service,
    /// or the live colour, runs when not given.
    pub family: Option<String>,
    /// Windows in which the release makes no step towards its new revision: it starts no
    /// deployment and no one-off task, and moves no traffic forward.
    pub freeze: Option<Freeze>,
    /// Stops the line: which disabled transition holds the release back, and which it disables when
    /// it fails.
    pub line: Option<Line>,
}

impl Parameters {
    pub(crate) fn validate(&self) -> Result<(), Failure> {
        self.chosen_base()?;
        self.guards().check().map_err(Failure::configuration)?;

        if self.images.is_empty() && self.imagedefinitions.is_none() {
            return Err(Failure::configuration(
                "no image is given; expected `images` {\"<container>\": \"<image>\"}, or \
                 `imagedefinitions` \"<artifact>::imagedefinitions.json\"",
            ));
        }

        Ok(())
    }

    /// What holds the steps of the release back.
    pub(crate) fn guards(&self) -> Guards {
        Guards {
            freeze: self.freeze.clone(),
            line: self.line.clone(),
        }
    }

    pub(crate) fn chosen_base(&self) -> Result<Base<'_>, Failure> {
        Base::chosen(self.taskdef.as_deref(), self.base, self.family.as_deref())
            .map_err(Failure::configuration)
    }
}
