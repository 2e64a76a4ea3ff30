//! ECS services as they are read: each field of the observation.

use serde_json::{Value, json};

use super::script::{Answer, Script, answer, at, refusal, run};
use crate::aws::{ErrorKind, ObservedService, Services};
use crate::observed::percentages::Percentages;
use crate::observed::service::{DeploymentView, Rollout, Scheduling, ServiceView, TargetGroupView};

pub(super) const ARN: &str = "arn:aws:ecs:eu-west-1:111122223333:service/apps/web";
pub(super) const OLD: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1";
pub(super) const NEW: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:2";
pub(super) const GROUP: &str =
    "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/0123456789abcdef";

/// A service in the middle of a deployment, as DescribeServices has it.
pub(super) fn service() -> Value {
    json!({
        "serviceArn": ARN,
        "serviceName": "web",
        "status": "ACTIVE",
        "desiredCount": 4,
        "runningCount": 5,
        "pendingCount": 1,
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "deploymentConfiguration": {
            "deploymentCircuitBreaker": {
                "enable": true, "rollback": true, "resetOnHealthyTask": true
            },
            "maximumPercent": 150,
            "minimumHealthyPercent": 50,
            "alarms": {"alarmNames": ["web-5xx"], "rollback": true, "enable": true},
            "strategy": "ROLLING",
            "bakeTimeInMinutes": 5
        },
        "loadBalancers": [{"targetGroupArn": GROUP, "containerName": "web", "containerPort": 80}],
        "events": [{"message": "newest"}, {"message": "older"}],
        "deployments": [
            {
                "id": "ecs-svc/2", "status": "PRIMARY", "taskDefinition": NEW,
                "rolloutState": "IN_PROGRESS",
                "rolloutStateReason": "in progress",
                "desiredCount": 4, "runningCount": 2, "pendingCount": 1,
                "failedTasks": 3
            },
            {
                "id": "ecs-svc/1", "status": "ACTIVE", "taskDefinition": OLD,
                "rolloutState": "COMPLETED",
                "desiredCount": 2, "runningCount": 3, "pendingCount": 0, "failedTasks": 0
            }
        ]
    })
}

pub(super) fn described(service: &Value) -> Answer {
    answer(&json!({"services": [service], "failures": []}))
}

const PERCENTAGES: Percentages = Percentages {
    minimum_healthy: 50,
    maximum: 150,
};

pub(super) fn view() -> ServiceView {
    ServiceView {
        observed_at: at(0),
        status: "ACTIVE".to_owned(),
        desired: 4,
        running: 5,
        pending: 1,
        proven: 0,
        newcomers: 0,
        percentages: PERCENTAGES,
        early_success: None,
        deployment_alarms: true,
        rebalancing: false,
        capacity_providers: Vec::new(),
        scheduling: Scheduling::Replica,
        controller: "ECS".to_owned(),
        strategy: "ROLLING".to_owned(),
        deployments: vec![
            DeploymentView {
                id: "ecs-svc/2".to_owned(),
                primary: true,
                task_definition: NEW.to_owned(),
                rollout: Rollout::InProgress,
                reason: "in progress".to_owned(),
                desired: 4,
                running: 2,
                pending: 1,
                failed_tasks: 3,
            },
            DeploymentView {
                id: "ecs-svc/1".to_owned(),
                primary: false,
                task_definition: OLD.to_owned(),
                rollout: Rollout::Completed,
                reason: String::new(),
                desired: 2,
                running: 3,
                pending: 0,
                failed_tasks: 0,
            },
        ],
        target_groups: vec![target_group()],
        messages: vec!["newest".to_owned(), "older".to_owned()],
    }
}

fn target_group() -> TargetGroupView {
    TargetGroupView {
        arn: GROUP.to_owned(),
        healthy: 0,
        registered: 0,
        unreachable: 0,
        healthy_newcomers: 0,
    }
}

fn describe(answer: Answer) -> Result<Option<ObservedService>, crate::aws::AwsError> {
    run(Services::new(&Script::new([answer]).sdk()).describe("apps", "web"))
}

