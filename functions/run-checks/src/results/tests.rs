use serde_json::json;
use slipway::job::FailureType;
use slipway::limits::{HTTP_CHECKS, PAYLOAD_CHARS};
use slipway::strategy::http_check::CheckResponse;

use super::*;

/// Two checks: `home` decides by its first attempt, `search` by the first of three that passes.
fn checks() -> Vec<HttpCheck> {
    let checks = json!([
        {"name": "home", "url": "https://shop.example.com/"},
        {"name": "search", "url": "https://shop.example.com/search", "attempts": 3},
    ]);
    serde_json::from_value(checks).expect("checks")
}

fn made(passed: u32, failed: u32) -> CheckProgress {
    let last = if passed > 0 {
        "status 200 in 9ms"
    } else {
        "found 12ms; expected at most 9ms"
    };
    CheckProgress {
        passed,
        failed,
        last: last.to_owned(),
    }
}

fn reported(
    [home, search]: [CheckProgress; 2],
    looked: Option<StepResult>,
    payload: Option<&Value>,
) -> StepResult {
    Results::new(&checks(), vec![home, search]).with_task(looked, payload)
}

fn failed(message: &str) -> StepResult {
    Err(Failure::job(message).into())
}

const HOME: &str = "OK home: status 200 in 9ms";
const SEARCH: &str = "OK search: status 200 in 9ms; 1 of 2 attempts passed, 1 of 3 required";
const OPEN: &str =
    "search: found 12ms; expected at most 9ms; 0 of 1 attempts passed, 1 of 3 required";
const NOT_HOME: &str = "NG home: found 12ms; expected at most 9ms";
const SKIP: &str = "SKIP search: not decided after 1 of 3 attempts, because another result is NG";

#[test]
fn a_response_that_has_a_secret_of_the_application_is_shown_without_it() {
    let definition = TaskDefinition::from_value(json!({
        "family": "shop", "containerDefinitions": [{"name": "shop", "image": "shop:1",
            "environment": [{"name": "DB_PASSWORD", "value": "hunter22hunter"}]}],
    }));
    let definition = definition.expect("a task definition");
    let response = CheckResponse {
        status: 500,
        body: b"no access with hunter22hunter".to_vec(),
        ..CheckResponse::default()
    };
    let home = checks().remove(0);
    let found = "found status 500 with body \"no access with ***\"; expected status 200";
    assert_eq!(
        judged(&home, None, &Ok(response), &definition),
        Err(found.to_owned())
    );
}

#[test]
fn an_action_is_done_when_all_is_ok_and_lists_all() {
    let alone = reported([made(1, 0), made(1, 1)], None, None);
    assert_eq!(alone, Ok(JobReport::done(format!("{HOME}; {SEARCH}"), [])));

    let task = JobReport::done("OK migrate: fine", [("TaskArn", "arn".to_owned())]);
    let task = task.with_external_id(Some("arn"));
    let beside = reported([made(1, 0), made(1, 1)], Some(Ok(task)), None);
    let summary = format!("OK migrate: fine; {HOME}; {SEARCH}");
    let done = JobReport::done(summary, [("TaskArn", "arn".to_owned())]);
    assert_eq!(beside, Ok(done.with_external_id(Some("arn"))));
}

#[test]
fn one_ng_fails_the_action_and_what_is_not_decided_is_skip() {
    let alone = reported([made(0, 1), made(0, 1)], None, None);
    assert_eq!(alone, failed(&format!("{NOT_HOME}; {SKIP}")));

    let task = JobReport::done("OK migrate: fine", []);
    let beside = reported([made(0, 1), made(1, 1)], Some(Ok(task)), None);
    assert_eq!(
        beside,
        failed(&format!("{NOT_HOME}; {SEARCH}; OK migrate: fine"))
    );

    let task = Failure::configuration("NG migrate: exited with 3");
    let of_task = reported([made(1, 0), made(0, 1)], Some(Err(task.into())), None);
    let Err(StepError::Failed(failure)) = of_task else {
        panic!("{of_task:?}");
    };
    assert_eq!(failure.kind, FailureType::ConfigurationError);
    assert_eq!(
        failure.message,
        format!("NG migrate: exited with 3; {SKIP}; {HOME}")
    );
}

