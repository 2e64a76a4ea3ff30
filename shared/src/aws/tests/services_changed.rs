//! UpdateService, to the letter: what is changed, and what is left out.

use serde_json::{Value, json};

use super::script::{Answer, Script, answer, refusal, run};
use super::services::{described, service};
use crate::aws::{AwsError, ErrorKind, Services};
use crate::observed::percentages::Percentages;
use crate::strategy::service_goal::ServiceGoal;

const PERCENTAGES: Percentages = Percentages {
    minimum_healthy: 100,
    maximum: 200,
};

fn updated() -> Answer {
    let deployments = json!([
        {"id": "ecs-svc/2", "status": "ACTIVE"},
        {"id": "ecs-svc/3", "status": "PRIMARY"},
        {"id": "ecs-svc/1", "status": "INACTIVE"}
    ]);
    answer(&json!({"service": {"deployments": deployments}}))
}

/// Describes a service and applies a change to it; the response and the body of UpdateService.
fn applied(
    service: &Value,
    desired: Option<u32>,
    answer: Answer,
) -> (Result<String, AwsError>, Value) {
    applied_goal(service, &goal(desired), answer)
}

fn applied_goal(
    service: &Value,
    goal: &ServiceGoal<'_>,
    answer: Answer,
) -> (Result<String, AwsError>, Value) {
    let script = Script::new([described(service), answer]);
    let services = Services::new(&script.sdk());
    let seen = run(services.describe("apps", "web"))
        .expect("answered")
        .expect("there");
    let result = run(services.apply(&seen, goal));

    assert_eq!(script.operations(), ["DescribeServices", "UpdateService"]);

    (result, script.sent()[1].json())
}

/// ECS leaves alone what is not sent: the circuit breaker, alarms, bake time and strategy.
#[test]
fn a_deployment_states_its_revision_and_percentages_alone() {
    let (id, sent) = applied(&service(), None, updated());
    assert_eq!(id.expect("applied"), "ecs-svc/3");
    assert_eq!(
        sent,
        json!({
            "cluster": "apps",
            "service": "web",
            "taskDefinition": "web:7",
            "deploymentConfiguration": {"maximumPercent": 200, "minimumHealthyPercent": 100}
        })
    );
}

#[test]
fn a_count_is_sent_only_when_one_is_asked_for() {
    assert_eq!(
        applied(&service(), Some(0), updated()).1["desiredCount"],
        json!(0)
    );
    assert_eq!(
        applied(&service(), Some(6), updated()).1["desiredCount"],
        json!(6)
    );
    assert_eq!(
        applied(&service(), None, updated()).1.get("desiredCount"),
        None
    );
}

#[test]
fn a_number_that_the_api_cannot_hold_is_refused_before_it_is_sent() {
    let script = Script::new([described(&service())]);
    let services = Services::new(&script.sdk());
    let seen = run(services.describe("apps", "web"))
        .expect("answered")
        .expect("there");
    let error = run(services.apply(&seen, &goal(Some(1 << 31)))).expect_err("too large");

    assert_eq!(error.message, "the number 2147483648 is too large");
    assert_eq!(script.operations(), ["DescribeServices"]);
}

#[test]
fn an_update_without_a_primary_deployment_is_not_understood() {
    let none =
        answer(&json!({"service": {"deployments": [{"id": "ecs-svc/1", "status": "ACTIVE"}]}}));
    let error = applied(&service(), None, none).0.expect_err("no PRIMARY");

    assert_eq!(
        (error.kind, error.message.as_str()),
        (ErrorKind::Unexpected, "no PRIMARY deployment")
    );
}

#[test]
fn an_update_that_ecs_refuses_is_an_error() {
    let error = applied(
        &service(),
        None,
        refusal("ServiceNotActiveException", "Service was not ACTIVE."),
    )
    .0;
    let error = error.expect_err("refused");

    assert_eq!(
        (error.operation, error.kind),
        ("ecs:UpdateService", ErrorKind::Rejected)
    );
}

