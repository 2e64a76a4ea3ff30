//! Jobs that no step can read: each step records the reason, whatever it does with its own
//! failures, and reports it.

use behaviour::ledger_table;
use emulator::codepipeline::{Job, JobState, ReportContent};
use emulator::{Aws, dynamodb, eventbridge, lambda};
use harness::demo::{CLUSTER, WEB};
use harness::functions::STEPS;
use invariants::ledger_reader::{FUNCTIONS_STACK, record, text};
use serde_json::{Value, json};

use super::scenes::{Event, scenes};

/// Gives each step a job with a parameter that no step has, of a release that has not begun.
pub(super) fn give(aws: &mut Aws) {
    // It would look for the executions, which CodePipeline does not know.
    let sweep = json!({"Name": format!("{FUNCTIONS_STACK}-sweep")});
    eventbridge::call(aws, "DisableRule", &sweep).expect("the rule is there");

    let known = aws
        .codepipeline
        .jobs
        .last()
        .expect("earlier scenes had jobs");
    let known = Job {
        action_type: None,
        action_execution: String::new(),
        continuation_token: None,
        state: JobState::InProgress,
        reports: Vec::new(),
        ..known.clone()
    };
    for &step in STEPS {
        start(aws, step);
        let job = Job {
            id: aws.uuid(),
            function: function(step),
            ..known.clone()
        };
        let event = event(&job, step);
        aws.codepipeline.jobs.push(job);
        lambda::invoke_async(aws, &function(step), event).expect("accepted");
    }
}

fn function(step: &str) -> String {
    format!("{FUNCTIONS_STACK}-{step}")
}

/// The execution that a step's job is about.
fn execution(step: &str) -> String {
    format!("unreadable-{step}")
}

/// Writes the record of that execution.
fn start(aws: &mut Aws, step: &str) {
    let execution = execution(step);
    let record = json!({
        "pk": {"S": format!("execution#{execution}")}, "sk": {"S": "record"}, "v": {"N": "1"},
        "execution": {"S": execution}, "pipeline": {"S": "slipway-web"},
        "state": {"S": "started"}, "started_at": {"S": "2026-01-05T09:00:00Z"},
    });
    let put = json!({"TableName": ledger_table(aws), "Item": record});
    dynamodb::call(aws, "PutItem", &put).expect("an item");
}

fn event(job: &Job, step: &str) -> Value {
    let parameters = json!({
        "pipeline": "slipway-web", "execution": execution(step), "cluster": CLUSTER,
        "service": WEB, "senseless": true,
    });
    json!({"CodePipeline.job": {"id": job.id, "accountId": "111122223333", "data": {
        "actionConfiguration": {"configuration": {"UserParameters": parameters.to_string()}},
        "inputArtifacts": [],
        "outputArtifacts": [],
        "artifactCredentials": {
            "accessKeyId": job.access_key_id, "secretAccessKey": "s", "sessionToken": "t",
            "expirationTime": 1_767_607_270_447_i64,
        },
    }}})
}

/// What a step reported of its job.
fn reported<'a>(aws: &'a Aws, step: &str) -> Option<&'a str> {
    let function = function(step);
    let mut jobs = aws.codepipeline.jobs.iter().rev();
    let job = jobs.find(|job| job.function == function)?;
    match &job.reports.first()?.content {
        ReportContent::Failure { message, .. } => Some(message),
        ReportContent::Success { .. } => None,
    }
}

/// Whether each step has reported its job.
pub(super) fn are_reported(aws: &Aws) -> bool {
    STEPS.iter().all(|step| reported(aws, step).is_some())
}

#[test]
fn each_step_records_why_its_job_cannot_be_read() {
    let (scenes, _) = scenes();
    let scene = scenes
        .iter()
        .find(|scene| matches!(scene.event, Event::UnreadableJobs))
        .expect("it is played");
    let aws = scene.event.play(scene.before.clone());

    for step in STEPS {
        let message = reported(&aws, step).expect("it is reported");
        assert!(message.contains("`senseless`"), "{step}: {message}");
        let record = record(&aws, &execution(step)).expect("it was written");
        assert_eq!(text(&record, "reason"), Some(message), "{step}");
    }
}
