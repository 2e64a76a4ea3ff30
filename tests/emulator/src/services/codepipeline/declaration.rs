//! A pipeline's definition: read into types, each member checked by itself. `structure.rs` checks
//! how they fit together.

use std::collections::BTreeMap;

use serde_json::Value;

use super::input::{self, Checks, NAME, NAMESPACE, VARIABLE_NAME, VARIABLE_VALUE, between};
use crate::ApiError;
use crate::validation::{Quoted, missing, violation};

/// A pipeline's definition.
#[derive(Clone, Debug)]
pub struct Declaration {
    pub name: String,
    pub mode: Mode,
    /// The ARN of the role that CodePipeline works under.
    pub role: String,
    /// The bucket of the artifact store.
    pub bucket: String,
    /// The KMS key of the artifact store.
    pub encryption_key: Option<String>,
    pub stages: Vec<Stage>,
    pub variables: Vec<Variable>,
}

/// How executions of one pipeline meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Superseded,
    Queued,
    Parallel,
}

impl Mode {
    pub fn word(self) -> &'static str {
        match self {
            Self::Superseded => "SUPERSEDED",
            Self::Queued => "QUEUED",
            Self::Parallel => "PARALLEL",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Stage {
    pub name: String,
    pub actions: Vec<Action>,
}

#[derive(Clone, Debug)]
pub struct Action {
    pub name: String,
    pub provider: Provider,
    pub run_order: u32,
    pub configuration: BTreeMap<String, String>,
    pub input_artifacts: Vec<String>,
    pub output_artifacts: Vec<String>,
    pub namespace: Option<String>,
    pub region: Option<String>,
    pub timeout_minutes: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct Variable {
    pub name: String,
    pub default: Option<String>,
}

/// The action types that are modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    Ecr,
    S3,
    Lambda,
    Manual,
}

impl Provider {
    fn of(category: &str, owner: &str, provider: &str, version: &str) -> Option<Self> {
        match (category, owner, provider, version) {
            ("Source", "AWS", "ECR", "1") => Some(Self::Ecr),
            ("Source", "AWS", "S3", "1") => Some(Self::S3),
            ("Invoke", "AWS", "Lambda", "1") => Some(Self::Lambda),
            ("Approval", "AWS", "Manual", "1") => Some(Self::Manual),
            _ => None,
        }
    }

    pub fn category(self) -> &'static str {
        match self {
            Self::Ecr | Self::S3 => "Source",
            Self::Lambda => "Invoke",
            Self::Manual => "Approval",
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Ecr => "ECR",
            Self::S3 => "S3",
            Self::Lambda => "Lambda",
            Self::Manual => "Manual",
        }
    }

    pub fn is_source(self) -> bool {
        matches!(self, Self::Ecr | Self::S3)
    }

    /// Configuration keys: the required ones, then the optional ones.
    pub fn configuration(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Ecr => (&["RepositoryName"], &["ImageTag"]),
            Self::S3 => (
                &["S3Bucket", "S3ObjectKey"],
                &["PollForSourceChanges", "AllowOverrideForS3ObjectKey"],
            ),
            Self::Lambda => (&["FunctionName"], &["UserParameters"]),
            Self::Manual => (
                &[],
                &["NotificationArn", "CustomData", "ExternalEntityLink"],
            ),
        }
    }

    /// The least and most artifacts in and out.
    pub fn artifacts(self) -> [(usize, usize); 2] {
        match self {
            Self::Ecr | Self::S3 => [(0, 0), (1, 1)],
            Self::Lambda => [(0, 5), (0, 5)],
            Self::Manual => [(0, 0), (0, 0)],
        }
    }
}