#[test]
fn new_percentages_change_nothing_else() {
    let mut early = service();
    early["deploymentConfiguration"]["earlySuccessCriteria"] = json!({
        "enable": true, "healthyPercent": 80, "sourceServiceRevisionCleanup": "DEFERRED",
    });
    let script = Script::new([described(&early), answer(&json!({"service": {}}))]);
    let services = Services::new(&script.sdk());
    let seen = run(services.describe("apps", "web"))
        .expect("answered")
        .expect("there");
    run(services.set_percentages(&seen, PERCENTAGES, Some(90))).expect("applied");

    // Early success never comes below the floor.
    let criteria = json!({
        "enable": true, "healthyPercent": 100, "sourceServiceRevisionCleanup": "DEFERRED",
    });
    let expected = json!({
        "minimumHealthyPercent": 100, "maximumPercent": 200, "earlySuccessCriteria": criteria,
    });
    assert_eq!(
        script.sent()[1].json(),
        json!({"cluster": "apps", "service": "web", "deploymentConfiguration": expected})
    );
}

#[test]
fn a_new_size_changes_the_count_alone() {
    let script = Script::new([described(&service()), answer(&json!({"service": {}}))]);
    let services = Services::new(&script.sdk());
    let seen = run(services.describe("apps", "web"))
        .expect("answered")
        .expect("there");
    run(services.resize(&seen, 3)).expect("applied");
    let sent = script.sent();

    assert_eq!(sent[1].operation(), "UpdateService");
    assert_eq!(
        sent[1].json(),
        json!({"cluster": "apps", "service": "web", "desiredCount": 3})
    );
}

#[test]
fn a_new_size_that_ecs_refuses_is_an_error() {
    let script = Script::new([
        described(&service()),
        refusal("AccessDeniedException", "no"),
    ]);
    let services = Services::new(&script.sdk());
    let seen = run(services.describe("apps", "web"))
        .expect("answered")
        .expect("there");
    let error = run(services.resize(&seen, 3)).expect_err("refused");

    assert_eq!(
        (error.operation, error.kind),
        ("ecs:UpdateService", ErrorKind::Permission)
    );
}

fn goal(desired: Option<u32>) -> ServiceGoal<'static> {
    ServiceGoal {
        task_definition: Some("web:7"),
        percentages: PERCENTAGES,
        early_success: None,
        desired,
    }
}

#[test]
fn a_failed_deployment_of_the_same_revision_is_replaced_by_a_new_one() {
    let forced = |rollout: &str, revision: &str| {
        let mut failed = service();
        failed["deployments"][0]["rolloutState"] = json!(rollout);
        failed["deployments"][0]["taskDefinition"] = json!(revision);
        applied(&failed, None, updated()).1["forceNewDeployment"].clone()
    };

    assert_eq!(forced("FAILED", "web:7"), json!(true));
    assert_eq!(forced("COMPLETED", "web:7"), json!(null));
    assert_eq!(forced("FAILED", "web:6"), json!(null));
}

#[test]
fn a_task_definition_that_is_not_given_is_left_as_it_is() {
    let mut failed = service();
    failed["deployments"][0]["rolloutState"] = json!("FAILED");
    let kept = ServiceGoal {
        task_definition: None,
        ..goal(Some(3))
    };
    let (_, sent) = applied_goal(&failed, &kept, updated());

    assert_eq!(sent["taskDefinition"], json!(null));
    assert_eq!(sent["forceNewDeployment"], json!(null));
    assert_eq!(sent["desiredCount"], 3);
}

#[test]
fn early_success_never_stays_below_the_floor_and_is_restored() {
    let healthy = |enable: bool, minimum_healthy, early_success| {
        let mut early = service();
        early["deploymentConfiguration"]["earlySuccessCriteria"] = json!({
            "enable": enable, "healthyPercent": 60, "sourceServiceRevisionCleanup": "DEFERRED",
        });
        let goal = ServiceGoal {
            percentages: Percentages {
                minimum_healthy,
                ..PERCENTAGES
            },
            early_success,
            ..goal(None)
        };
        let (_, sent) = applied_goal(&early, &goal, updated());
        let criteria = sent["deploymentConfiguration"]["earlySuccessCriteria"].clone();
        assert_eq!(criteria.is_null(), !enable, "{criteria}");
        criteria["healthyPercent"].clone()
    };

    assert_eq!(healthy(true, 50, None), 60);
    assert_eq!(healthy(true, 75, None), 75);
    assert_eq!(healthy(true, 50, Some(55)), 55);
    assert_eq!(healthy(true, 75, Some(55)), 75);
    assert_eq!(healthy(false, 75, None), json!(null), "it is not in use");
}
