use std::sync::OnceLock;

use serde_json::Value;
use slipway::job::{ActionKind, Origin, ReleaseRef};
use slipway::observed::percentages::Percentages;
use slipway::observed::service::{Scheduling, TargetGroupView};
use slipway::release::{Change, PriorService, ServiceTarget};
use slipway::timestamp::Timestamp;

use super::*;

const OLD: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1";
const NEW: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:2";

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_767_603_600 + secs).expect("in range")
}

fn percentages() -> Percentages {
    Percentages {
        minimum_healthy: 100,
        maximum: 200,
    }
}

fn prior() -> PriorService {
    let task_definition = OLD.to_owned();
    PriorService {
        task_definition,
        desired_count: 2,
        percentages: percentages(),
        early_success: None,
        found: None,
        recorded_at: at(0),
    }
}

fn target(changed: bool) -> Target {
    let change = Change {
        task_definition: NEW.to_owned(),
        percentages: percentages(),
        desired_count: None,
        deployment: None,
        promise: None,
        set_before: None,
        given: None,
    };

    Target::Service(Box::new(ServiceTarget {
        prior: prior(),
        change: changed.then_some(change),
    }))
}

fn view() -> ServiceView {
    let group = |name: &str, healthy| TargetGroupView {
        arn: format!("arn:…:targetgroup/{name}/0123456789abcdef"),
        healthy,
        registered: 4,
        unreachable: 0,
        healthy_newcomers: 0,
    };

    ServiceView {
        deployment_alarms: false,
        observed_at: at(0),
        status: "ACTIVE".to_owned(),
        desired: 4,
        running: 3,
        pending: 0,
        proven: 3,
        newcomers: 0,
        percentages: percentages(),
        early_success: None,
        rebalancing: false,
        capacity_providers: Vec::new(),
        scheduling: Scheduling::Replica,
        controller: "ECS".to_owned(),
        strategy: "ROLLING".to_owned(),
        deployments: Vec::new(),
        target_groups: vec![group("web", 3), group("admin", 2)],
        messages: Vec::new(),
    }
}

fn parameters(task_definition: &str) -> Parameters {
    Parameters {
        task_definition: task_definition.to_owned(),
        soak_minutes: None,
    }
}

#[test]
fn the_outcome_is_unchanged_only_when_nothing_was_changed_and_nothing_is_new() {
    let outcome = |task_definition, changed| {
        outcome(
            &parameters(task_definition),
            &target(changed),
            &view(),
            Duration::from_secs(252),
        )
    };
    let seen = "on 3 of 4 tasks, 3 targets healthy in web, 2 targets healthy in admin";
    let unchanged = format!("nothing to do: the service already runs web:1 {seen}");

    assert_eq!(outcome(OLD, false), (Outcome::Unchanged, unchanged));

    let again = format!("the service runs web:1 {seen}; it ran web:1 before; took 4m12s");
    assert_eq!(outcome(OLD, true), (Outcome::Deployed, again));

    for changed in [true, false] {
        let deployed = format!("the service runs web:2 {seen}; it ran web:1 before; took 4m12s");
        assert_eq!(outcome(NEW, changed), (Outcome::Deployed, deployed));
    }
}

#[test]
fn a_finished_release_reports_its_outcome_with_its_reason() {
    let expected = JobReport::done("deployed: it runs", [("Outcome", "deployed".to_owned())]);
    assert_eq!(done(Outcome::Deployed, "it runs"), expected);
}

/// A job of an action that requests a soak of 10 minutes, this many seconds after its first one.
fn soaking(secs: i64, payload: Option<Value>) -> Job<Parameters> {
    Job {
        id: None,
        release: ReleaseRef::new("slipway-web", "e-1", "apps", "web"),
        parameters: Parameters {
            soak_minutes: Some(10),
            ..parameters(NEW)
        },
        since: at(0),
        now: at(secs),
        kind: ActionKind::Invoke,
        frozen: None,
        refused_for_long: false,
        payload,
        kept: OnceLock::new(),
        artifacts: Vec::new(),
        credentials: None,
        origin: Origin::Job,
    }
}

#[test]
fn only_a_release_that_changed_something_soaks() {
    let progress = |changed, soak_minutes| {
        let mut job = soaking(0, None);
        job.parameters.soak_minutes = soak_minutes;
        soak_progress(&job, &target(changed)).expect("no token")
    };
    assert_eq!(progress(true, Some(10)), Some(SoakProgress::default()));
    for (changed, minutes) in [(false, Some(10)), (true, Some(0)), (true, None)] {
        assert_eq!(progress(changed, minutes), None, "{changed} {minutes:?}");
    }
}

#[test]
fn an_interrupted_soak_fails_only_after_the_deadline() {
    let soaked = SoakProgress::default().steady(at(0));
    let looked = |secs, progress| unsteady(&soaking(secs, None), Some(progress), "a task");

    // The action has gone on for longer than the deadline.
    let report = looked(1_000, soaked).expect("in progress");
    let JobReport::InProgress {
        summary, payload, ..
    } = report
    else {
        panic!("{report:?}");
    };
    assert_eq!(summary, "not steady: a task; 0s of 15m00s");
    assert_eq!(payload, Some(soaked.unsteady(at(1_000)).payload()));

    let interrupted = soaked.unsteady(at(1_000));
    assert!(looked(1_899, interrupted).is_ok());
    let failed = looked(1_900, interrupted);
    assert!(
        matches!(&failed, Err(StepError::Failed(failure)) if failure.message
            == "the service does not run web:2 steadily: a task"),
        "{failed:?}"
    );
}

#[test]
fn a_soak_has_a_limit() {
    let validated = |soak_minutes| {
        let parameters = Parameters {
            soak_minutes,
            ..parameters(NEW)
        };
        parameters.validate().map_err(|failure| failure.message)
    };
    for minutes in [None, Some(0), Some(1_320)] {
        assert_eq!(validated(minutes), Ok(()));
    }
    assert_eq!(
        validated(Some(1_321)),
        Err("`soak_minutes` is 1321; expected 0 to 1320".to_owned())
    );
}
