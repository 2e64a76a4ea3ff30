//! Releases by custom actions: jobs that `poll-jobs` takes, with events lost, pollers at once, and
//! everything between an acknowledgement and its step going wrong.

mod roles;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::OnceLock;
use std::time::Duration;

use behaviour::{account, action, ends, failure, jobs, push, recorded, settled, update_pipeline};
use emulator::client::{CallFault, Hang};
use emulator::codepipeline::{self, Job, JobState};
use emulator::eventbridge::Mishap;
use emulator::{Aws, Quirk, lambda};
use harness::demo::{WEB, custom_actions, play};
use harness::driver::{Driver, Fault, Faults, Which, run};
use serde_json::json;

const WORKER: &str = "poll-jobs";
const PIPELINE: &str = "slipway-web";

/// The demo's account with pipelines of custom actions.
fn opened() -> Aws {
    static ACCOUNT: OnceLock<Aws> = OnceLock::new();
    let open = || custom_actions::opened_in(account()).expect("the stacks deploy");
    ACCOUNT.get_or_init(open).clone()
}

/// Releases an image of web on an account with these faults, and shows the account at its end.
fn release<T>(aws: Aws, faults: Faults, scene: impl AsyncFnOnce(&Driver, &str) -> T) -> T {
    run(aws, faults, async |driver| {
        let pushed = push(&driver, WEB, "1.0.0");
        scene(&driver, &pushed).await
    })
}

/// A fault of one attempt of the worker.
fn of_worker(nth: usize, fault: CallFault) -> Faults {
    let which = Which::Of {
        function: WORKER,
        nth,
    };
    Faults {
        calls: vec![(which, fault)],
        ..Faults::default()
    }
}

/// How often a step was invoked with a job.
fn invocations(aws: &Aws, job: &Job) -> usize {
    let of_job = |one: &&lambda::Invocation| {
        let id = one.payload.pointer("/CodePipeline.job/id");
        id.is_some_and(|id| *id == job.id.as_str())
    };
    aws.lambda.invocations.iter().filter(of_job).count()
}

/// The jobs of custom actions.
fn custom(aws: &Aws) -> Vec<&Job> {
    let jobs = aws.codepipeline.jobs.iter();
    jobs.filter(|job| job.action_type.is_some()).collect()
}

fn four_images_end_as_expected(seeds: RangeInclusive<u64>) {
    for seed in seeds {
        let mut aws = custom_actions::opened(seed).expect("the stacks deploy");
        for chapter in &custom_actions::CHAPTERS {
            let played = play(aws, chapter, Fault::None, &mut |_| {});
            aws = played
                .unwrap_or_else(|wrong| panic!("seed {seed}: {wrong}"))
                .aws;
        }
        assert!(!custom(&aws).is_empty());
    }
}

// Two tests, so that they run side by side.

#[test]
fn four_images_end_as_expected_with_seeds_1_to_6() {
    four_images_end_as_expected(1..=6);
}

#[test]
fn four_images_end_as_expected_with_seeds_7_to_12() {
    four_images_end_as_expected(7..=12);
}

#[test]
fn a_property_that_the_type_does_not_have_is_refused_with_the_stack() {
    let refused = custom_actions::misspelt(&opened()).expect("it is refused");
    assert!(
        refused.contains(
            "Action configuration for action 'update-service' contains unknown configuration \
             'dedline_minutes'"
        ),
        "{refused}"
    );
}

#[test]
fn a_value_that_does_not_fit_fails_its_action_as_configuration_error() {
    let mut aws = opened();
    aws.settle_quirk(Quirk::ChecksPropertyTypes, false);
    let changed = update_pipeline(&mut aws, PIPELINE, |pipeline| {
        let update = action(pipeline, "update-service");
        update["configuration"]["deadline_minutes"] = json!("soon");
    });
    changed.expect("the type of the property is not checked");

    release(aws, Faults::default(), async |driver, pushed| {
        let execution = settled(driver, PIPELINE, pushed).await;
        let aws = driver.world.aws();
        let failed = jobs(&aws, &execution, "update-service");
        assert_eq!(
            failed.first().and_then(|job| failure(job)),
            Some((
                "ConfigurationError",
                "`deadline_minutes`: found `soon`; expected a number; correct the configuration of \
                 this action in the pipeline"
            ))
        );
        assert_eq!(invocations(&aws, failed[0]), 1, "the step reports it");
        let why = recorded(&aws, &execution, "reason").expect("it has ended");
        assert!(why.contains("expected a number"), "{why}");
    });
}

