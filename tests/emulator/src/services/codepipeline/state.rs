//! What CodePipeline remembers: plain data that observers may read at any instant.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::action_types::ActionType;
use super::builds::{Commands, Commit, Project};
use super::declaration::Declaration;
use crate::quotas::Bucket;
use crate::{ApiError, Millis};

/// Everything CodePipeline knows.
#[derive(Clone, Debug, Default)]
pub struct CodePipeline {
    pub pipelines: BTreeMap<String, Pipeline>,
    /// Of all pipelines, in the order in which they started; executions outlive their pipeline
    /// here.
    pub executions: Vec<Execution>,
    /// Every job that was ever given out.
    pub jobs: Vec<Job>,
    /// The custom ones of the account, deleted ones included.
    pub action_types: Vec<Arc<ActionType>>,
    /// The projects of CodeBuild, by name.
    pub projects: BTreeMap<String, Project>,
    /// What the commands of build specs do, by path; those of others do nothing.
    pub commands: BTreeMap<String, Commands>,
    /// The commits of the branches of connected repositories, oldest first.
    pub branches: BTreeMap<(String, String), Vec<Commit>>,
    /// Of the calls that start executions.
    pub(super) starts: Bucket,
}

#[derive(Clone, Debug)]
pub struct Pipeline {
    pub name: String,
    pub arn: String,
    /// The current definition, parsed, and every version as it was given (version 1 first).
    pub declaration: Arc<Declaration>,
    pub versions: Vec<Value>,
    pub tags: Value,
    pub created: Millis,
    pub updated: Millis,
    /// One for each stage, in order.
    pub lanes: Vec<Lane>,
    pub start_tokens: BTreeMap<String, StartToken>,
}

/// Which execution is in a stage and which waits before it.
#[derive(Clone, Debug, Default)]
pub struct Lane {
    pub stage: String,
    /// The execution that holds the stage's lock.
    pub occupant: Option<String>,
    /// Who waits to enter, oldest first; at most one unless the mode is QUEUED.
    pub inbound: Vec<String>,
    /// The last execution that entered.
    pub latest: Option<String>,
    pub disabled_inbound: Option<Transition>,
    pub disabled_outbound: Option<Transition>,
}

/// A disabled stage transition.
#[derive(Clone, Debug)]
pub struct Transition {
    pub reason: String,
    pub since: Millis,
}

/// A clientRequestToken that was used.
#[derive(Clone, Debug)]
pub struct StartToken {
    pub execution: String,
    /// How long CodePipeline remembers it is not documented: drawn.
    pub remembered_until: Option<Millis>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExecutionStatus {
    InProgress,
    Stopping,
    Stopped,
    Succeeded,
    Failed,
    Superseded,
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageStatus {
    InProgress,
    Stopping,
    Stopped,
    Succeeded,
    Failed,
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionStatus {
    InProgress,
    Succeeded,
    Failed,
    Abandoned,
}

/// How an execution is to end once its actions in progress are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Stop,
    /// The pipeline was updated or deleted.
    Cancel,
}

#[derive(Clone, Debug)]
pub struct Execution {
    pub id: String,
    pub pipeline: String,
    pub version: usize,
    pub declaration: Arc<Declaration>,
    pub status: ExecutionStatus,
    pub status_summary: Option<String>,
    pub ending: Option<Ending>,
    /// Whether it was stopped with abandon.
    pub abandon: bool,
    pub stop_reason: Option<String>,
    /// `StartPipelineExecution` or `CreatePipeline`, and the ARN of the caller.
    pub trigger: (String, String),
    /// The overrides that it was started with.
    pub source_revisions: Vec<SourceRevision>,
    /// Pipeline variables, resolved.
    pub variables: BTreeMap<String, String>,
    /// Output variables by namespace.
    pub outputs: BTreeMap<String, BTreeMap<String, String>>,
    /// By artifact name.
    pub artifacts: BTreeMap<String, Artifact>,
    /// The stages it entered, in order.
    pub stages: Vec<StageExecution>,
    /// Grows with each RetryStageExecution.
    pub attempt: u32,
    pub started: Millis,
    pub updated: Millis,
    pub ended: Option<Millis>,
}

#[derive(Clone, Debug)]
pub struct SourceRevision {
    pub action: String,
    pub kind: String,
    pub value: String,
}

#[derive(Clone, Debug)]
pub struct Artifact {
    pub bucket: String,
    pub key: String,
    pub revision: Option<String>,
}

#[derive(Clone, Debug)]
pub struct StageExecution {
    pub name: String,
    pub status: StageStatus,
    /// Every action execution, retries included, in order of start.
    pub actions: Vec<ActionExecution>,
    /// Where in `actions` the current round begins: after a retry of all actions, earlier ones no
    /// longer count.
    pub round: usize,
    pub started: Millis,
    pub ended: Option<Millis>,
}

#[derive(Clone, Debug)]
pub struct ActionExecution {
    pub id: String,
    pub name: String,
    pub status: ActionStatus,
    pub summary: Option<String>,
    pub percent: Option<u8>,
    pub external_id: Option<String>,
    pub error: Option<ErrorDetails>,
    /// The approval token of a manual approval that waits.
    pub token: Option<String>,
    /// The configuration with its variables substituted.
    pub resolved: BTreeMap<String, String>,
    pub outputs: BTreeMap<String, String>,
    pub input_artifacts: Vec<(String, Artifact)>,
    pub output_artifacts: Vec<(String, Artifact)>,
    pub started: Millis,
    pub updated: Millis,
    pub ended: Option<Millis>,
}

/// Why an action failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorDetails {
    pub code: String,
    pub message: String,
    /// Whether the time was up that the action type allows the action or its job.
    pub is_late: bool,
}

impl ErrorDetails {
    pub(super) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            is_late: false,
        }
    }

    pub(super) fn late(message: impl Into<String>) -> Self {
        Self {
            is_late: true,
            ..Self::new("JobFailed", message)
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Of a custom action: no worker has acknowledged it.
    Queued,
    InProgress,
    /// Reported with a continuation token: another job follows.
    Continued,
    Succeeded,
    Failed,
    TimedOut,
    /// The execution was stopped, cancelled or retried.
    Abandoned,
}

/// A job given to a Lambda function, or to a worker that polls.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: String,
    pub pipeline: String,
    pub execution: String,
    pub stage: String,
    pub action: String,
    pub action_execution: String,
    /// Empty for a custom action.
    pub function: String,
    /// Of a custom action.
    pub action_type: Option<Arc<ActionType>>,
    /// The number that the worker which polled last acknowledges the job with.
    pub nonce: u64,
    /// The token that the previous job of the action left.
    pub continuation_token: Option<String>,
    /// Identifies the temporary credentials that came with the job.
    pub access_key_id: String,
    /// When its credentials were issued last.
    pub credentials_issued: Millis,
    pub created: Millis,
    pub ended: Option<Millis>,
    pub state: JobState,
    /// Every reported result of the job, refused ones included.
    pub reports: Vec<Report>,
}