#[test]
fn an_action_goes_on_with_what_its_attempts_have_shown() {
    let alone = reported([made(1, 0), made(0, 1)], None, None);
    let payload = json!({"attempts": 0, "checks": [
        {"passed": 1, "failed": 0, "last": "status 200 in 9ms"},
        {"passed": 0, "failed": 1, "last": "found 12ms; expected at most 9ms"},
    ]});
    let summary = format!("{OPEN}; {HOME}");
    let going = JobReport::in_progress_with(summary, 50, Some(payload));
    assert_eq!(alone, Ok(going));
}

#[test]
fn an_action_never_ends_before_its_task() {
    let started = json!({
        "attempts": 0, "started": {"arn": "arn", "at": "2026-01-05T09:00:00Z"},
    });
    let task = JobReport::in_progress_with("migrate: web:3 is RUNNING", 7, Some(started.clone()));
    let going = reported([made(0, 1), made(1, 1)], Some(Ok(task)), Some(&started));
    let Ok(JobReport::InProgress {
        summary,
        percent,
        payload,
        ..
    }) = going
    else {
        panic!("{going:?}");
    };

    assert_eq!(
        summary,
        format!("migrate: web:3 is RUNNING; {NOT_HOME}; {SEARCH}")
    );
    assert_eq!(percent, 7);
    let payload = payload.expect("for the next job");
    assert_eq!(payload["started"], started["started"]);
    assert_eq!(payload["checks"][0]["failed"], 1);
}

#[test]
fn a_task_that_has_ended_is_known_to_the_next_job() {
    let started = json!({
        "attempts": 2, "started": {"arn": "arn", "at": "2026-01-05T09:00:00Z"},
    });
    let task = JobReport::done("OK migrate: fine", []).with_external_id(Some("arn"));
    let going = reported([made(1, 0), made(0, 1)], Some(Ok(task)), Some(&started));
    let Ok(JobReport::InProgress {
        summary,
        external_id,
        payload,
        ..
    }) = going
    else {
        panic!("{going:?}");
    };

    assert_eq!(summary, format!("OK migrate: fine; {OPEN}; {HOME}"));
    assert_eq!(external_id.as_deref(), Some("arn"));
    let payload = payload.expect("for the next job");
    assert_eq!(payload["started"], started["started"]);
    assert_eq!(payload["attempts"], 2);
}

#[test]
fn a_task_that_could_not_be_looked_at_leaves_all_to_the_next_job() {
    let busy = || StepError::Busy("throttled; retrying".to_owned());
    let result = reported([made(0, 1), made(1, 1)], Some(Err(busy())), None);
    assert_eq!(result, Err(busy()));
}

#[test]
fn what_all_checks_leave_to_the_next_job_fits_into_its_token() {
    let check = |number: usize| -> HttpCheck {
        let name = format!("c{number}");
        let check = json!({"name": name, "url": "https://shop.example.com/", "attempts": 20});
        serde_json::from_value(check).expect("a check")
    };
    let checks: Vec<HttpCheck> = (0..HTTP_CHECKS).map(check).collect();
    let last = CheckProgress {
        passed: 0,
        failed: 19,
        last: "x".repeat(500),
    };
    let results = Results::new(&checks, vec![last; HTTP_CHECKS]);

    let arn = format!(
        "arn:aws:ecs:eu-west-1:111122223333:task/{}",
        "x".repeat(290)
    );
    let task = json!({
        "attempts": 99, "started": {"arn": arn, "at": "2026-01-05T09:00:00Z"},
    });
    let payload = results.payload(Some(&task)).expect("it is read");
    let text = payload.expect("a payload").to_string();
    assert!(text.len() <= PAYLOAD_CHARS, "{}", text.len());
}
