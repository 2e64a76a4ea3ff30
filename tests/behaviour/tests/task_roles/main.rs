//! `find-task-roles`, invoked with requests of CloudFormation, and the stacks that wait for it.

mod stacks;

use behaviour::{account, deny, invoke_deployed, invoke_with_all, service, until};
use emulator::client::{CallFault, Trouble};
use emulator::{Aws, ecs};
use harness::demo::{CLUSTER, SHOP, WEB, task_roles};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

const FUNCTION: &str = "find-task-roles";
const STACK: &str = "arn:aws:cloudformation:eu-west-1:111122223333:stack/web-pipeline/1";
/// Of a request that CloudFormation does not wait for any more.
const URL: &str = "https://cloudformation-custom-resource-response-euwest1.s3.eu-west-1.amazonaws.\
                   com/1%7CTaskRoles%7Cr?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260105%2Feu-\
                   west-1%2Fs3%2Faws4_request&X-Amz-Signature=5ec2e7";

fn request(kind: &str, properties: Value) -> Value {
    json!({
        "RequestType": kind, "ResponseURL": URL, "StackId": STACK, "RequestId": "r",
        "LogicalResourceId": "TaskRoles", "ResourceType": "Custom::TaskRoles",
        "ResourceProperties": properties,
    })
}

fn of_services(services: &[&str]) -> Value {
    request("Create", json!({"Cluster": CLUSTER, "Services": services}))
}

/// What the function responds to a request, with the permissions of the templates.
async fn responded(driver: &Driver, event: Value) -> Value {
    let responded = invoke_deployed(driver, FUNCTION, event).await;
    {
        let aws = driver.world.aws();
        let last = aws.calls.last().map(|call| call.operation.as_str());
        assert_eq!(last, Some("PutObject"));
    }
    responded.expect("it responds")
}

fn found(arns: &str) -> Value {
    json!({"status": "SUCCESS", "attributes": {"Arns": arns}})
}

fn failed(reason: &str) -> Value {
    json!({"status": "FAILED", "reason": reason})
}

/// The roles of services' stacks, as they are responded.
fn roles_of(aws: &Aws, stacks: &[&str]) -> String {
    let mut all: Vec<String> = stacks
        .iter()
        .flat_map(|stack| {
            let roles = task_roles(aws, stack).expect("exported");
            roles.split(',').map(ToOwned::to_owned).collect::<Vec<_>>()
        })
        .collect();
    all.sort_unstable();
    all.join(",")
}

#[test]
fn the_roles_of_a_service_are_found_once_each() {
    run(account(), Fault::None, async |driver| {
        let expected = roles_of(&driver.world.aws(), &[WEB]);
        assert_eq!(expected.split(',').count(), 2);
        assert_eq!(
            responded(&driver, of_services(&[WEB])).await,
            found(&expected)
        );

        let update = request(
            "Update",
            json!({"Cluster": CLUSTER, "Services": [WEB, WEB]}),
        );
        assert_eq!(responded(&driver, update).await, found(&expected));
    });
}

#[test]
fn the_roles_of_several_services_are_found_together() {
    run(account(), Fault::None, async |driver| {
        let expected = roles_of(&driver.world.aws(), &[WEB, SHOP]);
        let services = ["shop-blue", "shop-green", WEB];
        assert_eq!(
            responded(&driver, of_services(&services)).await,
            found(&expected)
        );
    });
}

/// Adds a service without tasks whose revision has these members too.
fn with_plain_service(mut aws: Aws, members: Value) -> Aws {
    let mut definition = json!({
        "family": "plain",
        "containerDefinitions": [
            {"name": "app", "image": "public.ecr.aws/nginx/nginx:1.27", "memory": 128},
        ],
    });
    for (name, value) in members.as_object().expect("an object") {
        definition[name] = value.clone();
    }
    ecs::call(&mut aws, "RegisterTaskDefinition", &definition).expect("registered");
    let service = json!({
        "cluster": CLUSTER, "serviceName": "plain", "taskDefinition": "plain", "desiredCount": 0,
        "launchType": "EC2",
    });
    ecs::call(&mut aws, "CreateService", &service).expect("created");
    aws
}

#[test]
fn the_name_of_a_role_becomes_its_arn() {
    let aws = with_plain_service(account(), json!({"taskRoleArn": "plain-task"}));
    run(aws, Fault::None, async |driver| {
        let arn = found("arn:aws:iam::111122223333:role/plain-task");
        assert_eq!(responded(&driver, of_services(&["plain"])).await, arn);
    });
}

#[test]
fn a_service_without_roles_gets_one_that_cannot_be_passed() {
    let aws = with_plain_service(account(), json!({}));
    run(aws, Fault::None, async |driver| {
        let none = found("arn:aws:iam::000000000000:role/none");
        assert_eq!(responded(&driver, of_services(&["plain"])).await, none);
    });
}

#[test]
fn the_roles_of_all_deployments_are_found() {
    const OTHER: &str = "arn:aws:iam::111122223333:role/other";

    let mut aws = account();
    let running = service(&aws, CLUSTER, WEB)["taskDefinition"].clone();
    let running = running.as_str().expect("an ARN");
    let mut next = aws.ecs.request_of(running).expect("registered").clone();
    next["taskRoleArn"] = json!(OTHER);
    ecs::call(&mut aws, "RegisterTaskDefinition", &next).expect("registered");
    let update = json!({"cluster": CLUSTER, "service": WEB, "taskDefinition": next["family"]});
    ecs::call(&mut aws, "UpdateService", &update).expect("updated");

    run(aws, Fault::None, async |driver| {
        let of_both = format!("{},{OTHER}", roles_of(&driver.world.aws(), &[WEB]));
        let mut expected: Vec<&str> = of_both.split(',').collect();
        expected.sort_unstable();
        let expected = found(&expected.join(","));
        assert_eq!(responded(&driver, of_services(&[WEB])).await, expected);
    });
}

