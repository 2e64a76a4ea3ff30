//! One-off tasks: where they run, that none is started twice, and what is read of them.

use serde_json::{Value, json};

use super::script::{Answer, Script, answer, refusal, response, run};
use crate::aws::{AwsError, Services, TaskPlace};
use crate::observed::task::{ContainerView, Placement, TaskView};
use crate::strategy::one_off_task::OneOffTask;

const TASK: &str = "arn:aws:ecs:eu-west-1:111122223333:task/apps/0f";
const REVISION: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:3";

fn task(command: &[String]) -> OneOffTask<'_> {
    OneOffTask {
        execution: "e-1",
        name: "migrate",
        task_definition: REVISION,
        command: (!command.is_empty()).then_some(("web", command)),
    }
}

/// How RunTask ends where the tasks of this service run, and what was sent.
fn started(
    service: &Value,
    command: &[String],
    ends: Answer,
) -> (Result<Placement, AwsError>, Value) {
    let script = Script::new(vec![answer(&json!({"services": [service]})), ends]);
    let services = Services::new(&script.sdk());
    let place = run(services.task_place("apps", "web")).expect("answered");
    let place = place.expect("there is a service");
    let placement = run(services.run_task("apps", &place, &task(command), 2));

    let sent = script.sent();
    assert_eq!(sent[1].operation(), "RunTask");
    (placement, sent[1].json())
}

fn with_task() -> Answer {
    answer(&json!({"tasks": [{"taskArn": TASK}], "failures": []}))
}

#[test]
fn a_task_is_started_where_the_tasks_of_the_service_run() {
    let network = json!({"awsvpcConfiguration": {
        "subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED",
    }});
    let on_fargate = json!({
        "serviceName": "web", "status": "ACTIVE", "launchType": "FARGATE",
        "platformVersion": "1.4.0", "networkConfiguration": network,
    });
    let words = ["migrate".to_owned(), "up".to_owned()];
    let (placement, sent) = started(&on_fargate, &words, with_task());
    assert_eq!(placement.ok(), Some(Placement::Started(TASK.to_owned())));
    let own = task(&words);
    assert_eq!(
        sent,
        json!({
            "cluster": "apps", "taskDefinition": REVISION, "count": 1,
            "clientToken": own.client_token(2), "startedBy": own.started_by(),
            "launchType": "FARGATE", "platformVersion": "1.4.0", "networkConfiguration": network,
            "overrides": {"containerOverrides": [{"name": "web", "command": ["migrate", "up"]}]},
        })
    );

    let capacity = json!([{"capacityProvider": "spare", "weight": 1, "base": 0}]);
    let on_provider = json!({
        "serviceName": "web", "status": "ACTIVE", "launchType": "EC2",
        "capacityProviderStrategy": capacity, "placementConstraints": [],
    });
    let (_, sent) = started(&on_provider, &[], with_task());
    let own = task(&[]);
    assert_eq!(
        sent,
        json!({
            "cluster": "apps", "taskDefinition": REVISION, "count": 1,
            "clientToken": own.client_token(2), "startedBy": own.started_by(),
            "capacityProviderStrategy": capacity,
        })
    );
}

#[test]
fn a_task_runs_on_instances_that_fit_the_service_and_beside_its_tasks() {
    let arm = json!({
        "type": "memberOf", "expression": "attribute:ecs.cpu-architecture == arm64",
    });
    let constrained = json!({
        "serviceName": "web", "status": "ACTIVE", "launchType": "EC2",
        "placementConstraints": [{"type": "distinctInstance"}, arm],
    });
    let (_, sent) = started(&constrained, &[], with_task());
    assert_eq!(sent["placementConstraints"], json!([arm]));
}

#[test]
fn a_task_without_a_service_runs_on_fargate_in_the_given_network() {
    let owned = |names: &[&str]| -> Vec<String> {
        let names = names.iter();
        names.map(|&name| name.to_owned()).collect()
    };
    let sent = |groups: &[&str], public_ip: bool| {
        let subnets = owned(&["subnet-1", "subnet-2"]);
        let place = TaskPlace::on_fargate(&subnets, &owned(groups), public_ip);
        let script = Script::new([with_task()]);
        let services = Services::new(&script.sdk());
        let placement = run(services.run_task("apps", &place, &task(&[]), 0));
        assert!(placement.is_ok(), "{placement:?}");
        script.only().json()
    };

    let own = task(&[]);
    assert_eq!(
        sent(&["sg-1"], true),
        json!({
            "cluster": "apps", "taskDefinition": REVISION, "count": 1,
            "clientToken": own.client_token(0), "startedBy": own.started_by(),
            "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {
                "subnets": ["subnet-1", "subnet-2"], "securityGroups": ["sg-1"],
                "assignPublicIp": "ENABLED",
            }},
        })
    );
    assert_eq!(
        sent(&[], false)["networkConfiguration"],
        json!({"awsvpcConfiguration": {
            "subnets": ["subnet-1", "subnet-2"], "assignPublicIp": "DISABLED",
        }})
    );
}

#[test]
fn a_service_that_is_gone_has_no_place() {
    let place = |answers: Vec<Answer>| {
        let script = Script::new(answers);
        let place = run(Services::new(&script.sdk()).task_place("apps", "web"));
        place.expect("answered").is_some()
    };
    let deleted = json!({"services": [{"serviceName": "web", "status": "INACTIVE"}]});
    let missing = json!({"services": [], "failures": [{"arn": "web", "reason": "MISSING"}]});
    assert!(!place(vec![answer(&deleted)]));
    assert!(!place(vec![answer(&missing)]));
    assert!(!place(vec![refusal("ClusterNotFoundException", "no")]));
    let draining = json!({"services": [{"serviceName": "web", "status": "DRAINING"}]});
    assert!(place(vec![answer(&draining)]));
}