#[test]
fn a_job_of_a_newer_version_than_the_functions_know_fails_with_that_reason() {
    for are_lost in [false, true] {
        let mut aws = opened();
        if are_lost {
            lose_events(&mut aws);
        }
        assert_newer_version_fails(aws);
    }
}

/// Lets no event of CodePipeline arrive.
fn lose_events(aws: &mut Aws) {
    let lost = (0..500).map(|nth| (("aws.codepipeline", nth), Mishap::Lost));
    aws.events.expect(lost.collect::<BTreeMap<_, _>>());
}

fn assert_newer_version_fails(mut aws: Aws) {
    let property =
        |name: &str| json!({"name": name, "required": true, "key": false, "secret": false});
    let properties = ["cluster", "service", "task_definition"].map(property);
    let newer = json!({
        "category": "Deploy", "provider": "slipway-finish-release", "version": "2",
        "configurationProperties": properties,
        "inputArtifactDetails": {"minimumCount": 0, "maximumCount": 5},
        "outputArtifactDetails": {"minimumCount": 0, "maximumCount": 0},
    });
    codepipeline::call(&mut aws, "CreateCustomActionType", &newer).expect("it is new");
    let changed = update_pipeline(&mut aws, PIPELINE, |pipeline| {
        action(pipeline, "finish-release")["actionTypeId"]["version"] = json!("2");
    });
    changed.expect("the type is there");

    release(aws, Faults::default(), async |driver, pushed| {
        let execution = settled(driver, PIPELINE, pushed).await;
        let aws = driver.world.aws();
        let failed = jobs(&aws, &execution, "finish-release");
        let (kind, message) = failure(failed[0]).expect("it failed");
        assert_eq!(kind, "ConfigurationError");
        assert!(
            message.starts_with(
                "the action type is Deploy slipway-finish-release version 2, which these functions \
                 do not know; "
            ),
            "{message}"
        );
    });
}

#[test]
fn without_any_event_the_schedule_takes_the_jobs() {
    let mut aws = opened();
    lose_events(&mut aws);
    release(aws, Faults::default(), async |driver, pushed| {
        ends(driver, PIPELINE, pushed, "deployed").await;
        // One of each action: begin-release, register-task-definition, update-service,
        // finish-release.
        assert_eq!(driver.world.aws().events.met.len(), 4, "events were lost");
    });
}

#[test]
fn two_pollers_at_once_pass_each_job_on_once() {
    let which = |nth| Which::Of {
        function: WORKER,
        nth,
    };
    // The second of two is a worker of its own, which polls before the first one acknowledges.
    let firsts = (0..200).step_by(2);
    let hang = CallFault::HangAfter(1, Hang::For(Duration::from_secs(3)));
    let faults = Faults {
        calls: firsts.clone().map(|nth| (which(nth), hang)).collect(),
        duplicates: firsts
            .map(|nth| (which(nth), Duration::from_secs(1)))
            .collect(),
        ..Faults::default()
    };
    release(opened(), faults, async |driver, pushed| {
        ends(driver, PIPELINE, pushed, "deployed").await;
        let aws = driver.world.aws();
        let lost = aws
            .calls
            .iter()
            .filter(|call| call.error.as_deref() == Some("InvalidNonceException"));
        assert!(lost.count() > 0, "no race was lost");
        for job in custom(&aws) {
            let reports = job.reports.iter().filter(|it| it.refused.is_none());
            assert_eq!(
                (invocations(&aws, job), reports.count()),
                (1, 1),
                "{}",
                job.action
            );
        }
    });
}

#[test]
fn an_acknowledgement_whose_response_is_lost_does_not_lose_the_job() {
    // A poll of the type of an event has the acknowledgement as its second call.
    for nth in 0..6 {
        let faults = of_worker(nth, CallFault::TimeoutAfterEffect(2));
        release(opened(), faults, async |driver, pushed| {
            ends(driver, PIPELINE, pushed, "deployed").await;
        });
    }
}

