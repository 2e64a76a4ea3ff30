//! Starting, stopping and retrying executions.

mod retries;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::declaration::{Declaration, Mode, Provider};
use super::input::{
    self, CLIENT_REQUEST_TOKEN, Checks, ID, NAME, VARIABLE_NAME, VARIABLE_VALUE, between, invalid,
};
use super::state::{Ending, Execution, ExecutionStatus, SourceRevision, StageStatus, StartToken};
use super::{SERVICE, endings, engine, known, known_execution, pipelines, state_changes};
use crate::validation::{Quoted, violation};
use crate::{ApiError, Aws, Millis};

pub(super) use retries::retry_stage;

/// The most executions of one pipeline that may wait or run in QUEUED and PARALLEL mode.
const CONCURRENT_EXECUTIONS: usize = 50;
/// How long a clientRequestToken is remembered is not documented: for one of these times or for
/// ever.
const TOKEN_MEMORIES_MS: [Millis; 3] = [5 * 60_000, 60 * 60_000, 24 * 60 * 60_000];
const REVISION_TYPES: [&str; 4] = [
    "COMMIT_ID",
    "IMAGE_DIGEST",
    "S3_OBJECT_VERSION_ID",
    "S3_OBJECT_KEY",
];

pub(super) fn start(aws: &mut Aws, given: &Value) -> Result<Value, ApiError> {
    take_start(aws)?;
    input::only(
        given,
        &["name", "variables", "clientRequestToken", "sourceRevisions"],
    )?;
    let mut checks = Checks::default();
    let name = checks.text(&given["name"], "name", &NAME)?;
    let token = checks.optional(
        &given["clientRequestToken"],
        "clientRequestToken",
        &CLIENT_REQUEST_TOKEN,
    )?;
    let revisions = source_revisions(&mut checks, &given["sourceRevisions"])?;
    let variables = given_variables(&mut checks, &given["variables"])?;

    checks.done()?;
    let pipeline = known(aws, name)?;

    if let Some(execution) = token.and_then(|token| remembered(aws, name, token)) {
        return Ok(json!({ "pipelineExecutionId": execution }));
    }

    check_revisions(&pipeline.declaration, &revisions)?;
    let variables = resolve_variables(&pipeline.declaration, variables)?;
    let open = aws
        .codepipeline
        .executions
        .iter()
        .filter(|one| one.pipeline == name && !one.is_over())
        .count();
    if pipeline.declaration.mode != Mode::Superseded && open >= CONCURRENT_EXECUTIONS {
        let message = "The pipeline has reached the limit for concurrent pipeline executions.";
        return Err(ApiError::client(
            "ConcurrentPipelineExecutionsLimitExceededException",
            message,
        ));
    }

    let id = engine::start(aws, name, "StartPipelineExecution", revisions, variables);
    if let Some(token) = token {
        remember(aws, name, token, &id);
    }
    Ok(json!({ "pipelineExecutionId": id }))
}

/// Takes a token for a start, or refuses it, if the account has a limit.
fn take_start(aws: &mut Aws) -> Result<(), ApiError> {
    let Some(rate) = aws.quotas.starts else {
        return Ok(());
    };
    if aws.codepipeline.starts.take(rate, aws.now) {
        Ok(())
    } else {
        Err(SERVICE.errors.throttled.error())
    }
}

fn remembered(aws: &Aws, pipeline: &str, token: &str) -> Option<String> {
    let used = aws
        .codepipeline
        .pipelines
        .get(pipeline)?
        .start_tokens
        .get(token)?;
    used.remembered_until
        .is_none_or(|until| aws.now < until)
        .then(|| used.execution.clone())
}

fn remember(aws: &mut Aws, pipeline: &str, token: &str, execution: &str) {
    let memory = TOKEN_MEMORIES_MS.get(aws.rng.usize(0..=TOKEN_MEMORIES_MS.len()));
    let used = StartToken {
        execution: execution.to_owned(),
        remembered_until: memory.map(|memory| aws.now + memory),
    };

    if let Some(pipeline) = aws.codepipeline.pipelines.get_mut(pipeline) {
        pipeline.start_tokens.insert(token.to_owned(), used);
    }
}

fn source_revisions(checks: &mut Checks, given: &Value) -> Result<Vec<SourceRevision>, ApiError> {
    let given = input::list(given, "sourceRevisions")?;
    if given.len() > 50 {
        return Err(invalid(violation(
            Quoted::Omitted,
            "sourceRevisions",
            "Member must have length less than or equal to 50",
        )));
    }

    let mut read = |revision: &Value| {
        input::only(revision, &["actionName", "revisionType", "revisionValue"])?;
        Ok(SourceRevision {
            action: checks
                .text(
                    &revision["actionName"],
                    "sourceRevisions.member.actionName",
                    &NAME,
                )?
                .to_owned(),
            kind: checks
                .one_of(
                    &revision["revisionType"],
                    "sourceRevisions.member.revisionType",
                    &REVISION_TYPES,
                )?
                .to_owned(),
            value: checks
                .text(
                    &revision["revisionValue"],
                    "sourceRevisions.member.revisionValue",
                    &between(1, 1500),
                )?
                .to_owned(),
        })
    };
    given.iter().map(&mut read).collect()
}