#[test]
fn a_token_that_is_in_use_leads_to_the_task_that_it_started() {
    let service = json!({"serviceName": "web", "status": "ACTIVE"});
    let conflict = |ids: Value| {
        let body = json!({
            "__type": "ConflictException", "message": "in use", "resourceIds": ids,
        });
        let refused = response(400, "application/x-amz-json-1.1", body.to_string());
        started(&service, &[], refused).0
    };
    let earlier = conflict(json!([TASK])).expect("there is a task");
    assert_eq!(earlier, Placement::Started(TASK.to_owned()));
    let unknown = conflict(json!([])).expect_err("there is none");
    assert_eq!(unknown.code, "ConflictException");
}

#[test]
fn a_task_that_is_not_placed_has_reasons() {
    let service = json!({"serviceName": "web", "status": "ACTIVE"});
    let failures = json!({"tasks": [], "failures": [
        {"arn": "i-1", "reason": "RESOURCE:MEMORY"},
        {"arn": "i-2", "reason": "RESOURCE:MEMORY"},
        {"arn": "i-3", "reason": "AGENT", "detail": "not connected"},
        {
            "arn": "i-4", "reason": "ATTRIBUTE",
            "detail": "at https://example.com/?X-Amz-Signature=abc",
        },
    ]});
    let (placement, _) = started(&service, &[], answer(&failures));
    let reasons = [
        "RESOURCE:MEMORY",
        "AGENT (not connected)",
        "ATTRIBUTE (at https://example.com/?***)",
    ];
    let reasons = reasons.map(ToOwned::to_owned);
    assert_eq!(
        placement.expect("answered"),
        Placement::NotPlaced(reasons.to_vec())
    );

    let (placement, _) = started(&service, &[], answer(&json!({})));
    let lack = placement.expect_err("it has neither").message;
    assert_eq!(lack, "neither a task nor a failure");
}

#[test]
fn a_task_is_found_by_what_started_it_also_when_it_has_stopped() {
    let listed = |arn: &str| answer(&json!({"taskArns": [arn]}));
    let described =
        |arn: &str, by: &str| answer(&json!({"tasks": [{"taskArn": arn, "startedBy": by}]}));
    let script = Script::new(vec![
        listed("other"),
        described("other", "ecs-svc/1"),
        listed(TASK),
        described(TASK, "slipway/1"),
    ]);
    let services = Services::new(&script.sdk());
    let found = run(services.task_started_by("apps", "web", "slipway/1"));
    assert_eq!(found.expect("answered").as_deref(), Some(TASK));

    let sent = script.sent();
    let lists = [0, 2].map(|at| sent[at].json());
    let list = |status: &str| json!({"cluster": "apps", "family": "web", "desiredStatus": status, "maxResults": 100});
    assert_eq!(lists, [list("RUNNING"), list("STOPPED")]);

    let none = || answer(&json!({"taskArns": []}));
    let script = Script::new(vec![none(), none()]);
    let services = Services::new(&script.sdk());
    let found = run(services.task_started_by("apps", "web", "slipway/1"));
    assert_eq!(found.expect("answered"), None);
}

#[test]
fn a_task_is_found_on_a_later_page() {
    let listed = |next: Option<&str>| answer(&json!({"taskArns": [TASK], "nextToken": next}));
    let started = |by: &str| answer(&json!({"tasks": [{"taskArn": TASK, "startedBy": by}]}));
    let script = Script::new(vec![
        listed(Some("second")),
        started("ecs-svc/1"),
        listed(None),
        started("slipway/1"),
    ]);
    let services = Services::new(&script.sdk());
    let found = run(services.task_started_by("apps", "web", "slipway/1"));
    assert_eq!(found.expect("answered").as_deref(), Some(TASK));
    let list = script.sent()[2].json();
    assert_eq!(
        (&list["nextToken"], &list["desiredStatus"]),
        (&json!("second"), &json!("RUNNING"))
    );
}

#[test]
fn a_task_is_described_and_stopped() {
    let described = json!({"tasks": [{
        "taskArn": TASK, "lastStatus": "STOPPED", "desiredStatus": "STOPPED",
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        "containers": [
            {"name": "web", "exitCode": 3},
            {"name": "logs", "reason": "see https://example.com/?X-Amz-Signature=abc"},
        ],
    }]});
    let missing = json!({"tasks": [], "failures": [{"arn": TASK, "reason": "MISSING"}]});
    let script = Script::new(vec![
        answer(&described),
        answer(&missing),
        answer(&json!({})),
    ]);
    let services = Services::new(&script.sdk());
    let container = |name: &str, exit_code, reason: Option<&str>| ContainerView {
        name: name.to_owned(),
        exit_code,
        reason: reason.map(ToOwned::to_owned),
    };
    let expected = TaskView {
        status: "STOPPED".to_owned(),
        is_stopping: true,
        stop_code: Some("EssentialContainerExited".to_owned()),
        stopped_reason: Some("Essential container in task exited".to_owned()),
        containers: vec![
            container("web", Some(3), None),
            container("logs", None, Some("see https://example.com/?***")),
        ],
    };
    let found = run(services.one_off_task("apps", TASK)).expect("answered");
    assert_eq!(found, Some(expected));
    let found = run(services.one_off_task("apps", TASK)).expect("answered");
    assert_eq!(found, None);

    run(services.stop_task("apps", TASK, "too late")).expect("answered");
    let sent = script.sent();
    assert_eq!(
        sent[2].json(),
        json!({"cluster": "apps", "task": TASK, "reason": "too late"})
    );
}
