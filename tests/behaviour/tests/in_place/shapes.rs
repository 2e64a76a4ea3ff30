//! Services as they really are: each is released, rolled back, and truthfully reported.

use emulator::{Aws, ecs, elb};
use harness::demo::{CLUSTER, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::bench::*;
use behaviour::{push, released, service, until};

/// The service that a test creates on container instances.
pub(crate) const LEGACY: &str = "legacy";

/// Lets a release by hand run until its deployment is done; returns its revision.
pub(crate) async fn deployed(driver: &Driver, name: &str) -> String {
    push(driver, WEB, "2.0.0");
    begun(driver, json!({"service": name})).await;

    let images = json!({"service": name, "images": {"web": image("2.0.0")}});
    let answer = look(driver, "register-task-definition", images).await;
    let revision = answer["outputVariables"]["TaskDefinitionArn"].clone();
    let update = json!({"service": name, "task_definition": revision, "strategy": "rolling"});
    let answer = ended(driver, "update-service", update).await;

    assert_eq!(answer["status"], "done", "{answer}");
    revision.as_str().expect("an ARN").to_owned()
}

fn runs(driver: &Driver, name: &str) -> String {
    let found = service(&driver.world.aws(), CLUSTER, name);
    found["taskDefinition"].as_str().expect("an ARN").to_owned()
}

/// Releases the service of an account once to its end, and once until it is stopped.
pub(crate) fn is_released_and_rolled_back(aws: &Aws, name: &str, prior: &str, tasks: u32) {
    run(aws.clone(), Fault::None, async |driver| {
        let revision = deployed(&driver, name).await;
        let finish = json!({"service": name, "task_definition": revision});
        let answer = ended(&driver, "finish-release", finish).await;

        assert_eq!(answer["outputVariables"]["Outcome"], "deployed", "{answer}");
        assert_eq!(record(&driver)["outcome"], "deployed");
        assert_eq!(runs(&driver, name), revision);
    });
    run(aws.clone(), Fault::None, async |driver| {
        deployed(&driver, name).await;
        let status = rolled_back(&driver, "STOPPED").await;
        let serves = format!("{prior} serves again with {tasks} of {tasks} tasks");

        assert_eq!(
            status,
            format!("rolled-back: the execution was stopped; {serves}")
        );
        assert_eq!(runs(&driver, name), arn(prior));
    });
}

async fn steady(driver: &Driver) {
    driver.world.touch();
    until(driver, |aws| {
        let mut services = aws.ecs.services.values();
        services.all(|service| !service.is_deploying())
    })
    .await;
}

/// The account in which an operator deploys `web:3`, whose image is not there, with a circuit
/// breaker that does not roll back.
fn with_failed_primary() -> Aws {
    run(released(), Fault::None, async |driver| {
        let breaker = json!({"deploymentCircuitBreaker": {"enable": true, "rollback": false}});
        set(&driver, json!({"deploymentConfiguration": breaker}));
        let broken = register_by_hand(&driver, &image("missing"));
        assert_eq!(broken, arn("web:3"));
        set(&driver, json!({"taskDefinition": broken}));

        for _ in 0..200 {
            if primary(&driver)["rolloutState"] == "FAILED" {
                return driver.world.snapshot();
            }
            pass(&driver, 10).await;
        }
        panic!("the deployment goes on: {}", primary(&driver));
    })
}

#[test]
fn a_service_whose_primary_deployment_failed_is_released_and_rolled_back() {
    is_released_and_rolled_back(&with_failed_primary(), WEB, "web:2", 2);
}

/// The account with a service that never ran: its only deployment failed.
fn with_failed_only() -> Aws {
    run(released(), Fault::None, async |driver| {
        {
            let mut aws = driver.world.aws();
            let definition = json!({
                "family": LEGACY, "networkMode": "bridge", "requiresCompatibilities": ["EC2"],
                "containerDefinitions": [
                    {"name": "web", "memory": 128, "image": image("missing")},
                ],
            });
            ecs::call(&mut aws, "RegisterTaskDefinition", &definition).expect("legal");
            let breaker = json!({"deploymentCircuitBreaker": {"enable": true, "rollback": false}});
            let request = json!({
                "cluster": CLUSTER, "serviceName": LEGACY, "taskDefinition": LEGACY,
                "desiredCount": 2, "deploymentConfiguration": breaker,
                "tags": [{"key": "slipway:service", "value": LEGACY}],
            });
            ecs::call(&mut aws, "CreateService", &request).expect("legal");
        }

        for _ in 0..200 {
            let found = service(&driver.world.aws(), CLUSTER, LEGACY);
            if found["deployments"][0]["rolloutState"] == "FAILED" {
                return driver.world.snapshot();
            }
            pass(&driver, 10).await;
        }
        panic!("the deployment goes on");
    })
}

#[test]
fn a_prior_release_that_had_failed_is_not_deployed_for_an_hour() {
    run(with_failed_only(), Fault::None, async |driver| {
        let configured =
            || service(&driver.world.aws(), CLUSTER, LEGACY)["deploymentConfiguration"].clone();
        let own = configured()["maximumPercent"].clone();
        deployed(&driver, LEGACY).await;
        let status = rolled_back(&driver, "STOPPED").await;
        assert_eq!(
            status,
            "failed: the execution was stopped; cannot roll back to legacy:1: it had failed \
             before this release, and failed again; manual intervention required"
        );
        assert_eq!(configured()["maximumPercent"], own);
    });
}

#[test]
fn the_revision_of_a_failed_deployment_is_deployed_again() {
    run(with_failed_primary(), Fault::None, async |driver| {
        push(&driver, WEB, "missing");
        begun(&driver, json!({})).await;
        let again = json!({"task_definition": arn("web:3"), "strategy": "rolling"});
        let failed = primary(&driver)["id"].clone();
        let answer = ended(&driver, "update-service", again).await;

        assert_eq!(answer["status"], "done", "{answer}");
        let found = primary(&driver);
        assert_eq!(found["taskDefinition"], arn("web:3"));
        assert_ne!(found["id"], failed);

        let finish = json!({"task_definition": arn("web:3")});
        let answer = ended(&driver, "finish-release", finish).await;
        assert_eq!(answer["outputVariables"]["Outcome"], "deployed", "{answer}");
    });
}

/// The account with a service on container instances: its network mode, and the load balancer it
/// registers with.
pub(crate) fn on_instances(
    mode: &str,
    host_port: u32,
    tasks: u32,
    balancer: impl Fn(&mut Aws) -> Value,
) -> Aws {
    run(released(), Fault::None, async |driver| {
        {
            let mut aws = driver.world.aws();
            let balancer = balancer(&mut aws);
            let web = aws.ecs.request_of("web:2").expect("released").clone();
            let definition = json!({
                "family": LEGACY, "networkMode": mode, "requiresCompatibilities": ["EC2"],
                "containerDefinitions": [{
                    "name": "web", "memory": 128,
                    "image": web["containerDefinitions"][0]["image"],
                    "portMappings": [{"containerPort": 8081, "hostPort": host_port}],
                }],
            });
            ecs::call(&mut aws, "RegisterTaskDefinition", &definition).expect("legal");
            let request = json!({
                "cluster": CLUSTER, "serviceName": LEGACY, "taskDefinition": LEGACY,
                "desiredCount": tasks, "loadBalancers": [balancer],
                "tags": [{"key": "slipway:service", "value": LEGACY}],
            });
            ecs::call(&mut aws, "CreateService", &request).expect("legal");
        }
        steady(&driver).await;
        driver.world.snapshot()
    })
}

pub(crate) fn classic(_: &mut Aws) -> Value {
    json!({"loadBalancerName": "old", "containerName": "web", "containerPort": 8081})
}

fn target_group(aws: &mut Aws) -> Value {
    let group = json!({
        "Name": LEGACY, "TargetType": "instance", "Port": 80, "HealthCheckIntervalSeconds": 10,
        "HealthyThresholdCount": 2,
    });
    let group = elb::create_target_group(aws, &group).expect("legal")["Arn"].clone();
    let balancer = elb::create_load_balancer(aws, &json!({"Name": LEGACY})).expect("legal");
    let listener = json!({
        "LoadBalancerArn": balancer["Arn"], "Port": 80,
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": group}],
    });
    elb::create_listener(aws, &listener).expect("legal");
    json!({"targetGroupArn": group, "containerName": "web", "containerPort": 8081})
}

#[test]
fn a_service_behind_a_classic_load_balancer_is_released_and_rolled_back() {
    let aws = on_instances("bridge", 0, 2, classic);
    let deployment = service(&aws, CLUSTER, LEGACY)["deployments"][0].clone();
    assert_eq!(deployment.get("rolloutState"), None, "{deployment}");

    is_released_and_rolled_back(&aws, LEGACY, "legacy:1", 2);
}

#[test]
fn a_service_whose_targets_are_ports_of_instances_is_released_and_rolled_back() {
    let aws = on_instances("bridge", 0, 2, target_group);
    is_released_and_rolled_back(&aws, LEGACY, "legacy:1", 2);
}

#[test]
fn a_service_in_the_network_of_its_instances_is_released_and_rolled_back() {
    let aws = on_instances("host", 8081, 1, target_group);
    is_released_and_rolled_back(&aws, LEGACY, "legacy:1", 1);
}

/// The account with early success criteria on `web`, with which old tasks are removed later: this
/// many percent of healthy tasks are a success, and are kept healthy.
pub(crate) fn with_early_success(percent: u32) -> Aws {
    let mut aws = released();
    let criteria = json!({
        "enable": true, "healthyPercent": percent, "sourceServiceRevisionCleanup": "DEFERRED",
    });
    let input = json!({
        "cluster": CLUSTER, "service": WEB,
        "deploymentConfiguration": {
            "minimumHealthyPercent": percent, "earlySuccessCriteria": criteria,
        },
    });
    ecs::call(&mut aws, "UpdateService", &input).expect("legal");
    aws
}

#[test]
fn a_service_with_early_success_criteria_is_released_and_rolled_back() {
    is_released_and_rolled_back(&with_early_success(100), WEB, "web:2", 2);
}

#[test]
fn an_early_success_is_no_end_while_old_tasks_serve() {
    run(with_early_success(50), Fault::None, async |driver| {
        registered(&driver).await;
        let half = update(json!({"minimum_healthy_percent": 50}));
        let first = look(&driver, "update-service", half.clone()).await;

        for _ in 0..600 {
            let deployments = web(&driver)["deployments"].clone();
            if deployments[0]["rolloutState"] == "COMPLETED" {
                assert_eq!(deployments[1]["taskDefinition"], arn("web:2"));
                let answer = again(&driver, "update-service", half.clone(), &first).await;
                assert_eq!(answer["status"], "in-progress", "{answer}");

                let answer = ended(&driver, "update-service", half).await;
                assert_eq!(answer["status"], "done", "{answer}");
                // ECS lists the old deployment for a while after its last task.
                let old = web(&driver)["deployments"][1].clone();
                assert!(old.is_null() || old["runningCount"] == 0, "{old}");
                return;
            }
            pass(&driver, 1).await;
        }
        panic!("the deployment never succeeds: {}", web(&driver));
    });
}

#[test]
fn targets_of_another_service_in_the_same_group_are_not_counted() {
    run(released(), Fault::None, async |driver| {
        {
            let mut aws = driver.world.aws();
            let web = service(&aws, CLUSTER, WEB);
            let other = json!({
                "cluster": CLUSTER, "serviceName": "web-internal", "taskDefinition": arn("web:2"),
                "desiredCount": 1, "launchType": web["launchType"],
                "networkConfiguration": web["networkConfiguration"],
                "loadBalancers": web["loadBalancers"],
            });
            ecs::call(&mut aws, "CreateService", &other).expect("legal");
        }
        steady(&driver).await;

        let revision = deployed(&driver, WEB).await;
        let finish = json!({"task_definition": revision});
        ended(&driver, "finish-release", finish).await;
        let reason = record(&driver)["reason"].clone();
        let reason = reason.as_str().expect("a reason");
        assert!(
            reason.contains(" on 2 of 2 tasks, 2 targets healthy in "),
            "{reason}"
        );
    });
}

/// A task of web:3 comes up in an Availability Zone that the load balancer does not have.
async fn one_is_unreachable(driver: &Driver) {
    for _ in 0..600 {
        let found = {
            let aws = driver.world.aws();
            let mut tasks = aws.ecs.tasks.values();
            let new = tasks
                .find(|task| task.task_definition == arn("web:3") && !task.attachments.is_empty());
            new.map(|task| task.arn.clone())
        };
        if found.is_some_and(|task| ecs::leave_zones(&mut driver.world.aws(), &task)) {
            return;
        }
        pass(driver, 1).await;
    }
    panic!("no task of web:3 is registered");
}

#[test]
fn a_task_that_no_request_reaches_is_named_and_not_waited_for() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let first = look(&driver, "update-service", update(json!({}))).await;
        assert_eq!(first["status"], "in-progress", "{first}");
        one_is_unreachable(&driver).await;

        let began = driver.world.aws().now;
        let answer = ended(&driver, "update-service", update(json!({}))).await;
        let named = ", 1 in an Availability Zone that is not enabled for the load balancer";
        fails(&answer, "JobFailed", &["not steady after 1", named]);
        assert!(driver.world.aws().now - began < 20 * 60_000, "{answer}");
    });
}