fn check_revisions(
    declaration: &Declaration,
    revisions: &[SourceRevision],
) -> Result<(), ApiError> {
    for revision in revisions {
        let Some(action) = declaration.source(&revision.action) else {
            return Err(invalid(format!(
                "Source action '{}' does not exist in pipeline '{}'",
                revision.action, declaration.name
            )));
        };

        let key_may_change = action
            .configuration
            .get("AllowOverrideForS3ObjectKey")
            .is_some_and(|allowed| allowed == "true");
        let fits = match revision.kind.as_str() {
            "COMMIT_ID" => action.provider == Provider::Connection,
            "IMAGE_DIGEST" => action.provider == Provider::Ecr,
            "S3_OBJECT_VERSION_ID" => action.provider == Provider::S3,
            "S3_OBJECT_KEY" => action.provider == Provider::S3 && key_may_change,
            _ => false,
        };
        if !fits {
            return Err(invalid(format!(
                "Revision type {} is not valid for source action '{}' ({})",
                revision.kind,
                revision.action,
                action.provider.as_str()
            )));
        }
    }
    Ok(())
}

fn given_variables(
    checks: &mut Checks,
    given: &Value,
) -> Result<BTreeMap<String, String>, ApiError> {
    let given_list = input::list(given, "variables")?;
    if !given.is_null() && !(1..=50).contains(&given_list.len()) {
        return Err(invalid(violation(
            Quoted::Omitted,
            "variables",
            "Member must have length between 1 and 50",
        )));
    }

    let mut variables = BTreeMap::new();
    for variable in given_list {
        input::only(variable, &["name", "value"])?;
        let name = checks.text(&variable["name"], "variables.member.name", &VARIABLE_NAME)?;
        let value = checks.text(
            &variable["value"],
            "variables.member.value",
            &VARIABLE_VALUE,
        )?;
        if variables
            .insert(name.to_owned(), value.to_owned())
            .is_some()
        {
            return Err(invalid(format!(
                "The pipeline variable '{name}' is given more than once"
            )));
        }
    }
    Ok(variables)
}

fn resolve_variables(
    declaration: &Declaration,
    given: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let declared = |name: &String| {
        declaration
            .variables
            .iter()
            .any(|variable| variable.name == *name)
    };
    if let Some(unknown) = given.keys().find(|name| !declared(name)) {
        return Err(invalid(format!(
            "The pipeline variable '{unknown}' is not declared in pipeline '{}'",
            declaration.name
        )));
    }

    let (mut variables, _) = pipelines::default_variables(declaration);
    variables.extend(given);

    match declaration
        .variables
        .iter()
        .find(|variable| !variables.contains_key(&variable.name))
    {
        Some(missing) => Err(invalid(format!(
            "The pipeline variable '{}' has no default value and must be given",
            missing.name
        ))),
        None => Ok(variables),
    }
}

pub(super) fn stop(aws: &mut Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(
        given,
        &["pipelineName", "pipelineExecutionId", "abandon", "reason"],
    )?;
    let mut checks = Checks::default();
    let pipeline = checks.text(&given["pipelineName"], "pipelineName", &NAME)?;
    let id = checks.text(&given["pipelineExecutionId"], "pipelineExecutionId", &ID)?;
    let reason = checks.optional(&given["reason"], "reason", &between(0, 200))?;
    let abandon = input::flag(&given["abandon"], "abandon")?;

    checks.done()?;
    known(aws, pipeline)?;

    // The API model of this operation has no exception for an unknown execution but this one.
    let not_stoppable = |_| {
        ApiError::client(
            "PipelineExecutionNotStoppableException",
            "Unable to stop the pipeline execution. The execution might already be in a Stopped \
             state, or it might no longer be in progress.",
        )
    };
    let execution = known_execution(aws, pipeline, id).map_err(not_stoppable)?;
    check_stoppable(execution, abandon)?;
    begin_stop(aws, id, reason, abandon);

    Ok(json!({ "pipelineExecutionId": id }))
}

fn check_stoppable(execution: &Execution, abandon: bool) -> Result<(), ApiError> {
    if execution.is_over() {
        let message = "Unable to stop the pipeline execution. The execution might already be in a \
            Stopped state, or it might no longer be in progress.";
        return Err(ApiError::client(
            "PipelineExecutionNotStoppableException",
            message,
        ));
    }
    if execution.status == ExecutionStatus::Stopping && (execution.abandon || !abandon) {
        let message = "The pipeline execution is already in a Stopping state. If you already \
            chose to stop and wait, you cannot make that request again. You can choose to stop \
            and abandon now.";
        return Err(ApiError::client("DuplicatedStopRequestException", message));
    }
    Ok(())
}

fn begin_stop(aws: &mut Aws, id: &str, reason: Option<&str>, abandon: bool) {
    let now = aws.now;
    let execution = aws.codepipeline.execution_mut(id);
    let first = execution.status != ExecutionStatus::Stopping;
    execution.status = ExecutionStatus::Stopping;
    execution.abandon = abandon;
    execution.updated = now;
    execution.stop_reason = reason.map(str::to_owned).or(execution.stop_reason.take());

    let mut stage = None;
    if let Some(open) = execution
        .stages
        .last_mut()
        .filter(|stage| stage.ended.is_none())
    {
        open.status = StageStatus::Stopping;
        stage = Some(open.name.clone());
    }
    if first {
        state_changes::pipeline(aws, id, "STOPPING");
        if let Some(stage) = stage {
            state_changes::stage(aws, id, &stage, "STOPPING");
        }
    }
    endings::end_early(aws, id, Ending::Stop, abandon);
}