#[test]
fn a_worker_that_dies_after_an_acknowledgement_fails_the_release_and_nothing_else() {
    let mut lost = 0;
    // The acknowledgement is the second call for an event, and a later one for the schedule.
    let moments = (0..4).flat_map(|nth| [2, 3, 4].map(|calls| (nth, calls)));
    for (nth, calls) in moments {
        let faults = of_worker(nth, CallFault::CrashAfter(calls));
        release(opened(), faults, async |driver, pushed| {
            let first = settled(driver, PIPELINE, pushed).await;
            {
                let aws = driver.world.aws();
                let of_release = custom(&aws)
                    .into_iter()
                    .filter(|job| job.execution == first);
                let not_passed_on = of_release
                    .filter(|job| job.state != JobState::Queued && invocations(&aws, job) == 0);
                lost += not_passed_on.count();
            }
            let second = push(driver, WEB, "1.1.0");
            ends(driver, PIPELINE, &second, "deployed").await;
        });
    }
    assert!(lost > 0, "no job was lost");
}

#[test]
fn a_step_that_cannot_be_invoked_fails_its_job_with_the_reason() {
    let mut aws = opened();
    lambda::delete_function(&mut aws, "slipway-update-service").expect("it is there");
    release(aws, Faults::default(), async |driver, pushed| {
        let execution = settled(driver, PIPELINE, pushed).await;
        let aws = driver.world.aws();
        let failed = jobs(&aws, &execution, "update-service");
        let (kind, message) = failure(failed[0]).expect("it failed");
        assert_eq!(kind, "ConfigurationError");
        assert!(
            message.starts_with(
                "the job was taken, but slipway-update-service could not be invoked: \
                 lambda:InvokeFunction failed: ResourceNotFoundException: "
            ),
            "{message}"
        );
    });
}

/// A fault of each of the first attempts of the worker.
fn of_workers(fault: CallFault) -> Faults {
    let function = WORKER;
    let calls = (0..20).map(|nth| (Which::Of { function, nth }, fault));
    Faults {
        calls: calls.collect(),
        ..Faults::default()
    }
}

#[test]
fn a_worker_invokes_a_step_again_while_lambda_is_busy() {
    // The third call for the job of an event, with the four attempts of the SDK.
    let busy = of_workers(CallFault::ThrottleFrom(3, 5));
    release(opened(), busy, async |driver, pushed| {
        ends(driver, PIPELINE, pushed, "deployed").await;
    });
}

#[test]
fn a_worker_reports_again_while_codepipeline_is_busy() {
    let mut aws = opened();
    lambda::delete_function(&mut aws, "slipway-update-service").expect("it is there");
    // The report is the fourth call for the job of an event, and the SDK makes four attempts.
    let busy = of_workers(CallFault::ThrottleFrom(4, 6));
    release(aws, busy, async |driver, pushed| {
        let execution = settled(driver, PIPELINE, pushed).await;
        let aws = driver.world.aws();
        let failed = jobs(&aws, &execution, "update-service");
        let reported = failed.first().and_then(|job| failure(job));
        assert_eq!(reported.map(|(kind, _)| kind), Some("ConfigurationError"));
    });
}

#[test]
fn a_step_that_would_outlast_a_custom_action_is_refused_at_once() {
    let mut aws = opened();
    let changed = update_pipeline(&mut aws, PIPELINE, |pipeline| {
        action(pipeline, "finish-release")["configuration"]["soak_minutes"] = json!("51");
    });
    changed.expect("it is a number");

    release(aws, Faults::default(), async |driver, pushed| {
        let execution = settled(driver, PIPELINE, pushed).await;
        let aws = driver.world.aws();
        let failed = jobs(&aws, &execution, "finish-release");
        assert_eq!(
            failed.first().and_then(|job| failure(job)),
            Some((
                "ConfigurationError",
                "by its parameters this step works for up to 51m00s; expected at most 50m00s, \
                 since a custom action can end after an hour; give it less time, or make it a \
                 Lambda invoke action"
            ))
        );
    });
}