/// The service with one change, as it is observed.
fn with(change: impl Fn(&mut Value)) -> ServiceView {
    let mut service = service();
    change(&mut service);
    describe(described(&service))
        .expect("understood")
        .expect("there")
        .view
}

#[test]
fn every_field_of_a_service_is_read() {
    let script = Script::new([described(&service())]);
    let found = run(Services::new(&script.sdk()).describe("apps", "web"))
        .expect("answered")
        .expect("there");

    assert_eq!(found.view, view());
    assert_eq!(found.name(), ("apps", "web"));
    assert_eq!(script.only().operation(), "DescribeServices");
    assert_eq!(
        script.only().json(),
        json!({"cluster": "apps", "services": ["web"]})
    );
}

#[test]
fn controllers_strategies_and_schedules_are_distinguished() {
    let other = with(|service| service["deploymentController"] = json!({"type": "CODE_DEPLOY"}));
    assert_eq!(other.controller, "CODE_DEPLOY");
    assert_eq!(
        with(|service| service["deploymentController"] = json!(null)).controller,
        "ECS"
    );

    let native =
        with(|service| service["deploymentConfiguration"]["strategy"] = json!("BLUE_GREEN"));
    assert_eq!(native.strategy, "BLUE_GREEN");
    assert_eq!(
        with(|service| service["deploymentConfiguration"]["strategy"] = json!(null)).strategy,
        "ROLLING"
    );
    assert_eq!(
        with(|service| service["schedulingStrategy"] = json!("DAEMON")).scheduling,
        Scheduling::Daemon
    );
    assert_eq!(
        with(|service| service["status"] = json!("DRAINING")).status,
        "DRAINING"
    );
}

#[test]
fn a_service_is_rebalanced_only_when_it_is_enabled() {
    let found = |value: Value| {
        with(|service| service["availabilityZoneRebalancing"] = value.clone()).rebalancing
    };

    // A service that never had a value is not rebalanced.
    assert_eq!(
        [json!("ENABLED"), json!("DISABLED"), json!(null)].map(found),
        [true, false, false]
    );
}

#[test]
fn deployment_alarms_count_only_when_they_are_enabled() {
    let found = |alarms: Value| {
        let seen = with(|service| service["deploymentConfiguration"]["alarms"] = alarms.clone());
        seen.deployment_alarms
    };
    let alarms = |enable: bool| json!({"alarmNames": ["a"], "rollback": true, "enable": enable});

    assert_eq!(
        [alarms(true), alarms(false), json!(null)].map(found),
        [true, false, false]
    );
}

#[test]
fn early_success_criteria_count_only_when_they_are_enabled() {
    let found = |enable: bool| {
        let early = json!({"enable": enable, "healthyPercent": 60});
        let seen = with(|service| {
            service["deploymentConfiguration"]["earlySuccessCriteria"] = early.clone();
        });
        seen.early_success
    };
    assert_eq!([true, false].map(found), [Some(60), None]);
}

#[test]
fn a_service_has_capacity_providers_or_a_launch_type() {
    let found = with(|service| {
        service["capacityProviderStrategy"] = json!([
            {"capacityProvider": "spare", "weight": 1},
            {"capacityProvider": "spot", "weight": 2},
        ]);
    });
    assert_eq!(found.capacity_providers, ["spare", "spot"]);

    let launched = with(|service| service["launchType"] = json!("EC2"));
    assert_eq!(launched.capacity_providers, [""; 0]);
}

#[test]
fn each_rollout_state_is_read_as_it_is() {
    let rollout = |state: Value| {
        let found = with(|service| service["deployments"][0]["rolloutState"] = state.clone());
        found.deployments[0].rollout
    };

    assert_eq!(rollout(json!("COMPLETED")), Rollout::Completed);
    assert_eq!(rollout(json!("FAILED")), Rollout::Failed);
    assert_eq!(rollout(json!("IN_PROGRESS")), Rollout::InProgress);
    assert_eq!(
        rollout(json!(null)),
        Rollout::Absent,
        "absence is a value of its own"
    );
}

