//! How service deployments ended.

use serde_json::{Value, json};

use super::script::{NOW, Script, answer, refusal, run};
use super::services::ARN;
use crate::aws::{AwsError, Services};
use crate::observed::service_deployment::{ServiceDeploymentView, Tripped};
use crate::timestamp::Timestamp;

fn briefs(ids: &[&str]) -> Value {
    let brief = |id: &&str| json!({"serviceDeploymentArn": id});
    ids.iter().map(brief).collect()
}

/// A service deployment whose alarms and circuit breaker have this status.
fn one(revision: &str, created: i64, monitors: &str) -> Value {
    let path = format!("service-revision/apps/web/{revision}");
    json!({
        "serviceDeploymentArn": "arn:…", "createdAt": created, "status": "ROLLBACK_SUCCESSFUL",
        "statusReason": "at https://host.test/a?X-Amz-Signature=0a0a",
        "targetServiceRevision": {
            "arn": format!("arn:aws:ecs:eu-west-1:111122223333:{path}"),
            "requestedTaskCount": 0, "runningTaskCount": 0, "pendingTaskCount": 0,
        },
        "deploymentCircuitBreaker": {"status": monitors, "failureCount": 4, "threshold": 3},
        "alarms": {
            "status": monitors, "alarmNames": ["a", "b"], "triggeredAlarmNames": ["b"],
        },
    })
}

fn read(script: &Script) -> Result<Vec<ServiceDeploymentView>, AwsError> {
    let since = Timestamp::from_secs(NOW).expect("in range");
    let services = Services::new(&script.sdk());
    run(services.service_deployments("apps", ARN, since))
}

#[test]
fn service_deployments_of_all_pages_are_read_newest_first() {
    let script = Script::new([
        answer(&json!({"serviceDeployments": briefs(&["1"]), "nextToken": "page-2"})),
        answer(&json!({"serviceDeployments": [one("11", NOW + 1, "MONITORING")], "failures": []})),
        answer(&json!({"serviceDeployments": briefs(&["2"])})),
        answer(&json!({"serviceDeployments": [one("12", NOW + 2, "TRIGGERED")], "failures": []})),
    ]);
    let found = read(&script).expect("answered");

    let older = ServiceDeploymentView {
        revision: "11".to_owned(),
        status: "ROLLBACK_SUCCESSFUL".to_owned(),
        reason: "at https://host.test/a?***".to_owned(),
        tripped: None,
        alarms: Vec::new(),
    };
    let newer = ServiceDeploymentView {
        revision: "12".to_owned(),
        tripped: Some(Tripped {
            failed_tasks: 4,
            threshold: 3,
        }),
        alarms: vec!["b".to_owned()],
        ..older.clone()
    };
    assert_eq!(found, [newer, older]);

    let sent = script.sent();
    let listed = json!({
        "cluster": "apps", "service": ARN, "createdAt": {"after": NOW}, "maxResults": 20,
    });
    assert_eq!(sent[0].json(), listed);
    assert_eq!(sent[1].json(), json!({"serviceDeploymentArns": ["1"]}));
    assert_eq!(sent[2].json()["nextToken"], "page-2");
    assert_eq!(
        script.operations(),
        [
            "ListServiceDeployments",
            "DescribeServiceDeployments",
            "ListServiceDeployments",
            "DescribeServiceDeployments",
        ]
    );
}

#[test]
fn a_service_without_service_deployments_is_not_described() {
    let script = Script::new([answer(&json!({"serviceDeployments": []}))]);
    assert_eq!(read(&script).expect("answered"), []);
    assert!(script.is_played());
}

#[test]
fn a_refused_list_is_an_error_that_names_the_operation() {
    let script = Script::new([refusal("AccessDeniedException", "no")]);
    let error = read(&script).expect_err("refused");
    assert_eq!(error.operation, "ecs:ListServiceDeployments");
}