/// A reported result of a job.
#[derive(Clone, Debug)]
pub struct Report {
    pub at: Millis,
    pub content: ReportContent,
    /// Why CodePipeline refused it.
    pub refused: Option<ApiError>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ReportContent {
    Success {
        continuation_token: Option<String>,
        outputs: BTreeMap<String, String>,
        summary: Option<String>,
        percent: Option<u8>,
        external_id: Option<String>,
    },
    Failure {
        kind: String,
        message: String,
    },
}

impl Job {
    /// Whether it can still get a result.
    pub fn is_open(&self) -> bool {
        matches!(self.state, JobState::Queued | JobState::InProgress)
    }
}

impl CodePipeline {
    pub fn execution(&self, id: &str) -> Option<&Execution> {
        self.executions
            .iter()
            .rev()
            .find(|execution| execution.id == id)
    }

    pub(super) fn execution_mut(&mut self, id: &str) -> &mut Execution {
        let found = self
            .executions
            .iter_mut()
            .rev()
            .find(|execution| execution.id == id);
        found.expect("executions are never forgotten")
    }

    pub fn job(&self, id: &str) -> Option<&Job> {
        self.jobs.iter().rev().find(|job| job.id == id)
    }

    pub(super) fn job_mut(&mut self, id: &str) -> Option<&mut Job> {
        self.jobs.iter_mut().rev().find(|job| job.id == id)
    }
}

impl Execution {
    pub fn is_over(&self) -> bool {
        !matches!(
            self.status,
            ExecutionStatus::InProgress | ExecutionStatus::Stopping
        )
    }

    /// The newest execution of the action in the stage's current round.
    pub fn latest_action(&self, stage: &str, action: &str) -> Option<&ActionExecution> {
        self.stage(stage)?
            .current()
            .iter()
            .rev()
            .find(|execution| execution.name == action)
    }

    pub fn stage(&self, name: &str) -> Option<&StageExecution> {
        self.stages.iter().find(|stage| stage.name == name)
    }

    pub(super) fn stage_mut(&mut self, name: &str) -> &mut StageExecution {
        self.stages
            .iter_mut()
            .find(|stage| stage.name == name)
            .expect("an execution knows the stages it entered")
    }

    /// The stage and the action execution with this id.
    pub fn action(&self, id: &str) -> Option<(&StageExecution, &ActionExecution)> {
        self.stages
            .iter()
            .find_map(|stage| Some((stage, stage.actions.iter().find(|action| action.id == id)?)))
    }

    pub(super) fn action_mut(&mut self, id: &str) -> Option<&mut ActionExecution> {
        self.stages
            .iter_mut()
            .flat_map(|stage| &mut stage.actions)
            .find(|action| action.id == id)
    }
}

impl StageExecution {
    /// The action executions that count.
    pub fn current(&self) -> &[ActionExecution] {
        &self.actions[self.round..]
    }

    pub(super) fn is_busy(&self) -> bool {
        self.current()
            .iter()
            .any(|action| action.status == ActionStatus::InProgress)
    }
}