#[test]
fn the_newest_20_messages_are_kept() {
    let events: Vec<Value> = (1..=30)
        .map(|number| json!({"message": format!("message {number}")}))
        .collect();
    let messages = with(|service| service["events"] = json!(events.clone())).messages;

    assert_eq!(
        (messages.len(), messages[0].as_str(), messages[19].as_str()),
        (20, "message 1", "message 20")
    );
}

#[test]
fn load_balancers_without_a_target_group_have_no_targets() {
    let found = with(|service| service["loadBalancers"] = json!([{"loadBalancerName": "classic"}]));
    assert_eq!(found.target_groups, []);
}

#[test]
fn what_ecs_always_has_must_be_there() {
    type Edit = fn(&mut Value);
    let cases: [(&str, Edit); 9] = [
        ("service web: no status", |s| s["status"] = json!(null)),
        ("service web: no deploymentConfiguration", |s| {
            s["deploymentConfiguration"] = json!(null)
        }),
        ("service web: no minimumHealthyPercent", |s| {
            s["deploymentConfiguration"]["minimumHealthyPercent"] = json!(null);
        }),
        ("service web: no maximumPercent", |s| {
            s["deploymentConfiguration"]["maximumPercent"] = json!(null)
        }),
        ("service web: runningCount is -1", |s| {
            s["runningCount"] = json!(-1)
        }),
        ("service web: desiredCount of a deployment is -2", |s| {
            s["deployments"][0]["desiredCount"] = json!(-2)
        }),
        ("service web: a deployment without id", |s| {
            s["deployments"][0]["id"] = json!(null)
        }),
        ("service web: a deployment without taskDefinition", |s| {
            s["deployments"][1]["taskDefinition"] = json!(null);
        }),
        ("service web: rolloutState is PAUSED", |s| {
            s["deployments"][0]["rolloutState"] = json!("PAUSED")
        }),
    ];

    for (message, change) in cases {
        let mut service = service();
        change(&mut service);
        let error = describe(described(&service)).expect_err(message);
        assert_eq!(
            (error.kind, error.message.as_str()),
            (ErrorKind::Unexpected, message)
        );
    }
}

#[test]
fn a_service_or_cluster_that_is_missing_is_none_and_any_other_failure_is_an_error() {
    let failure = |arn: &str, reason: &str| {
        answer(&json!({"services": [], "failures": [{"arn": arn, "reason": reason}]}))
    };

    assert!(
        describe(failure(ARN, "MISSING"))
            .expect("answered")
            .is_none()
    );
    assert!(
        describe(refusal("ClusterNotFoundException", "Cluster not found."))
            .expect("answered")
            .is_none()
    );

    let error = describe(failure(ARN, "ACCESS")).expect_err("not known to be missing");
    assert_eq!(error.message, "failure Some(\"ACCESS\") for web");

    let error = describe(answer(&json!({"services": [], "failures": []}))).expect_err("no answer");
    assert_eq!(error.message, "neither a service nor a failure for web");

    let error = describe(refusal("InvalidParameterException", "Name")).expect_err("refused");
    assert_eq!(
        (error.operation, error.kind),
        ("ecs:DescribeServices", ErrorKind::Rejected)
    );
}

#[test]
fn each_of_several_services_is_found_by_its_own_name_whatever_the_order() {
    let mut other = service();
    other["serviceArn"] = json!(format!("{ARN}-green"));
    other["desiredCount"] = json!(9);
    let script = Script::new([answer(
        &json!({"services": [other, service()], "failures": []}),
    )]);
    let found = run(Services::new(&script.sdk()).describe_each("apps", [ARN, "web-green"]))
        .expect("answered");

    assert_eq!(
        found.map(|found| found.map(|found| found.view.desired)),
        [Some(4), Some(9)]
    );
    assert_eq!(script.only().json()["services"], json!([ARN, "web-green"]));
}
