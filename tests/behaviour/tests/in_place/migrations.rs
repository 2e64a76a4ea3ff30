//! One-off tasks before an update: each runs once, and only one that ends with exit code 0 lets the
//! release go on.

mod http_checks;

use emulator::Aws;
use emulator::client::CallFault;
use emulator::ecs::{self, TaskState};
use harness::demo::{CLUSTER, COUNTER, WEB};
use harness::driver::{Driver, Fault, Faults, Ran, Which, run};
use serde_json::{Value, json};

use super::bench::*;
use behaviour::{ends, migration, push, reason, released, service, settled};

const STEP: &str = "run-checks";
const PIPELINE: &str = "slipway-web";

/// The parameters of the migration, and others.
fn migrate(more: Value) -> Value {
    let mut all = migration::parameters();
    all.as_object_mut()
        .expect("an object")
        .extend(more.as_object().expect("an object").clone());
    all
}

/// How many calls of this operation the step made that succeeded.
fn made(driver: &Driver, operation: &str) -> usize {
    let since = operations(driver, 0, STEP);
    since.iter().filter(|made| *made == operation).count()
}

/// The only one-off task.
fn only_task(driver: &Driver) -> ecs::Task {
    let mut tasks = migration::tasks(&driver.world.aws());
    assert_eq!(tasks.len(), 1);
    tasks.remove(0)
}

fn text<'a>(answer: &'a Value, member: &str) -> &'a str {
    answer[member].as_str().expect("a text")
}

#[test]
fn a_migration_runs_the_new_revision_where_the_service_runs_and_ends_well() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        migration::exits_with(&mut driver.world.aws(), 0);
        let answer = ended(&driver, STEP, migrate(json!({}))).await;
        assert_eq!(answer["status"], "done", "{answer}");

        let task = only_task(&driver);
        let summary = text(&answer, "summary");
        let begins = "OK migrate: web:3 ended with exit code 0 after ";
        assert!(summary.starts_with(begins), "{summary}");
        let id = task.arn.rsplit('/').next().expect("an id");
        let log = format!("; task {id}; log group ");
        assert!(summary.contains(&log), "{summary}");
        assert!(summary.ends_with(&format!("/web/{id}")), "{summary}");
        assert_eq!(answer["outputVariables"], json!({"TaskArn": task.arn}));
        assert_eq!(answer["externalExecutionId"], json!(task.arn));

        let launch_type = web(&driver)["launchType"].clone();
        assert_eq!(
            (json!(task.task_definition), json!(task.launch_type)),
            (json!(arn("web:3")), launch_type)
        );
        assert_eq!(made(&driver, "RunTask"), 1);
        let updated = look(&driver, "update-service", update(json!({}))).await;
        assert_eq!(updated["status"], "in-progress", "{updated}");
    });
}

#[test]
fn a_migration_that_fails_changes_nothing_else_and_fails_the_release() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        migration::exits_with(&mut driver.world.aws(), 3);
        let before = web(&driver)["taskDefinition"].clone();
        let answer = ended(&driver, STEP, migrate(json!({}))).await;

        let why = "NG migrate: web:3 failed: container web exited with 3; \
                   EssentialContainerExited: Essential container in task exited; task ";
        fails(&answer, "JobFailed", &[why, "; log group "]);
        for (step, parameters) in [
            (STEP, migrate(json!({}))),
            ("update-service", update(json!({}))),
        ] {
            let answer = look(&driver, step, parameters).await;
            fails(&answer, "JobFailed", &[why]);
        }
        assert_eq!(web(&driver)["taskDefinition"], before);
        assert_eq!(made(&driver, "RunTask"), 1);
    });
}

#[test]
fn a_task_that_cannot_start_fails_with_the_reason() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let broken = register_by_hand(&driver, &image("missing"));
        let parameters = migrate(json!({"task_definition": broken}));
        let answer = ended(&driver, STEP, parameters).await;

        let why = "container web has no exit code (CannotPullContainerError";
        let code = "; TaskFailedToStart: ";
        fails(
            &answer,
            "JobFailed",
            &["NG migrate: web:4 failed: ", why, code],
        );
    });
}

#[test]
fn a_task_that_is_stopped_by_hand_fails_the_release_although_it_exits_with_0() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let first = look(&driver, STEP, migrate(json!({}))).await;
        pass(&driver, 90).await;
        let task = only_task(&driver).arn;
        ecs::stop_task(&mut driver.world.aws(), &task, "by hand");
        pass(&driver, 60).await;

        // The emulated containers end with 0 on SIGTERM.
        let answer = again(&driver, STEP, migrate(json!({})), &first).await;
        let why = "container web exited with 0; UserInitiated: by hand";
        fails(&answer, "JobFailed", &["NG migrate: web:3 failed: ", why]);
    });
}

