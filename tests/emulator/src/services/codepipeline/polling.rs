//! The jobs of custom actions: they wait until a worker of the account polls for them, and belong
//! to the first one that acknowledges them.

use serde_json::{Value, json};

use super::action_types;
use super::input::{self, ActionTypeName, Checks, ID, KEY, OWNERS, PROVIDER, QUERY_VALUE, VERSION};
use super::state::{ActionExecution, Execution, Job, JobState};
use super::{job_details, job_not_found};
use crate::{ApiError, Aws, Quirk};

/// The categories of all action types.
const CATEGORIES: [&str; 7] = [
    "Source", "Build", "Deploy", "Test", "Invoke", "Approval", "Compute",
];
/// The most jobs of one poll. No document has it: a worker requests fewer, or polls again.
const BATCH: i64 = 50;

/// The jobs of an action type that wait for a worker, oldest first.
pub(super) fn poll(aws: &mut Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(given, &["actionTypeId", "maxBatchSize", "queryParam"])?;
    let mut checks = Checks::default();
    let name = type_name(&mut checks, &given["actionTypeId"])?;
    let most = checks
        .number(&given["maxBatchSize"], "maxBatchSize", 1, i64::MAX)?
        .unwrap_or(BATCH)
        .min(BATCH);
    let query = query(&mut checks, &given["queryParam"])?;
    checks.done()?;

    if name.owner != "Custom" {
        return Err(input::invalid(
            "PollForJobs is valid only for action types with Custom in the owner field",
        ));
    }
    let known = action_types::known(&aws.codepipeline.action_types, &name);
    let known = known.ok_or_else(|| not_found(&name))?;
    let queryable = known.queryable().map(|property| property.name.as_str());
    if query.map(|(key, _)| key) != queryable {
        return Err(input::invalid(match queryable {
            Some(key) => format!("queryParam must have the queryable property {key}"),
            None => "queryParam must be empty: the action type has no queryable property".into(),
        }));
    }

    let waiting: Vec<String> = aws
        .codepipeline
        .jobs
        .iter()
        .filter(|job| job.state == JobState::Queued)
        .filter(|job| {
            let of_type = job.action_type.as_ref();
            of_type.is_some_and(|of_type| of_type.id() == known.id())
        })
        .filter(|job| query.is_none_or(|(key, value)| is_configured(aws, job, key, value)))
        .map(|job| job.id.clone())
        .take(most as usize)
        .collect();
    let jobs: Value = waiting.iter().map(|id| offer(aws, id)).collect();
    Ok(json!({ "jobs": jobs }))
}

fn type_name<'a>(checks: &mut Checks, id: &'a Value) -> Result<ActionTypeName<'a>, ApiError> {
    Ok(ActionTypeName {
        category: checks.one_of(&id["category"], "actionTypeId.category", &CATEGORIES)?,
        owner: checks.one_of(&id["owner"], "actionTypeId.owner", &OWNERS)?,
        provider: checks.text(&id["provider"], "actionTypeId.provider", &PROVIDER)?,
        version: checks.text(&id["version"], "actionTypeId.version", &VERSION)?,
    })
}

/// The one property that a worker filters by, with its value.
fn query<'a>(
    checks: &mut Checks,
    given: &'a Value,
) -> Result<Option<(&'a str, &'a str)>, ApiError> {
    let Some(members) = given.as_object().filter(|members| !members.is_empty()) else {
        return Ok(None);
    };
    if members.len() > 1 {
        return Err(input::invalid(
            "Value at 'queryParam' failed to satisfy constraint: Member must have length less than \
             or equal to 1",
        ));
    }

    let mut found = None;
    for (key, value) in members {
        checks.text(&Value::from(key.as_str()), "queryParam", &KEY)?;
        let value = checks.text(value, &format!("queryParam.{key}"), &QUERY_VALUE)?;
        found = Some((key.as_str(), value));
    }
    Ok(found)
}

fn is_configured(aws: &Aws, job: &Job, key: &str, value: &str) -> bool {
    action_of(aws, job)
        .and_then(|(_, action)| action.resolved.get(key))
        .is_some_and(|found| found == value)
}

fn action_of<'a>(aws: &'a Aws, job: &Job) -> Option<(&'a Execution, &'a ActionExecution)> {
    let execution = aws.codepipeline.execution(&job.execution)?;
    let (_, action) = execution.action(&job.action_execution)?;
    Some((execution, action))
}

/// A job as a worker receives it. Whether each poll makes the nonces of earlier ones invalid is not
/// documented: drawn once an account.
fn offer(aws: &mut Aws, id: &str) -> Value {
    let renews = aws.draw_quirk(Quirk::RenewsNonces);
    let now = aws.now;
    if let Some(job) = aws.codepipeline.job_mut(id) {
        job.credentials_issued = now;
        job.nonce = if renews { job.nonce + 1 } else { 1 };
    }

    let job = aws.codepipeline.job(id);
    let described = job.and_then(|job| {
        let (execution, action) = action_of(aws, job)?;
        Some(json!({
            "id": job.id,
            "nonce": job.nonce.to_string(),
            "accountId": aws.account,
            "data": job_details::data(aws, job, execution, action),
        }))
    });
    described.unwrap_or_default()
}

/// Gives a job to the worker that acknowledges it first. Later ones, and the same one again, get
/// InvalidNonceException.
pub(super) fn acknowledge(aws: &mut Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(given, &["jobId", "nonce"])?;
    let mut checks = Checks::default();
    let id = checks.text(&given["jobId"], "jobId", &ID)?;
    let nonce = checks.text(&given["nonce"], "nonce", &input::between(1, 50))?;
    checks.done()?;

    let job = aws
        .codepipeline
        .job_mut(id)
        .filter(|job| job.action_type.is_some())
        .ok_or_else(|| job_not_found(id))?;
    if job.state != JobState::Queued || job.nonce.to_string() != nonce {
        let message = format!("The nonce '{nonce}' is not valid for job '{id}'");
        return Err(ApiError::client("InvalidNonceException", message));
    }
    job.state = JobState::InProgress;
    Ok(json!({"status": "InProgress"}))
}

fn not_found(name: &ActionTypeName) -> ApiError {
    let message = format!(
        "ActionType (Category: '{}', Provider: '{}', Owner: '{}', Version: '{}') cannot be found",
        name.category, name.provider, name.owner, name.version
    );
    ApiError::client("ActionTypeNotFoundException", message)
}
