//! What a service has must fit the network mode of its tasks and where they run.

use super::*;

/// Registers a definition of the family `web` for instances, with this network mode.
fn on_instances(world: &mut World, mode: &str) {
    let definition = json!({
        "family": "web", "networkMode": mode, "requiresCompatibilities": ["EC2"],
        "containerDefinitions": [{
            "name": "app", "image": "nginx:1", "memory": 128,
            "portMappings": [{"containerPort": 80, "hostPort": 80}],
        }],
    });
    world.ok("RegisterTaskDefinition", definition);
}

/// A service `web` on instances without tasks, with further members.
fn service(more: &Value) -> Value {
    let mut request = json!({
        "cluster": "main", "serviceName": "web", "taskDefinition": "web", "desiredCount": 0,
        "launchType": "EC2",
    });
    let members = request.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    request
}

/// Why the service is not updated to the newest definition.
fn refusal(world: &mut World) -> String {
    let update = json!({"cluster": "main", "service": "web", "taskDefinition": "web"});
    world.err("UpdateService", update)
}

fn network() -> Value {
    json!({"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}})
}

#[test]
fn a_new_definition_has_the_network_mode_for_which_the_service_is_made() {
    let mut world = World::new(1);
    on_instances(&mut world, "awsvpc");
    world.ok("CreateService", service(&network()));
    for mode in ["bridge", "host"] {
        on_instances(&mut world, mode);
        assert_eq!(
            refusal(&mut world),
            "InvalidParameterException: Network Configuration is not valid for the given \
             networkMode of this task definition."
        );
    }

    let mut world = World::new(1);
    on_instances(&mut world, "bridge");
    world.ok("CreateService", service(&json!({})));
    on_instances(&mut world, "awsvpc");
    assert_eq!(
        refusal(&mut world),
        "InvalidParameterException: Network Configuration must be provided when networkMode \
         'awsvpc' is specified."
    );
    on_instances(&mut world, "host");
    let update = json!({"cluster": "main", "service": "web", "taskDefinition": "web"});
    world.ok("UpdateService", update);
}

#[test]
fn a_service_on_fargate_takes_definitions_that_require_it() {
    let mut world = World::new(1);
    world.fargate("nginx:1");
    let mut request = world.balanced(0);
    request["loadBalancers"] = json!([]);
    world.ok("CreateService", request);

    for required in [json!(null), json!(["EC2"])] {
        let mut definition = world.aws.ecs.request_of("web:1").unwrap().clone();
        definition["requiresCompatibilities"] = required;
        world.ok("RegisterTaskDefinition", definition);
        assert_eq!(
            refusal(&mut world),
            "InvalidParameterException: Task definition does not support launch_type FARGATE."
        );
    }
}

#[test]
fn a_target_group_has_the_target_type_for_the_network_mode() {
    let mut world = World::new(1);
    on_instances(&mut world, "bridge");
    let group = world.target_group.clone();
    let balancer = json!([{"targetGroupArn": group, "containerName": "app", "containerPort": 80}]);
    assert_eq!(
        world.err(
            "CreateService",
            service(&json!({ "loadBalancers": balancer }))
        ),
        format!(
            "InvalidParameterException: The provided target group {group} has target type ip, \
             which is incompatible with the bridge network mode specified in the task definition."
        )
    );
}

#[test]
fn a_registry_without_a_container_needs_tasks_with_addresses_of_their_own() {
    let registry = "arn:aws:servicediscovery:eu-west-1:111122223333:service/srv-1";
    let discovered = json!({"serviceRegistries": [{ "registryArn": registry }]});

    for mode in ["bridge", "host"] {
        let mut world = World::new(1);
        on_instances(&mut world, mode);
        assert_eq!(
            world.err("CreateService", service(&discovered)),
            format!(
                "InvalidParameterException: When specifying 'host' or 'bridge' for networkMode, \
                 values for 'containerName' and 'containerPort' must be specified from the task \
                 definition. Registry: {registry}"
            )
        );
    }

    let mut world = World::new(1);
    on_instances(&mut world, "awsvpc");
    let mut request = service(&network());
    request["serviceRegistries"] = discovered["serviceRegistries"].clone();
    world.ok("CreateService", request);
}
