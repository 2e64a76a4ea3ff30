//! Dry runs with only the permissions that the templates grant: as the job of a pipeline, and by a
//! direct invocation with the same parameters.

use emulator::Aws;
use emulator::codepipeline::{self, Execution, Job, ReportContent};
use emulator::iam::Denial;
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{digest, executions, ledger};
use serde_json::{Map, Value, json};

use crate::{change_parameters, invoke_deployed, jobs, only_check, push, until, update_pipeline};

/// A set-up, and the line of the tree that names it.
pub struct SetUp {
    /// What is changed in the account.
    pub make: fn(&mut Aws),
    /// The parameters with which it shows, beside those of the pipeline; null takes one away.
    pub parameters: fn(&Aws) -> Value,
    /// The line as [`lines`] has it, from the account after the dry run.
    pub line: fn(&Aws) -> String,
}

/// The last denial of an action.
pub fn denied<'a>(aws: &'a Aws, action: &str) -> &'a Denial {
    let mut denials = aws.iam.denials.iter().rev();
    let found = denials.find(|denial| denial.action == action);
    found.expect("it was denied")
}

/// Leaves an account as it is.
pub fn nothing(_: &mut Aws) {}

/// The parameters of the pipeline and no others.
pub fn no_more(_: &Aws) -> Value {
    json!({})
}

/// Checks an application of an account in a set-up: its line is in the tree, and no other line is
/// NG. Nothing is written.
pub fn names_its_cause(aws: &Aws, application: &str, set_up: &SetUp) {
    let (aws, tree) = checked(aws, application, set_up.make, set_up.parameters);
    let expected = (set_up.line)(&aws);
    let (wrong, others): (Vec<&String>, Vec<&String>) =
        tree.iter().partition(|line| line.contains(": NG "));
    if expected.contains(": NG ") {
        assert_eq!(wrong, [&expected]);
    } else {
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(others.contains(&&expected), "{expected}\n{others:#?}");
    }
}

/// Checks an application of an account after a change; returns the account then, and the lines of
/// the tree. Nothing is written.
pub fn checked(
    aws: &Aws,
    application: &str,
    make: fn(&mut Aws),
    parameters: fn(&Aws) -> Value,
) -> (Aws, Vec<String>) {
    run(aws.clone(), Fault::None, async |driver| {
        let more = parameters(&driver.world.aws());
        let digest = checking(&driver, application, &more).await;
        make(&mut driver.world.aws());
        let answer = dry_run(&driver, application, &digest).await;
        (driver.world.snapshot(), lines(&answer))
    })
}

/// The checks of a response, a line each: group, state, name and reason.
pub fn lines(answer: &Value) -> Vec<String> {
    let text = |value: &Value, name: &str| value[name].as_str().expect("a text").to_owned();
    let mut lines = Vec::new();
    for group in answer["checks"]["checks"].as_array().expect("groups") {
        for check in group["checks"].as_array().expect("checks") {
            let [state, name, reason] = ["state", "name", "reason"].map(|it| text(check, it));
            lines.push(format!("{}: {state} {name}: {reason}", text(group, "name")));
        }
    }
    lines
}

/// Makes an application's pipeline one that only checks whether a release of its image could begin,
/// and pushes an image; returns the digest.
async fn checking(driver: &Driver, application: &str, more: &Value) -> String {
    let pipeline = format!("slipway-{application}");
    only_check(&mut driver.world.aws(), &pipeline, json!({}));
    let changed = update_pipeline(&mut driver.world.aws(), &pipeline, |pipeline| {
        change_parameters(pipeline, "begin-release", |parameters| {
            parameters.extend(more.as_object().expect("an object").clone());
            parameters.retain(|_, value| !value.is_null());
        });
    });
    changed.expect("a legal pipeline");

    let pushed = push(driver, application, "9.9.0");
    until(driver, |aws| {
        let mut known = executions(aws, &pipeline);
        known.any(|execution| digest(execution) == Some(pushed.as_str()) && execution.is_over())
    })
    .await;
    pushed
}

/// The response to a dry run by a direct invocation, after a job of the pipeline with the same
/// parameters, which is reported with the same words. Neither of them writes anything.
async fn dry_run(driver: &Driver, application: &str, digest: &str) -> Value {
    let before = driver.world.snapshot();
    let (parameters, reported) = checked_by_job(driver, application, digest).await;
    assert_nothing_is_written(&before, &driver.world.aws());

    let before = driver.world.snapshot();
    let event = json!({ "parameters": parameters });
    let answer = invoke_deployed(driver, "begin-release", event).await;
    let answer = answer.expect("an answer");
    let after = driver.world.snapshot();
    assert_nothing_is_written(&before, &after);
    assert_eq!(ledger(&after), ledger(&before));

    let stated = if answer["status"] == "failed" {
        &answer["message"]
    } else {
        &answer["summary"]
    };
    assert_eq!(*stated, reported, "{answer}");
    answer
}

/// Starts a pipeline that only checks, as an operator does; returns the parameters of its job and
/// how that was reported.
async fn checked_by_job(
    driver: &Driver,
    application: &str,
    digest: &str,
) -> (Map<String, Value>, String) {
    let revision = json!({
        "actionName": "Image", "revisionType": "IMAGE_DIGEST", "revisionValue": digest,
    });
    let start = json!({"name": format!("slipway-{application}"), "sourceRevisions": [revision]});
    let started = codepipeline::call(&mut driver.world.aws(), "StartPipelineExecution", &start);
    driver.world.touch();
    let id = started.expect("started")["pipelineExecutionId"].clone();
    let id = id.as_str().expect("an id");
    until(driver, |aws| {
        let execution = aws.codepipeline.execution(id);
        execution.is_some_and(Execution::is_over)
    })
    .await;

    let aws = driver.world.aws();
    let job = jobs(&aws, id, "begin-release")[0];
    let execution = aws.codepipeline.execution(id).expect("it ran");
    let (_, action) = execution.action(&job.action_execution).expect("an action");
    let parameters = serde_json::from_str(&action.resolved["UserParameters"]);
    (parameters.expect("an object"), reported(job))
}

/// The summary of a job's success, or the message of its failure.
fn reported(job: &Job) -> String {
    let mut taken = job.reports.iter().filter(|report| report.refused.is_none());
    match &taken.next().expect("a report").content {
        ReportContent::Success { summary, .. } => summary.clone().expect("a summary"),
        ReportContent::Failure { kind, message } => {
            assert_eq!(kind, "ConfigurationError", "{message}");
            message.clone()
        }
    }
}

/// That begin-release called nothing that changes anything, with or without success, and that its
/// session lacked no read.
fn assert_nothing_is_written(before: &Aws, after: &Aws) {
    let calls = after.calls[before.calls.len()..].iter();
    let written: Vec<&str> = calls
        .filter(|call| call.caller.ends_with("begin-release") && !call.is_read())
        .map(|call| call.operation.as_str())
        .filter(|operation| !operation.starts_with("PutJob"))
        .collect();
    assert_eq!(written, Vec::<&str>::new());

    let denials = after.iam.denials.iter();
    let unread: Vec<_> = denials
        .filter(|denial| denial.message.contains("session policy"))
        .collect();
    assert!(unread.is_empty(), "{unread:?}");
}
