//! A pipeline's definition: read into types, each member checked by itself. `structure.rs` checks
//! how they fit together.

mod read;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::action_types::{self, ActionType, ActionTypes};
use super::input::{self, ActionTypeName, Checks, NAME, between};
use crate::ApiError;
use crate::validation::missing;

use read::{check_role, mode, read_stage, read_variables, store};

/// The members of a definition.
const MEMBERS: [&str; 9] = [
    "name",
    "roleArn",
    "artifactStore",
    "artifactStores",
    "stages",
    "version",
    "executionMode",
    "pipelineType",
    "variables",
];

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
    pub stages: Vec<StageDeclaration>,
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
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Superseded => "SUPERSEDED",
            Self::Queued => "QUEUED",
            Self::Parallel => "PARALLEL",
        }
    }
}

#[derive(Clone, Debug)]
pub struct StageDeclaration {
    pub name: String,
    pub actions: Vec<ActionDeclaration>,
}

#[derive(Clone, Debug)]
pub struct ActionDeclaration {
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Provider {
    Ecr,
    S3,
    /// A repository of another provider, by a connection.
    Connection,
    /// CodeBuild, as an action that builds.
    Build,
    /// CodeBuild, as an action that tests.
    Test,
    Lambda,
    Manual,
    /// A worker of the account.
    Custom(Arc<ActionType>),
}

impl Provider {
    fn of(name: &ActionTypeName, types: &ActionTypes) -> Option<Self> {
        match (name.category, name.owner, name.provider, name.version) {
            ("Source", "AWS", "ECR", "1") => Some(Self::Ecr),
            ("Source", "AWS", "S3", "1") => Some(Self::S3),
            ("Source", "AWS", "CodeStarSourceConnection", "1") => Some(Self::Connection),
            ("Build", "AWS", "CodeBuild", "1") => Some(Self::Build),
            ("Test", "AWS", "CodeBuild", "1") => Some(Self::Test),
            ("Invoke", "AWS", "Lambda", "1") => Some(Self::Lambda),
            ("Approval", "AWS", "Manual", "1") => Some(Self::Manual),
            _ => action_types::known(types, name).map(Self::Custom),
        }
    }

    /// What names its action type.
    pub fn id(&self) -> Value {
        let category = match self {
            Self::Ecr | Self::S3 | Self::Connection => "Source",
            Self::Build => "Build",
            Self::Test => "Test",
            Self::Lambda => "Invoke",
            Self::Manual => "Approval",
            Self::Custom(of_type) => return of_type.id(),
        };
        json!({
            "category": category, "owner": "AWS", "provider": self.as_str(), "version": "1",
        })
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Ecr => "ECR",
            Self::S3 => "S3",
            Self::Connection => "CodeStarSourceConnection",
            Self::Build | Self::Test => "CodeBuild",
            Self::Lambda => "Lambda",
            Self::Manual => "Manual",
            Self::Custom(of_type) => &of_type.provider,
        }
    }

    pub fn is_source(&self) -> bool {
        matches!(self, Self::Ecr | Self::S3 | Self::Connection)
    }

    /// Configuration keys: the required ones, then the optional ones.
    pub fn configuration(&self) -> (Vec<&str>, Vec<&str>) {
        match self {
            Self::Ecr => (vec!["RepositoryName"], vec!["ImageTag"]),
            Self::S3 => (
                vec!["S3Bucket", "S3ObjectKey"],
                vec!["PollForSourceChanges", "AllowOverrideForS3ObjectKey"],
            ),
            Self::Connection => (
                vec!["ConnectionArn", "FullRepositoryId", "BranchName"],
                vec!["OutputArtifactFormat", "DetectChanges"],
            ),
            Self::Build | Self::Test => (
                vec!["ProjectName"],
                vec![
                    "PrimarySource",
                    "BatchEnabled",
                    "BuildspecOverride",
                    "CombineArtifacts",
                    "EnvironmentVariables",
                ],
            ),
            Self::Lambda => (vec!["FunctionName"], vec!["UserParameters"]),
            Self::Manual => (
                Vec::new(),
                vec!["NotificationArn", "CustomData", "ExternalEntityLink"],
            ),
            Self::Custom(of_type) => {
                let named = |is_required: bool| {
                    of_type
                        .properties
                        .iter()
                        .filter(|property| property.is_required == is_required)
                        .map(|property| property.name.as_str())
                        .collect()
                };
                (named(true), named(false))
            }
        }
    }

    /// The least and most artifacts in and out.
    pub fn artifacts(&self) -> [(usize, usize); 2] {
        match self {
            Self::Ecr | Self::S3 | Self::Connection => [(0, 0), (1, 1)],
            Self::Build | Self::Test => [(1, 5), (0, 5)],
            Self::Lambda => [(0, 5), (0, 5)],
            Self::Manual => [(0, 0), (0, 0)],
            Self::Custom(of_type) => of_type.artifacts,
        }
    }
}

impl Declaration {
    pub fn parse(pipeline: &Value, region: &str, types: &ActionTypes) -> Result<Self, ApiError> {
        if !pipeline.is_object() {
            return Err(input::invalid(missing("pipeline")));
        }

        input::only(pipeline, &MEMBERS)?;
        let mut checks = Checks::default();
        let name = checks
            .text(&pipeline["name"], "pipeline.name", &NAME)?
            .to_owned();
        let role = checks.text(&pipeline["roleArn"], "pipeline.roleArn", &between(0, 1024))?;
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
            .map(|stage| read_stage(&mut checks, stage, types))
            .collect::<Result<_, _>>()?;
        let variables = read_variables(&mut checks, pipeline)?;
        let mode = mode(&mut checks, pipeline)?;
        let encryption_key = encryption_key.map(str::to_owned);

        checks.done()?;
        check_role(role)?;

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

    pub fn action(&self, stage: &str, action: &str) -> Option<&ActionDeclaration> {
        let stage = self.stages.iter().find(|known| known.name == stage)?;
        stage.actions.iter().find(|known| known.name == action)
    }

    /// The source action of this name.
    pub fn source(&self, name: &str) -> Option<&ActionDeclaration> {
        self.stages
            .first()?
            .actions
            .iter()
            .find(|action| action.name == name)
    }
}
