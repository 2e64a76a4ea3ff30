//! What a service shows of its configuration, and of its rollout: without a rollout state behind a
//! Classic Load Balancer, and COMPLETED before its end with early success criteria. And what its
//! tasks show of their ports.

use super::rollouts::{deployed, update};
use super::*;

fn criteria(percent: u32, cleanup: &str) -> Value {
    json!({"earlySuccessCriteria": {
        "enable": true, "healthyPercent": percent, "sourceServiceRevisionCleanup": cleanup,
    }})
}

/// Seconds from the update until the deployment is COMPLETED, and what is left then of older ones.
fn completed(world: &mut World) -> usize {
    for _ in 0..900 {
        world.run(1, |_| {});
        let service = world.service();
        if service["deployments"][0]["rolloutState"] == "COMPLETED" {
            return service["deployments"].as_array().map_or(0, Vec::len);
        }
    }
    panic!("never completed");
}

#[test]
fn early_success_completes_a_deployment_before_its_end() {
    let mut world = deployed(1, 4);
    update(
        &mut world,
        "deploymentConfiguration",
        json!({"minimumHealthyPercent": 50, "maximumPercent": 150}),
    );
    update(
        &mut world,
        "deploymentConfiguration",
        criteria(50, "DEFERRED"),
    );
    let definition = world.fargate("nginx:2");
    update(&mut world, "taskDefinition", json!(definition));

    assert_eq!(completed(&mut world), 2);
    let service = world.service();
    let old = &service["deployments"][1];
    assert_eq!(old["status"], "ACTIVE");
    assert!(old["runningCount"].as_u64() > Some(0), "{service}");

    world.run(300, |_| {});
    let service = world.service();
    assert_eq!(service["deployments"].as_array().map(Vec::len), Some(1));
    assert_eq!(service["deployments"][0]["runningCount"], 4);
}

#[test]
fn early_success_with_blocking_cleanup_waits_for_old_tasks_to_be_gone() {
    let mut world = deployed(1, 4);
    update(
        &mut world,
        "deploymentConfiguration",
        criteria(100, "BLOCKING"),
    );
    let definition = world.fargate("nginx:2");
    update(&mut world, "taskDefinition", json!(definition));

    assert_eq!(completed(&mut world), 1);
}

#[test]
fn members_of_the_configuration_that_are_not_sent_stay_and_inner_ones_on_some_seeds() {
    for keeps in [true, false] {
        let mut world = deployed(1, 1);
        world
            .aws
            .settle_quirk(crate::Quirk::KeepsInnerMembers, keeps);
        let send = |world: &mut World, configuration: Value| {
            let service = update(world, "deploymentConfiguration", configuration);
            service["deploymentConfiguration"]["deploymentCircuitBreaker"].clone()
        };

        let breaker = json!({"enable": true, "rollback": true, "resetOnHealthyTask": false});
        let whole = send(
            &mut world,
            json!({"deploymentCircuitBreaker": breaker.clone()}),
        );
        assert_eq!(whole, breaker);
        let percentages = json!({"minimumHealthyPercent": 50, "maximumPercent": 150});
        assert_eq!(send(&mut world, percentages), breaker);

        let part = json!({"enable": true, "rollback": false});
        let changed = send(&mut world, json!({ "deploymentCircuitBreaker": part }));
        assert_eq!(changed["rollback"], false);
        assert_eq!(changed.get("resetOnHealthyTask").is_some(), keeps);
    }
}

#[test]
fn deployment_alarms_keep_a_rollout_in_progress_for_a_bake_time() {
    let mut world = deployed(1, 4);
    let alarms = json!({"alarmNames": ["web-5xx"], "enable": true, "rollback": true});
    update(
        &mut world,
        "deploymentConfiguration",
        json!({ "alarms": alarms }),
    );
    let definition = world.fargate("nginx:2");
    update(&mut world, "taskDefinition", json!(definition));

    let mut baked = 0;
    loop {
        world.run(1, |_| {});
        let service = world.service();
        let primary = &service["deployments"][0];
        if primary["rolloutState"] == "COMPLETED" {
            break;
        }
        let is_in_place = primary["runningCount"] == 4 && service["runningCount"] == 4;
        baked = if is_in_place { baked + 1 } else { 0 };
        assert!(baked < 900, "{service}");
    }
    assert!(baked >= 110, "{baked}");
}