impl Declaration {
    pub fn parse(pipeline: &Value, region: &str) -> Result<Self, ApiError> {
        if !pipeline.is_object() {
            return Err(input::invalid(missing("pipeline")));
        }

        input::only(
            pipeline,
            &[
                "name",
                "roleArn",
                "artifactStore",
                "artifactStores",
                "stages",
                "version",
                "executionMode",
                "pipelineType",
                "variables",
            ],
        )?;
        let mut checks = Checks::default();
        let name = checks
            .text(&pipeline["name"], "pipeline.name", &NAME)?
            .to_owned();
        let role = checks.text(&pipeline["roleArn"], "pipeline.roleArn", &between(0, 1024))?;
        let role_is_valid = role.starts_with("arn:") && role.contains(":role/");
        let store = store(pipeline, region)?;
        let bucket = checks
            .text(
                &store["location"],
                "pipeline.artifactStore.location",
                &between(3, 63),
            )?
            .to_owned();

        checks.one_of(&store["type"], "pipeline.artifactStore.type", &["S3"])?;
        let encryption_key = checks.optional(
            &store["encryptionKey"]["id"],
            "pipeline.artifactStore.encryptionKey.id",
            &between(1, 400),
        )?;
        let stages = input::list(&pipeline["stages"], "pipeline.stages")?;
        let stages = stages
            .iter()
            .map(|stage| read_stage(&mut checks, stage))
            .collect::<Result<_, _>>()?;
        let variables = input::list(&pipeline["variables"], "pipeline.variables")?;
        if variables.len() > 50 {
            return Err(input::invalid(violation(
                Quoted::Omitted,
                "pipeline.variables",
                "Member must have length less than or equal to 50",
            )));
        }

        let variables = variables
            .iter()
            .map(|variable| read_variable(&mut checks, variable))
            .collect::<Result<_, _>>()?;
        let mode = mode(&mut checks, pipeline)?;
        let encryption_key = encryption_key.map(str::to_owned);

        checks.done()?;
        if !role_is_valid {
            return Err(input::invalid(violation(
                Quoted::Text(role),
                "pipeline.roleArn",
                "Member must satisfy regular expression pattern: \
                 arn:aws(-[\\w]+)*:iam::[0-9]{12}:role/.*",
            )));
        }

        Ok(Self {
            name,
            mode,
            role: role.to_owned(),
            bucket,
            encryption_key,
            stages,
            variables,
        })
    }

    pub fn stage_index(&self, name: &str) -> Option<usize> {
        self.stages.iter().position(|stage| stage.name == name)
    }

    pub fn action(&self, stage: &str, action: &str) -> Option<&Action> {
        let stage = self.stages.iter().find(|known| known.name == stage)?;
        stage.actions.iter().find(|known| known.name == action)
    }

    /// The source action of this name.
    pub fn source(&self, name: &str) -> Option<&Action> {
        self.stages
            .first()?
            .actions
            .iter()
            .find(|action| action.name == name)
    }
}

/// The artifact store: the only one, or that of this region.
fn store<'a>(pipeline: &'a Value, region: &str) -> Result<&'a Value, ApiError> {
    match (&pipeline["artifactStore"], &pipeline["artifactStores"]) {
        (Value::Null, Value::Null) => {
            let message = "Pipeline must have exactly one of artifactStore and artifactStores";
            Err(ApiError::client("InvalidStructureException", message))
        }
        (store, Value::Null) => Ok(store),
        (Value::Null, stores) => Ok(&stores[region]),
        _ => Err(input::invalid(
            "artifactStore and artifactStores cannot both be given",
        )),
    }
}

fn mode(checks: &mut Checks, pipeline: &Value) -> Result<Mode, ApiError> {
    let words = ["QUEUED", "SUPERSEDED", "PARALLEL"];
    let mode = match &pipeline["executionMode"] {
        Value::Null => "SUPERSEDED",
        given => checks.one_of(given, "pipeline.executionMode", &words)?,
    };
    let kind = match &pipeline["pipelineType"] {
        Value::Null => "V1",
        given => checks.one_of(given, "pipeline.pipelineType", &["V1", "V2"])?,
    };
    let has_variables = pipeline["variables"]
        .as_array()
        .is_some_and(|variables| !variables.is_empty());
    if kind == "V1" && (mode != "SUPERSEDED" || has_variables) {
        let message = "Pipeline type V1 supports neither pipeline-level variables nor the \
            execution mode; use V2";
        return Err(ApiError::client("InvalidStructureException", message));
    }

    Ok(match mode {
        "QUEUED" => Mode::Queued,
        "PARALLEL" => Mode::Parallel,
        _ => Mode::Superseded,
    })
}

