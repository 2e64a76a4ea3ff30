use super::*;

/// A service that registers with AWS Cloud Map, and that Service Connect and VPC Lattice reach.
fn discovered() -> Value {
    json!({
        "serviceRegistries": [{
            "registryArn": "arn:aws:servicediscovery:eu-west-1:111122223333:service/srv-1",
            "containerName": "app", "containerPort": 80,
        }],
        "serviceConnectConfiguration": {
            "enabled": true, "namespace": "apps",
            "services": [{
                "portName": "http", "discoveryName": "web",
                "clientAliases": [{"port": 80, "dnsName": "web"}],
            }],
        },
        "vpcLatticeConfigurations": [{
            "roleArn": "arn:aws:iam::111122223333:role/lattice",
            "targetGroupArn": "arn:aws:vpc-lattice:eu-west-1:111122223333:targetgroup/tg-1",
            "portName": "http",
        }],
    })
}

/// Registers a definition with the port that a discovered service names.
fn register(world: &mut World) {
    let plain = world.fargate("nginx:1");
    let mut definition = world.aws.ecs.request_of(&plain).unwrap().clone();
    let mapping = json!([{"containerPort": 80, "name": "http"}]);
    definition["containerDefinitions"][0]["portMappings"] = mapping;
    world.ok("RegisterTaskDefinition", definition);
}

const OF_DEPLOYMENTS: [&str; 2] = ["serviceConnectConfiguration", "vpcLatticeConfigurations"];

#[test]
fn registries_are_shown_of_a_service_and_service_connect_and_lattice_of_its_deployments() {
    let mut world = World::new(1);
    register(&mut world);
    let mut request = world.balanced(0);
    let given = discovered();
    for (member, value) in given.as_object().unwrap() {
        request[member] = value.clone();
    }
    world.ok("CreateService", request);

    let service = world.service();
    assert_eq!(service["serviceRegistries"], given["serviceRegistries"]);
    let deployment = &service["deployments"][0];
    assert_eq!(deployment.get("serviceRegistries"), None);
    for member in OF_DEPLOYMENTS {
        assert_eq!(service.get(member), None, "{member}");
        assert_eq!(deployment[member], given[member], "{member}");
    }
}

#[test]
fn a_change_of_what_discovers_a_service_starts_a_deployment() {
    let mut world = World::new(1);
    register(&mut world);
    let request = world.balanced(0);
    world.ok("CreateService", request);
    assert_eq!(world.service()["serviceRegistries"], json!([]));

    let given = discovered();
    for (member, value) in given.as_object().unwrap() {
        let before = world.service()["deployments"][0]["id"].clone();
        let mut change = json!({"cluster": "main", "service": "web"});
        change[member] = value.clone();
        world.ok("UpdateService", change);
        assert_ne!(world.service()["deployments"][0]["id"], before, "{member}");
    }
}