#[test]
fn early_success_below_the_floor_is_refused() {
    let mut world = deployed(1, 4);
    let refused = world.err(
        "UpdateService",
        json!({
            "cluster": "main", "service": "web",
            "deploymentConfiguration": criteria(80, "DEFERRED"),
        }),
    );
    assert_eq!(
        refused,
        "InvalidParameterException: healthyPercent must be greater than or equal to \
         minimumHealthyPercent."
    );
}

/// Registers a revision of the family `web` that takes any free port of its instance.
fn with_any_port(world: &mut World, image: &str) {
    let definition = json!({
        "family": "web",
        "containerDefinitions": [{
            "name": "app", "image": image, "memory": 128,
            "portMappings": [{"containerPort": 80, "hostPort": 0}],
        }],
    });
    world.ok("RegisterTaskDefinition", definition);
}

/// A world whose service has completed its first deployment behind a Classic Load Balancer.
fn behind_classic() -> World {
    let mut world = World::new(1);
    with_any_port(&mut world, "nginx:1");
    add_container_instances(&mut world.aws, "main", 2);
    world.ok(
        "CreateService",
        json!({
            "cluster": "main", "serviceName": "web", "taskDefinition": "web", "desiredCount": 2,
            "loadBalancers": [
                {"loadBalancerName": "old", "containerName": "app", "containerPort": 80},
            ],
            "deploymentConfiguration": {
                "deploymentCircuitBreaker": {"enable": true, "rollback": true},
            },
        }),
    );
    world.run(180, |_| {});
    world
}

#[test]
fn behind_a_classic_load_balancer_no_rollout_state_is_shown() {
    let mut world = behind_classic();
    let service = world.service();
    assert_eq!(service["runningCount"], 2);
    let deployment = service["deployments"][0].as_object().expect("an object");
    assert!(
        !deployment.contains_key("rolloutState") && !deployment.contains_key("rolloutStateReason")
    );
}

#[test]
fn whether_the_circuit_breaker_trips_behind_a_classic_load_balancer_is_drawn() {
    for (trips, revision) in [(true, "web:1"), (false, "web:2")] {
        let mut world = behind_classic();
        let quirk = crate::Quirk::BreaksBehindClassic;
        world.aws.settle_quirk(quirk, trips);
        with_any_port(&mut world, "fate.test/missing");
        update(&mut world, "taskDefinition", json!("web"));
        world.run(900, |_| {});

        let definition = text(&world.service()["taskDefinition"]);
        assert!(definition.ends_with(revision), "{trips}: {definition}");
    }
}

/// The bindings of the one task of a service on an instance, in this network mode.
fn bindings(mode: &str, host_port: u32) -> Value {
    let mut world = World::new(1);
    let definition = json!({
        "family": "web", "networkMode": mode,
        "containerDefinitions": [{
            "name": "app", "image": "nginx:1", "memory": 128,
            "portMappings": [{"containerPort": 80, "hostPort": host_port}],
        }],
    });
    world.ok("RegisterTaskDefinition", definition);
    add_container_instances(&mut world.aws, "main", 1);
    world.ok(
        "CreateService",
        json!({
            "cluster": "main", "serviceName": "web", "taskDefinition": "web", "desiredCount": 1,
        }),
    );
    world.run(120, |_| {});

    let listed = world.ok(
        "ListTasks",
        json!({"cluster": "main", "serviceName": "web"}),
    );
    let input = json!({"cluster": "main", "tasks": listed["taskArns"]});
    let task = world.ok("DescribeTasks", input)["tasks"][0].clone();
    assert_eq!(task["lastStatus"], "RUNNING");
    assert_eq!(task["containers"][0]["networkInterfaces"], json!([]));
    task["containers"][0]["networkBindings"].clone()
}

#[test]
fn tasks_of_the_network_mode_host_show_no_bindings() {
    assert_eq!(bindings("host", 80), json!([]));
    assert_eq!(bindings("bridge", 8080)[0]["hostPort"], 8080);
}