#[test]
fn what_a_stopped_task_quotes_of_its_command_is_redacted() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let secret = || migrate(json!({"command": ["migrate", "--password", "hunter2-hunter2"]}));
        let first = look(&driver, STEP, secret()).await;
        pass(&driver, 90).await;
        let task = only_task(&driver).arn;
        ecs::stop_task(&mut driver.world.aws(), &task, "exec hunter2-hunter2");
        pass(&driver, 60).await;

        let answer = again(&driver, STEP, secret(), &first).await;
        fails(&answer, "JobFailed", &["; UserInitiated: exec ***; task "]);
        assert!(!answer.to_string().contains("hunter2"), "{answer}");
        let lease = lease(&driver).to_string();
        assert!(!lease.contains("hunter2"), "{lease}");
    });
}

#[test]
fn what_cannot_be_run_is_refused_and_starts_nothing() {
    for (more, why) in [
        (json!({"task": "Migrate"}), "`task` is `Migrate`; expected "),
        (
            json!({"task_definition": arn("web:99")}),
            "web:99` does not exist; expected an active revision",
        ),
    ] {
        run(released(), Fault::None, async |driver| {
            registered(&driver).await;
            let answer = look(&driver, STEP, migrate(more.clone())).await;
            fails(&answer, "ConfigurationError", &[why]);
            assert_eq!(made(&driver, "RunTask"), 0);
        });
    }
}

#[test]
fn a_task_that_takes_too_long_is_stopped() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let parameters = migrate(json!({"timeout_minutes": 2}));
        let answer = ended(&driver, STEP, parameters).await;
        let why = "NG migrate: web:3 is RUNNING and did not end within 2m00s; it is being stopped; \
                   task ";
        fails(&answer, "JobFailed", &[why]);

        pass(&driver, 120).await;
        let task = only_task(&driver);
        assert_eq!(task.state, TaskState::Stopped);
        let reason = task.stopped_reason.as_deref();
        assert_eq!(reason, Some("migrate took too long"));
        assert_eq!(made(&driver, "StopTask"), 1);
    });
}

#[test]
fn a_job_that_comes_twice_starts_one_task_also_when_it_has_ended() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        migration::exits_with(&mut driver.world.aws(), 0);
        let first = look(&driver, STEP, migrate(json!({}))).await;
        let second = look(&driver, STEP, migrate(json!({}))).await;
        assert_eq!(first["externalExecutionId"], second["externalExecutionId"]);

        pass(&driver, 240).await;
        let late = look(&driver, STEP, migrate(json!({}))).await;
        assert_eq!(first["externalExecutionId"], late["externalExecutionId"]);
        let answer = again(&driver, STEP, migrate(json!({})), &late).await;
        assert_eq!(answer["status"], "done", "{answer}");
        assert_eq!(made(&driver, "RunTask"), 1);

        let seed = json!({"task": "seed", "command": ["migrate", "up"]});
        let answer = ended(&driver, STEP, seed).await;
        assert_eq!(answer["status"], "done", "{answer}");
        assert_eq!(made(&driver, "RunTask"), 2);
    });
}

/// The first attempt of the step in a release whose migration ends well with one task, and the
/// account at the end.
fn first_attempt(account: Aws, faults: Faults) -> (Ran, Aws) {
    run(account, faults, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        ends(&driver, PIPELINE, &pushed, "deployed").await;
        assert_eq!(only_task(&driver).state, TaskState::Stopped);

        let mut ran = driver.ran().into_iter();
        let first = ran.find(|ran| ran.function == STEP);
        (first.expect("it starts"), driver.world.snapshot())
    })
}

#[test]
fn a_crash_after_any_change_of_the_job_that_starts_the_task_starts_no_second_one() {
    let mut account = released();
    migration::add(&mut account, "30");
    migration::exits_with(&mut account, 0);

    let (first, ended) = first_attempt(account.clone(), Faults::default());
    let calls = first.crash_points(&ended);
    assert!(calls.len() > 2, "{calls:?}");
    for call in calls {
        let die = Which::Of {
            function: STEP,
            nth: 0,
        };
        let crash = CallFault::CrashAfter(call);
        let faults = Faults {
            calls: vec![(die, crash)],
            ..Faults::default()
        };
        let (first, _) = first_attempt(account.clone(), faults);
        assert_eq!(first.met, [crash], "call {call}");
    }
}

