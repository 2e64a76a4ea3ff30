//! Services that configure volumes for their tasks at launch.

use super::*;

/// Registers a definition of the family `web` whose container mounts a volume.
fn register(world: &mut World, volume: &Value) {
    let plain = world.fargate("nginx:1");
    let mut definition = world.aws.ecs.request_of(&plain).unwrap().clone();
    definition["volumes"] = json!([volume]);
    let mount = json!([{"sourceVolume": volume["name"], "containerPath": "/data"}]);
    definition["containerDefinitions"][0]["mountPoints"] = mount;
    world.ok("RegisterTaskDefinition", definition);
}

#[test]
fn a_new_definition_leaves_to_the_service_the_volume_that_it_configures() {
    const REFUSAL: &str = "InvalidParameterException: Volume configuration provided but no \
                           matching configuredAtLaunch volume found in task definition.";
    let mut world = World::new(1);
    register(
        &mut world,
        &json!({"name": "data", "configuredAtLaunch": true}),
    );
    let role = "arn:aws:iam::111122223333:role/volumes";
    let managed = json!({"roleArn": role, "sizeInGiB": 10});
    let mut request = world.balanced(0);
    request["volumeConfigurations"] = json!([{"name": "disk", "managedEBSVolume": managed}]);
    assert_eq!(world.err("CreateService", request.clone()), REFUSAL);
    request["volumeConfigurations"][0]["name"] = json!("data");
    world.ok("CreateService", request);

    let mut update = json!({"cluster": "main", "service": "web", "taskDefinition": "web"});
    for volume in [
        json!({"name": "data"}),
        json!({"name": "data", "configuredAtLaunch": false}),
        json!({"name": "other", "configuredAtLaunch": true}),
    ] {
        register(&mut world, &volume);
        assert_eq!(world.err("UpdateService", update.clone()), REFUSAL);
    }
    update["volumeConfigurations"] = json!([]);
    world.ok("UpdateService", update);
}
