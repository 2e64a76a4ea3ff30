//! CodePipeline V2: an engine that runs pipelines made of ECR and S3 sources, Lambda functions and manual approvals.
//!
//! It exists because no emulator runs a stage. `engine` moves executions through stages and actions, `jobs` speaks with the
//! functions, and the other modules serve the API.

mod actions;
mod approvals;
mod declaration;
mod engine;
mod events;
mod executions;
mod input;
mod jobs;
mod permissions;
mod pipelines;
mod source;
mod state;
mod structure;
#[cfg(test)]
mod tests;
mod transitions;
mod variables;
mod views;

use serde_json::Value;

use crate::{ApiError, Aws, record};

pub use declaration::{Action, Declaration, Mode, Provider, Stage, Variable};
pub use jobs::CREDENTIALS_MS;
pub use state::*;

/// What CodePipeline does by itself.
#[derive(Clone, Debug)]
pub enum Due {
    /// An action that was begun does its work.
    Act { execution: String, action: String },
    /// An action has been in progress for as long as its kind may be.
    ActionLimit { execution: String, action: String },
    /// A job has been without an answer for 20 minutes.
    JobSilent { job: String },
    /// An action that was reported as still going gets its next job.
    NextJob {
        execution: String,
        action: String,
        token: String,
    },
}

pub fn run_due(aws: &mut Aws, due: Due) {
    match due {
        Due::Act { execution, action } => actions::act(aws, &execution, &action),
        Due::ActionLimit { execution, action } => actions::out_of_time(aws, &execution, &action),
        Due::JobSilent { job } => jobs::silent(aws, &job),
        Due::NextJob {
            execution,
            action,
            token,
        } => jobs::give(aws, &execution, &action, Some(token)),
    }
}

/// One operation by its API name with the JSON 1.1 input; answers the JSON output.
pub fn call(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
    let answer = answer(aws, operation, input);
    record::operation("codepipeline", operation, input, &answer);
    answer
}

fn answer(aws: &mut Aws, operation: &str, input: &Value) -> Result<Value, ApiError> {
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
        "GetPipelineExecution" => views::pipeline_execution(aws, input),
        "ListPipelineExecutions" => views::pipeline_executions(aws, input),
        "ListActionExecutions" => views::action_executions(aws, input),
        "GetPipelineState" => views::pipeline_state(aws, input),
        "PutApprovalResult" => approvals::put_result(aws, input),
        "EnableStageTransition" => transitions::enable(aws, input),
        "DisableStageTransition" => transitions::disable(aws, input),
        "PutJobSuccessResult" => jobs::put_success(aws, input),
        "PutJobFailureResult" => jobs::put_failure(aws, input),
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
