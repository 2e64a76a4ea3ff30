//! CodePipeline V2: an engine that runs pipelines made of ECR, S3 and connected sources, builds,
//! Lambda functions, custom actions and manual approvals.
//!
//! It exists because no emulator runs a stage. `engine` moves executions through stages and
//! actions, `jobs` speaks with the functions, `polling` with the workers of custom actions, and the
//! other modules serve the API.

mod action_types;
mod actions;
mod approvals;
mod builds;
mod declaration;
mod endings;
mod engine;
mod events;
mod executions;
mod iam;
mod input;
mod job_details;
mod jobs;
mod permissions;
mod pipeline_state;
mod pipelines;
mod polling;
mod reports;
mod responses;
mod source;
mod state;
mod state_changes;
mod structure;
#[cfg(test)]
mod tests;
mod transitions;
mod variables;

use serde_json::Value;

use crate::protocol::{Cbor, Json, Protocol};
use crate::service::{Errors, Service};
use crate::{ApiError, Aws, record};
use events::CodePipelineEvent;

pub use action_types::{ActionType, ActionTypes, Property};
pub use builds::{Build, Built, Commands, Commit, Project, commit, find_image, push};
pub use declaration::{ActionDeclaration, Declaration, Mode, Provider, StageDeclaration, Variable};
pub use jobs::CREDENTIALS_MS;
pub(crate) use jobs::JOB_KEY;
pub use state::*;

pub(crate) const SERVICE: Service = Service {
    name: "codepipeline",
    // Its model has named CBOR before JSON since the autumn of 2026; clients choose.
    protocol: Protocol::Cbor(Cbor {
        json: Json::new("CodePipeline_20150709", "com.amazonaws.codepipeline", call),
        call,
        shape_of: None,
        times: &[
            "approvedAt",
            "created",
            "lastChangedAt",
            "lastStatusChange",
            "lastUpdateTime",
            "startTime",
            "updated",
        ],
    }),
    errors: Errors::JSON,
    demands: iam::demands,
};

/// One operation by its API name with the JSON 1.1 input; returns the JSON output.
pub fn call(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let answer = run_operation(aws, operation, input);
    record::operation("codepipeline", operation, input, &answer);
    answer
}

fn run_operation(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    match operation {
        "CreatePipeline" => pipelines::create(aws, input),
        "UpdatePipeline" => pipelines::update(aws, input),
        "DeletePipeline" => pipelines::delete(aws, input),
        "GetPipeline" => pipelines::get(aws, input),
        "ListPipelines" => pipelines::list(aws, input),
        "ListTagsForResource" => pipelines::tags(aws, input),
        "StartPipelineExecution" => executions::start(aws, input),
        "StopPipelineExecution" => executions::stop(aws, input),
        "RetryStageExecution" => executions::retry_stage(aws, input),
        "GetPipelineExecution" => responses::pipeline_execution(aws, input),
        "ListPipelineExecutions" => responses::pipeline_executions(aws, input),
        "ListActionExecutions" => responses::action_executions(aws, input),
        "GetPipelineState" => pipeline_state::describe(aws, input),
        "PutApprovalResult" => approvals::put_result(aws, input),
        "EnableStageTransition" => transitions::enable(aws, input),
        "DisableStageTransition" => transitions::disable(aws, input),
        "CreateCustomActionType" => action_types::create(aws, input),
        "DeleteCustomActionType" => action_types::delete(aws, input),
        "ListActionTypes" => action_types::list(aws, input),
        "PollForJobs" => polling::poll(aws, input),
        "AcknowledgeJob" => polling::acknowledge(aws, input),
        "GetJobDetails" => job_details::get(aws, input),
        "PutJobSuccessResult" => reports::put_success(aws, input),
        "PutJobFailureResult" => reports::put_failure(aws, input),
        _ => Err(ApiError::unknown_operation(operation)),
    }
}

/// The pipeline of this name, or AWS's error.
fn known<'a>(aws: &'a Aws, name: &str) -> Result<&'a Pipeline, ApiError> {
    aws.codepipeline.pipelines.get(name).ok_or_else(|| {
        let message = format!(
            "Account '{}' does not have a pipeline with name '{name}'",
            aws.account
        );
        ApiError::client("PipelineNotFoundException", message)
    })
}

/// The execution of this pipeline with this id, or AWS's error.
fn known_execution<'a>(aws: &'a Aws, pipeline: &str, id: &str) -> Result<&'a Execution, ApiError> {
    aws.codepipeline
        .execution(id)
        .filter(|execution| execution.pipeline == pipeline)
        .ok_or_else(|| {
            let message = format!(
                "The pipeline execution with id '{id}' does not exist in pipeline '{pipeline}'"
            );
            ApiError::client("PipelineExecutionNotFoundException", message)
        })
}

fn job_not_found(id: &str) -> ApiError {
    let message = format!("Job with id '{id}' cannot be found");
    ApiError::client("JobNotFoundException", message)
}

/// AWS's error unless the pipeline has a stage of this name.
fn require_stage(pipeline: &Pipeline, stage: &str) -> Result<(), ApiError> {
    match pipeline.declaration.stage_index(stage) {
        Some(_) => Ok(()),
        None => {
            let message = format!(
                "Pipeline '{}' does not have a stage with name '{stage}'",
                pipeline.name
            );
            Err(ApiError::client("StageNotFoundException", message))
        }
    }
}