#[test]
fn what_is_not_there_is_named() {
    run(account(), Fault::None, async |driver| {
        for (cluster, service) in [(CLUSTER, "wep"), ("aps", WEB)] {
            let properties = json!({"Cluster": cluster, "Services": [service]});
            let reason = format!(
                "there is no service `{service}` in cluster `{cluster}`; expected the service of \
                 the pipeline"
            );
            let event = request("Create", properties);
            assert_eq!(responded(&driver, event).await, failed(&reason));
        }
    });
}

#[test]
fn a_service_that_was_deleted_is_refused() {
    let mut aws = account();
    let deleted = json!({"cluster": CLUSTER, "service": WEB, "force": true});
    ecs::call(&mut aws, "DeleteService", &deleted).expect("deleted");
    run(aws, Fault::None, async |driver| {
        let of_status = |status: &str| {
            failed(&format!(
                "service `web` in cluster `apps` is {status}; expected ACTIVE"
            ))
        };
        let draining = responded(&driver, of_services(&[WEB])).await;
        assert_eq!(draining, of_status("DRAINING"));

        let is_gone = |aws: &Aws| service(aws, CLUSTER, WEB)["status"] == "INACTIVE";
        until(&driver, is_gone).await;
        let gone = responded(&driver, of_services(&[WEB])).await;
        assert_eq!(gone, of_status("INACTIVE"));
    });
}

#[test]
fn a_read_that_is_denied_is_the_reason() {
    run(account(), Fault::None, async |driver| {
        for action in ["ecs:DescribeServices", "ecs:DescribeTaskDefinition"] {
            deny(&driver, action);
            let responded = responded(&driver, of_services(&[WEB])).await;
            assert_eq!(responded["status"], "FAILED");
            let reason = responded["reason"].as_str().expect("a reason");
            assert!(
                reason.starts_with(&format!("{action} failed: AccessDeniedException: ")),
                "{reason}"
            );
        }
    });
}

#[test]
fn properties_that_are_not_understood_are_the_reason() {
    run(account(), Fault::None, async |driver| {
        for (properties, lack) in [
            (json!({"Services": [WEB]}), "missing field `Cluster`"),
            (json!({"Cluster": CLUSTER}), "missing field `Services`"),
        ] {
            let reason = format!(
                "ResourceProperties: {lack}; expected Cluster, a name, and Services, a list of \
                 names"
            );
            let event = request("Create", properties);
            assert_eq!(responded(&driver, event).await, failed(&reason));
        }
    });
}

#[test]
fn a_deletion_succeeds_and_reads_nothing() {
    run(account(), Fault::None, async |driver| {
        let before = driver.world.aws().calls.len();
        let event = request("Delete", json!({"Cluster": "gone"}));
        let done = json!({"status": "SUCCESS", "attributes": {}});
        assert_eq!(responded(&driver, event).await, done);
        assert_eq!(driver.world.aws().calls.len(), before + 1);
    });
}

#[test]
fn ecs_that_does_not_answer_is_the_reason_in_time_for_the_response() {
    run(account(), Fault::None, async |driver| {
        // The first call is given up after its attempts, and the response is put.
        let silence = CallFault::From {
            first: 1,
            count: 4,
            trouble: Trouble::Silence { effect: false },
        };
        let event = of_services(&[WEB]);
        let responded = invoke_with_all(&driver, FUNCTION, event, vec![silence]).await;
        let reason = "ecs:DescribeServices failed: TimeoutError: no response in time";
        assert_eq!(responded.expect("it responds"), failed(reason));
    });
}

#[test]
fn a_look_that_takes_too_long_ends_in_time_for_the_response() {
    run(account(), Fault::None, async |driver| {
        // Each of six reads is answered at its third attempt.
        let slow = |read: u32| CallFault::From {
            first: 3 * read + 1,
            count: 2,
            trouble: Trouble::Silence { effect: false },
        };
        let slow: Vec<CallFault> = (0..6).map(slow).collect();
        let event = of_services(&["shop-blue", "shop-green", WEB]);
        let responded = invoke_with_all(&driver, FUNCTION, event, slow).await;
        let reason = "the roles were not found within 45 s; deploy the stack again";
        assert_eq!(responded.expect("it responds"), failed(reason));
    });
}

#[test]
fn a_response_that_is_not_put_is_an_error_without_its_url() {
    run(account(), Fault::None, async |driver| {
        let broken = CallFault::From {
            first: 1,
            count: 99,
            trouble: Trouble::Page {
                status: 502,
                effect: false,
            },
        };
        let event = request("Delete", json!({}));
        let error = invoke_with_all(&driver, FUNCTION, event, vec![broken]).await;
        let error = error.expect_err("Lambda tries again");
        assert!(error.starts_with("s3:PutObject failed: 502: "), "{error}");
        assert!(!error.contains("5ec2e7"), "{error}");
    });
}
