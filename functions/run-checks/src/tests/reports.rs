//! What a job reports of its task.

use super::*;

#[test]
fn a_job_in_progress_shows_the_share_of_its_time_and_passes_on_what_it_got() {
    let (job, definition) = (job(900), definition(&["web"]));
    let report = context(&job, &definition).in_progress("web:3 is RUNNING");
    let payload = job.payload.clone();
    let expected = JobReport::in_progress_with("migrate: web:3 is RUNNING", 50, payload);
    assert_eq!(report, expected);
}

#[test]
fn a_job_that_starts_the_task_passes_on_which_and_since_when() {
    let (job, definition) = (job(900), definition(&["web"]));
    let before = TaskProgress {
        attempts: 1,
        ..TaskProgress::default()
    };
    let after = TaskProgress {
        started: Some(StartedTask {
            arn: TASK.to_owned(),
            at: at(900),
        }),
        ..before.clone()
    };
    let report = context(&job, &definition).started(before, TASK.to_owned());
    let summary = "migrate: started web:3 as task 0f";
    let expected = JobReport::in_progress_with(summary, 50, after.payload());
    assert_eq!(report, expected.with_external_id(Some(TASK)));
}

#[test]
fn a_task_that_was_not_placed_is_a_new_attempt_and_its_reasons_are_cut() {
    let (job, definition) = (job(900), definition(&["web"]));
    let before = TaskProgress {
        attempts: 1,
        ..TaskProgress::default()
    };
    let why = format!("RESOURCE:MEMORY, {}", "é".repeat(233));
    let after = TaskProgress {
        attempts: 2,
        not_placed: Some(why.clone()),
        ..before.clone()
    };
    let reasons = ["RESOURCE:MEMORY".to_owned(), "é".repeat(300)];
    let report = context(&job, &definition).again(before, &reasons);
    let summary = format!("migrate: not placed: {why}; 15m00s of 30m00s");
    let expected = JobReport::in_progress_with(summary, 50, after.payload());
    assert_eq!(report, expected);
}

#[test]
fn a_task_that_ecs_does_not_know_is_lost_when_it_should_be_visible() {
    let definition = definition(&["web"]);
    let unknown = |secs| {
        let started = StartedTask {
            arn: TASK.to_owned(),
            at: at(60),
        };
        context(&job(secs), &definition).unknown(&started)
    };
    let waiting = unknown(359).expect("a read may be stale");
    let summary = "migrate: the task is not visible yet";
    assert_eq!(waiting.summary(), summary);

    let lost = unknown(360).expect_err("it is lost");
    let why =
        "NG migrate: Amazon ECS no longer has the task, so how it ended is not known; task 0f";
    assert_eq!(lost, StepError::from(Failure::job(why)));
}
