//! Services that others find by a service registry or by Service Connect.

use super::*;

/// A service whose definition has port 80 with the name `http`, and the definition.
fn found_by(world: &mut World, member: &str, value: Value) -> Value {
    let plain = world.fargate("nginx:1");
    let mut definition = world.aws.ecs.request_of(&plain).unwrap().clone();
    let mapping = json!([{"containerPort": 80, "name": "http"}]);
    definition["containerDefinitions"][0]["portMappings"] = mapping;
    world.ok("RegisterTaskDefinition", definition.clone());

    let mut request = world.balanced(1);
    request["loadBalancers"] = json!([]);
    request[member] = value;
    world.ok("CreateService", request);
    definition
}

/// Why the service is not updated to a definition with another value of a member.
fn refusal(world: &mut World, definition: &Value, member: &str, value: Value) -> String {
    let mut changed = definition.clone();
    changed["containerDefinitions"][0][member] = value;
    world.ok("RegisterTaskDefinition", changed);
    let update = json!({"cluster": "main", "service": "web", "taskDefinition": "web"});
    world.err("UpdateService", update)
}

#[test]
fn a_new_definition_keeps_the_container_and_the_port_of_the_service_registry() {
    let mut world = World::new(1);
    let arn = "arn:aws:servicediscovery:eu-west-1:111122223333:service/srv-1";
    let registry = json!([{"registryArn": arn, "containerName": "app", "containerPort": 80}]);
    let definition = found_by(&mut world, "serviceRegistries", registry);

    assert_eq!(
        refusal(&mut world, &definition, "name", json!("web")),
        "InvalidParameterException: The container app does not exist in the task definition."
    );
    let moved = json!([{"containerPort": 8080}]);
    assert_eq!(
        refusal(&mut world, &definition, "portMappings", moved),
        "InvalidParameterException: The container app did not have a container port 80 defined."
    );

    // Of an A record only the address of the task is registered.
    let address = json!({
        "cluster": "main", "service": "web", "taskDefinition": "web",
        "serviceRegistries": [{"registryArn": arn}],
    });
    world.ok("UpdateService", address);
}

#[test]
fn a_new_definition_keeps_the_port_names_of_service_connect() {
    let mut world = World::new(1);
    let connect = json!({"enabled": true, "namespace": "apps", "services": [{"portName": "http"}]});
    let definition = found_by(&mut world, "serviceConnectConfiguration", connect.clone());
    let shown = &world.service()["deployments"][0]["serviceConnectConfiguration"];
    assert_eq!(*shown, connect);

    for mapping in [
        json!({"containerPort": 80}),
        json!({"containerPort": 80, "name": "web"}),
    ] {
        assert_eq!(
            refusal(&mut world, &definition, "portMappings", json!([mapping])),
            "InvalidParameterException: The port name http does not exist in the task definition."
        );
    }

    let client = json!({
        "cluster": "main", "service": "web", "taskDefinition": "web",
        "serviceConnectConfiguration": {"enabled": true, "namespace": "apps"},
    });
    world.ok("UpdateService", client);
}
