//! What a release makes its revision from: the definition that runs, a family's newest revision, or
//! a file.

use schemars::JsonSchema;
use serde::Deserialize;

/// The word of the parameter `base`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum BaseName {
    /// What the service, or the live colour, runs.
    Running,
    /// The newest ACTIVE revision of a family that was not registered by a release that was rolled
    /// back or is open. So CPU, environment and secrets may come from CDK, Terraform or
    /// CloudFormation.
    Newest,
}

/// The base of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base<'a> {
    /// `Artifact::taskdef.json`.
    File(&'a str),
    Running,
    /// The newest revision of the named family, or of the one that runs.
    Newest(Option<&'a str>),
}

impl<'a> Base<'a> {
    /// The base that parameters choose. A family without a word means its newest revision.
    ///
    /// # Errors
    /// A message that names both parameters when two contradict each other.
    pub fn chosen(
        taskdef: Option<&'a str>,
        base: Option<BaseName>,
        family: Option<&'a str>,
    ) -> Result<Self, String> {
        let both = |first: &str, second: &str| {
            Err(format!(
                "`{first}` and `{second}` are both given; expected at most one base (without one \
                 it is the service's current definition); remove one"
            ))
        };

        match (taskdef, base, family) {
            (Some(file), None, None) => Ok(Self::File(file)),
            (Some(_), Some(_), _) => both("taskdef", "base"),
            (Some(_), None, Some(_)) => both("taskdef", "family"),
            (None, Some(BaseName::Newest), family) => Ok(Self::Newest(family)),
            (None, None, Some(family)) => Ok(Self::Newest(Some(family))),
            (None, Some(BaseName::Running), Some(family)) => Err(format!(
                "`family` is `{family}` and `base` is `running`; expected `base` `newest` with a \
                 family; change `base`, or remove `family`"
            )),
            (None, Some(BaseName::Running) | None, None) => Ok(Self::Running),
        }
    }
}