fn read_stage(checks: &mut Checks, stage: &Value) -> Result<Stage, ApiError> {
    input::only(stage, &["name", "actions", "blockers"])?;
    let actions = input::list(&stage["actions"], "pipeline.stages.member.actions")?;

    Ok(Stage {
        name: checks
            .text(&stage["name"], "pipeline.stages.member.name", &NAME)?
            .to_owned(),
        actions: actions
            .iter()
            .map(|action| read_action(checks, action))
            .collect::<Result<_, _>>()?,
    })
}

fn read_variable(checks: &mut Checks, variable: &Value) -> Result<Variable, ApiError> {
    input::only(variable, &["name", "defaultValue", "description"])?;
    checks.optional(
        &variable["description"],
        "pipeline.variables.member.description",
        &between(0, 200),
    )?;
    let default = checks.optional(
        &variable["defaultValue"],
        "pipeline.variables.member.defaultValue",
        &VARIABLE_VALUE,
    )?;

    Ok(Variable {
        name: checks
            .text(
                &variable["name"],
                "pipeline.variables.member.name",
                &VARIABLE_NAME,
            )?
            .to_owned(),
        default: default.map(str::to_owned),
    })
}

fn read_action(checks: &mut Checks, action: &Value) -> Result<Action, ApiError> {
    const AT: &str = "pipeline.stages.member.actions.member";

    input::only(
        action,
        &[
            "name",
            "actionTypeId",
            "runOrder",
            "configuration",
            "outputArtifacts",
            "inputArtifacts",
            "roleArn",
            "region",
            "namespace",
            "timeoutInMinutes",
        ],
    )?;
    let name = checks
        .text(&action["name"], &format!("{AT}.name"), &NAME)?
        .to_owned();
    let run_order = checks
        .number(&action["runOrder"], &format!("{AT}.runOrder"), 1, 999)?
        .unwrap_or(1);
    let timeout = checks.number(
        &action["timeoutInMinutes"],
        &format!("{AT}.timeoutInMinutes"),
        5,
        86_400,
    )?;
    let namespace =
        checks.optional(&action["namespace"], &format!("{AT}.namespace"), &NAMESPACE)?;
    let region = checks.optional(&action["region"], &format!("{AT}.region"), &between(4, 30))?;
    let mut artifacts = |member: &str| -> Result<Vec<String>, ApiError> {
        let path = format!("{AT}.{member}");
        let list = input::list(&action[member], &path)?;

        list.iter()
            .map(|artifact| {
                Ok(checks
                    .text(&artifact["name"], &path, &between(1, 100))?
                    .to_owned())
            })
            .collect()
    };

    Ok(Action {
        provider: provider(&action["actionTypeId"], &name)?,
        run_order: run_order as u32,
        input_artifacts: artifacts("inputArtifacts")?,
        output_artifacts: artifacts("outputArtifacts")?,
        configuration: configuration(checks, &action["configuration"])?,
        namespace: namespace.map(str::to_owned),
        region: region.map(str::to_owned),
        timeout_minutes: timeout.map(|minutes| minutes as u64),
        name,
    })
}

fn provider(id: &Value, action: &str) -> Result<Provider, ApiError> {
    let word = |member: &str| id[member].as_str().unwrap_or_default();
    let [category, owner, provider, version] =
        ["category", "owner", "provider", "version"].map(word);

    Provider::of(category, owner, provider, version).ok_or_else(|| {
        let message = format!(
            "ActionType (Category: '{category}', Provider: '{provider}', Owner: '{owner}', \
             Version: '{version}') in action '{action}' is not available"
        );
        ApiError::client("InvalidActionDeclarationException", message)
    })
}

fn configuration(checks: &mut Checks, given: &Value) -> Result<BTreeMap<String, String>, ApiError> {
    let mut configuration = BTreeMap::new();
    for (key, value) in given.as_object().into_iter().flatten() {
        let path = format!("pipeline.stages.member.actions.member.configuration.{key}");
        configuration.insert(
            key.clone(),
            checks.text(value, &path, &between(1, 1000))?.to_owned(),
        );
    }
    Ok(configuration)
}
