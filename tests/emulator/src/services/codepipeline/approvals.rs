//! Answers to manual approvals.

use serde_json::{Value, json};

use super::engine::{self, Done};
use super::input::{self, Checks, ID, NAME, between};
use super::state::{ActionExecution, ActionStatus, ErrorDetails};
use super::{known, require_stage};
use crate::{ApiError, Aws};

pub(super) fn put_result(aws: &mut Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(
        given,
        &["pipelineName", "stageName", "actionName", "result", "token"],
    )?;
    let mut checks = Checks::default();
    let pipeline = checks.text(&given["pipelineName"], "pipelineName", &NAME)?;
    let stage = checks.text(&given["stageName"], "stageName", &NAME)?;
    let action = checks.text(&given["actionName"], "actionName", &NAME)?;
    let token = checks.text(&given["token"], "token", &ID)?;
    let summary = checks.text(
        &given["result"]["summary"],
        "result.summary",
        &between(0, 512),
    )?;
    let status = checks.one_of(
        &given["result"]["status"],
        "result.status",
        &["Approved", "Rejected"],
    )?;

    checks.done()?;
    check_names(aws, pipeline, stage, action)?;
    let (execution, id) = waiting(aws, pipeline, stage, action, token)?;

    if let Some(action) = aws.codepipeline.execution_mut(&execution).action_mut(&id) {
        action.summary = Some(summary.to_owned()).filter(|summary| !summary.is_empty());
    }

    let ended = match status {
        "Approved" => Ok(Done::default()),
        _ => Err(ErrorDetails::new(
            "JobFailed",
            format!("The approval was rejected: {summary}"),
        )),
    };
    engine::finish_action(aws, &execution, &id, ended);
    Ok(json!({ "approvedAt": Aws::seconds(aws.now) }))
}

fn check_names(aws: &Aws, pipeline: &str, stage: &str, action: &str) -> Result<(), ApiError> {
    let known = known(aws, pipeline)?;
    require_stage(known, stage)?;

    match known.declaration.action(stage, action) {
        Some(_) => Ok(()),
        None => {
            let message = format!(
                "Stage '{stage}' of pipeline '{pipeline}' does not have an action with name \
                 '{action}'"
            );
            Err(ApiError::client("ActionNotFoundException", message))
        }
    }
}

/// The execution and the action execution that wait for this token.
fn waiting(
    aws: &Aws,
    pipeline: &str,
    stage: &str,
    action: &str,
    token: &str,
) -> Result<(String, String), ApiError> {
    let of_pipeline = aws
        .codepipeline
        .executions
        .iter()
        .filter(|execution| execution.pipeline == pipeline);
    let mut found = of_pipeline.filter_map(|execution| {
        let named =
            |one: &&ActionExecution| one.name == action && one.token.as_deref() == Some(token);
        Some((
            &execution.id,
            execution.stage(stage)?.actions.iter().find(named)?,
        ))
    });
    match found.next_back() {
        None => Err(ApiError::client(
            "InvalidApprovalTokenException",
            "The approval request already received a response or has expired.",
        )),
        Some((_, one)) if one.status != ActionStatus::InProgress => Err(ApiError::client(
            "ApprovalAlreadyCompletedException",
            "The approval action has already been approved or rejected.",
        )),
        Some((execution, one)) => Ok((execution.clone(), one.id.clone())),
    }
}