#[test]
fn a_migration_of_a_pipeline_runs_before_the_update_or_ends_the_release() {
    let mut account = released();
    migration::add(&mut account, "30");
    for (exit_code, expected) in [(0, "deployed"), (1, "failed")] {
        migration::exits_with(&mut account, exit_code);
        run(account.clone(), Fault::None, async |driver| {
            let before = service(&driver.world.aws(), CLUSTER, WEB)["taskDefinition"].clone();
            let pushed = push(&driver, WEB, "2.0.0");
            let execution = settled(&driver, PIPELINE, &pushed).await;
            let why = reason(&driver, &execution);
            ends(&driver, PIPELINE, &pushed, expected).await;
            let after = service(&driver.world.aws(), CLUSTER, WEB)["taskDefinition"].clone();
            assert_eq!(before == after, exit_code != 0, "{why}");
            assert_eq!(made(&driver, "RunTask"), 1);
        });
    }
}

#[test]
fn without_its_service_nothing_runs() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        take_away(&driver);
        let answer = look(&driver, STEP, migrate(json!({}))).await;
        let why = "service `web` no longer exists in cluster `";
        fails(
            &answer,
            "JobFailed",
            &[why, "; migrate runs where its tasks do"],
        );
        assert_eq!(made(&driver, "RunTask"), 0);
    });
}

#[test]
fn a_task_without_a_service_runs_alone_and_fails_no_release() {
    run(released(), Fault::None, async |driver| {
        let alone = |task: &str| {
            let network = json!({"subnets": ["subnet-0a1b2c3d"]});
            migrate(json!({"task": task, "task_definition": arn("web:2"), "network": network}))
        };
        migration::exits_with(&mut driver.world.aws(), 0);
        let answer = ended(&driver, STEP, alone("nightly")).await;
        assert_eq!(answer["status"], "done", "{answer}");
        assert_eq!(only_task(&driver).launch_type, "FARGATE");
        assert!(lease(&driver)["release"].is_null());

        registered(&driver).await;
        migration::exits_with(&mut driver.world.aws(), 3);
        let answer = ended(&driver, STEP, alone("hourly")).await;
        fails(&answer, "JobFailed", &["NG hourly: web:2 failed: "]);
        let updated = look(&driver, "update-service", update(json!({}))).await;
        assert_eq!(updated["status"], "in-progress", "{updated}");
    });
}

#[test]
fn a_task_without_a_service_has_a_deploy_role_in_a_job_only() {
    run(released(), Fault::None, async |driver| {
        let alone = json!({
            "task_definition": arn("web:2"), "network": {"subnets": ["subnet-0a1b2c3d"]},
            "deploy_role": "arn:aws:iam::111122223333:role/jobs",
        });
        let answer = look(&driver, STEP, migrate(alone)).await;
        let why = "but the invocation is not a job of CodePipeline";
        fails(
            &answer,
            "ConfigurationError",
            &["`deploy_role` is `arn:", why],
        );
        assert_eq!(made(&driver, "RunTask"), 0);
    });
}

#[test]
fn a_task_without_a_place_is_tried_again_until_there_is_one_or_its_time_is_over() {
    // The tasks of the counter hold a port of both instances.
    let parameters = || json!({"service": COUNTER, "task": "migrate", "timeout_minutes": 5});
    let first = async |driver: &Driver| {
        let begin = json!({"service": COUNTER, "strategy": "make-room"});
        begun(driver, begin).await;
        let first = look(driver, STEP, parameters()).await;
        let summary = "migrate: not placed: RESOURCE:PORTS; 0s of 5m00s";
        assert_eq!(first["summary"], summary, "{first}");
        first
    };

    run(released(), Fault::None, async |driver| {
        let first = first(&driver).await;
        ecs::add_container_instances(&mut driver.world.aws(), CLUSTER, 1);
        pass(&driver, 30).await;
        let next = again(&driver, STEP, parameters(), &first).await;
        let summary = text(&next, "summary");
        let begins = "migrate: started page-counter:";
        assert!(summary.starts_with(begins), "{summary}");
        only_task(&driver);
    });
    run(released(), Fault::None, async |driver| {
        let first = first(&driver).await;
        pass(&driver, 300).await;
        let answer = again(&driver, STEP, parameters(), &first).await;
        let why = " was not placed within 5m00s: RESOURCE:PORTS";
        fails(&answer, "JobFailed", &["NG migrate: page-counter:", why]);
    });
}
