use super::*;
use crate::observed::task::ContainerView;

const REVISION: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:3";

fn task<'a>(name: &'a str, command: &'a [String]) -> OneOffTask<'a> {
    OneOffTask {
        execution: "e-1",
        name,
        task_definition: REVISION,
        command: Some(("web", command)),
    }
}

fn container(name: &str, exit_code: Option<i32>, reason: Option<&str>) -> ContainerView {
    ContainerView {
        name: name.to_owned(),
        exit_code,
        reason: reason.map(ToOwned::to_owned),
    }
}

fn running() -> TaskView {
    TaskView {
        status: "RUNNING".to_owned(),
        is_stopping: false,
        stop_code: None,
        stopped_reason: None,
        containers: vec![container("web", None, None), container("logs", None, None)],
    }
}

fn stopped(code: &str, containers: Vec<ContainerView>) -> TaskView {
    TaskView {
        status: "STOPPED".to_owned(),
        is_stopping: true,
        stop_code: Some(code.to_owned()),
        stopped_reason: Some("a reason".to_owned()),
        containers,
    }
}

/// The step after this many seconds of a minute.
fn after(secs: u64, view: &TaskView) -> TaskStep {
    let time = TaskTime {
        elapsed: Duration::from_secs(secs),
        limit: Duration::from_secs(60),
    };
    next_step(&task("migrate", &[]), view, &["web"], time)
}

#[test]
fn a_token_is_of_one_action_of_one_execution_and_of_one_attempt() {
    let words = ["migrate".to_owned()];
    let own = task("migrate", &words);
    let others = [
        OneOffTask {
            execution: "e-2",
            ..own
        },
        task("seed", &words),
        task("migrate", &[]),
        OneOffTask {
            command: None,
            ..own
        },
        OneOffTask {
            task_definition: "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:4",
            ..own
        },
    ];

    assert_eq!(own.client_token(0), task("migrate", &words).client_token(0));
    assert_ne!(own.client_token(0), own.client_token(1));
    for other in others {
        assert_ne!(other.client_token(0), own.client_token(0), "{other:?}");
        assert_ne!(other.started_by(), own.started_by(), "{other:?}");
    }
    assert!(own.client_token(u32::MAX).len() <= 64);
    assert!(own.started_by().starts_with("slipway/"));
}

#[test]
fn what_a_job_leaves_to_the_next_is_read_again() {
    assert_eq!(TaskProgress::read(None), Ok(TaskProgress::default()));
    let at = Timestamp::from_secs(1_767_603_600).expect("in range");
    let progress = TaskProgress {
        attempts: 2,
        not_placed: Some("RESOURCE:MEMORY".to_owned()),
        started: Some(StartedTask {
            arn: "arn".to_owned(),
            at,
        }),
        checks: vec![CheckProgress {
            passed: 1,
            failed: 2,
            last: "found 12ms; expected at most 9ms".to_owned(),
        }],
    };
    let payload = progress.payload();
    assert_eq!(TaskProgress::read(payload.as_ref()), Ok(progress));

    let refused = TaskProgress::read(Some(&json!({"minute": 7}))).expect_err("of another step");
    assert!(refused.message.contains("release again"), "{refused}");
}

#[test]
fn a_task_that_runs_is_waited_for_and_stopped_when_its_time_is_over() {
    let waiting = "web:3 is RUNNING; 59s of 1m00s".to_owned();
    assert_eq!(after(59, &running()), TaskStep::Wait(waiting));
    let late = "web:3 is RUNNING and did not end within 1m00s".to_owned();
    assert_eq!(after(60, &running()), TaskStep::Stop(late));

    let ending = TaskView {
        status: "DEPROVISIONING".to_owned(),
        is_stopping: true,
        ..running()
    };
    let limit = 60 + TASK_STOP_DEADLINE.as_secs();
    assert!(matches!(after(limit - 1, &ending), TaskStep::Wait(_)));
    assert!(matches!(after(limit, &ending), TaskStep::Stop(_)));
}

#[test]
fn only_exit_code_0_of_each_essential_container_is_a_success() {
    let sidecar = || container("logs", Some(143), None);
    let ended = |code| {
        let web = container("web", code, None);
        after(72, &stopped(ENDED, vec![web, sidecar()]))
    };
    let done = "web:3 ended with exit code 0 after 1m12s".to_owned();
    assert_eq!(ended(Some(0)), TaskStep::Done(done));

    let failed = |why: &str| TaskStep::Fail(format!("web:3 failed: {why}"));
    let exited = "container web exited with 3; EssentialContainerExited: a reason";
    assert_eq!(ended(Some(3)), failed(exited));
    let lost = "container web has no exit code; EssentialContainerExited: a reason";
    assert_eq!(ended(None), failed(lost));

    let time = TaskTime {
        elapsed: Duration::from_secs(72),
        limit: Duration::from_secs(60),
    };
    let both = stopped(ENDED, vec![container("web", Some(0), None), sidecar()]);
    let step = next_step(&task("migrate", &[]), &both, &["web", "logs"], time);
    assert!(matches!(step, TaskStep::Fail(_)), "{step:?}");
}

#[test]
fn a_task_that_was_stopped_or_did_not_start_is_no_success() {
    let web = container("web", Some(0), None);
    let interrupted = stopped("UserInitiated", vec![web]);
    let why = "web:3 failed: container web exited with 0; UserInitiated: a reason";
    assert_eq!(after(30, &interrupted), TaskStep::Fail(why.to_owned()));

    let web = container("web", None, Some("CannotPullContainerError"));
    let view = stopped("TaskFailedToStart", vec![web]);
    let why = "web:3 failed: container web has no exit code (CannotPullContainerError); \
               TaskFailedToStart: a reason";
    assert_eq!(after(30, &view), TaskStep::Fail(why.to_owned()));

    let redacted = view.with_texts(|text| format!("<{}>", text.len()));
    let why = "web:3 failed: container web has no exit code (<24>); TaskFailedToStart: <8>";
    assert_eq!(after(30, &redacted), TaskStep::Fail(why.to_owned()));
}

#[test]
fn a_task_that_stopped_without_a_code_is_no_success() {
    let view = TaskView {
        stop_code: None,
        stopped_reason: None,
        ..stopped(ENDED, vec![container("web", Some(0), None)])
    };
    let why = "web:3 failed: container web exited with 0; no stop code";
    assert_eq!(after(30, &view), TaskStep::Fail(why.to_owned()));
}

#[test]
fn the_share_of_the_time_is_a_percentage_of_an_action_in_progress() {
    let percent = |elapsed, limit| {
        let time = TaskTime {
            elapsed: Duration::from_secs(elapsed),
            limit: Duration::from_secs(limit),
        };
        (time.percent(), time.is_over())
    };
    assert_eq!(percent(0, 60), (0, false));
    assert_eq!(percent(30, 60), (50, false));
    assert_eq!(percent(90, 60), (99, true));
}
