//! A base that does not fit the ports, the network, the volumes or ECS Exec of its service: it is
//! refused before anything is changed, because ECS would refuse its deployment.

use emulator::ecs;
use harness::demo::{CLUSTER, COUNTER, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::bench::*;
use behaviour::released;

/// Registers web's definition in another family, with a change of its container.
fn template(driver: &Driver, change: impl FnOnce(&mut Value)) -> String {
    register_copy(driver, "web:2", |request| {
        request["family"] = json!("template");
        change(&mut request["containerDefinitions"][0]);
    })
}

/// Whether ECS deploys a revision to web as it is.
fn is_deployed(driver: &Driver, revision: &str) -> bool {
    let input = json!({"cluster": CLUSTER, "service": WEB, "taskDefinition": revision});
    ecs::call(&mut driver.world.aws(), "UpdateService", &input).is_ok()
}

#[test]
fn a_base_to_which_the_load_balancer_does_not_lead_is_refused_before_anything_is_changed() {
    run(released(), Fault::None, async |driver| {
        let begin = json!({"strategy": "rolling", "family": "template"});
        let renamed = template(&driver, |container| container["name"] = json!("app"));
        assert!(!is_deployed(&driver, &renamed), "ECS takes it");

        let before = lease(&driver);
        let answer = look(&driver, "begin-release", begin.clone()).await;
        let why = "of container `web` with a load balancer, and task definition template:1 does \
                   not map it";
        fails(&answer, "ConfigurationError", &["service `web`", why]);
        assert_eq!(lease(&driver), before);

        let moved = template(&driver, |container| {
            container["portMappings"][0]["containerPort"] = json!(9999);
            container["portMappings"][0]["hostPort"] = json!(9999);
        });
        assert!(!is_deployed(&driver, &moved), "ECS takes it");
        let answer = look(&driver, "begin-release", begin.clone()).await;
        fails(
            &answer,
            "ConfigurationError",
            &["task definition template:2"],
        );

        let more = template(&driver, |container| {
            let more = json!({"containerPort": 9999, "protocol": "tcp"});
            let mappings = container["portMappings"].as_array_mut().expect("a list");
            mappings.insert(0, more);
        });
        assert_eq!(more, arn("template:3"));
        let answer = look(&driver, "begin-release", begin).await;
        assert_eq!(answer["status"], "done", "{answer}");
    });
}

/// Maps one more port of a container.
fn map(container: &mut Value, mapping: Value) {
    let mappings = container["portMappings"].as_array_mut();
    mappings.expect("a list").push(mapping);
}

#[test]
fn a_base_in_which_others_do_not_find_a_port_is_refused_before_anything_is_changed() {
    run(released(), Fault::None, async |driver| {
        let admin = json!({"containerPort": 9999, "name": "admin"});
        let runs = register_copy(&driver, "web:2", |request| {
            map(&mut request["containerDefinitions"][0], admin.clone());
        });
        let arn = "arn:aws:servicediscovery:eu-west-1:111122223333:service/srv-1";
        let registry = json!({"registryArn": arn, "containerName": "web", "containerPort": 9999});
        let connect = json!({"enabled": true, "services": [{"portName": "admin"}]});
        let found_by = json!({
            "taskDefinition": runs, "serviceRegistries": [registry],
            "serviceConnectConfiguration": connect,
        });
        set(&driver, found_by);
        pass(&driver, 600).await;

        let begin = json!({"strategy": "rolling", "family": "template"});
        let before = lease(&driver);
        let unmapped = template(&driver, |_| ());
        assert!(!is_deployed(&driver, &unmapped), "ECS takes it");
        let answer = look(&driver, "begin-release", begin.clone()).await;
        let why = "registers port 9999 of container `web` with a service registry, and task \
                   definition template:1 does not map it";
        fails(&answer, "ConfigurationError", &[why]);

        let unnamed = template(&driver, |container| {
            map(container, json!({"containerPort": 9999}));
        });
        assert!(!is_deployed(&driver, &unnamed), "ECS takes it");
        let answer = look(&driver, "begin-release", begin.clone()).await;
        let why = "has port `admin` in Service Connect, and task definition template:2 has none";
        fails(&answer, "ConfigurationError", &[why]);
        assert_eq!(lease(&driver), before);

        template(&driver, |container| map(container, admin));
        let answer = look(&driver, "begin-release", begin).await;
        assert_eq!(answer["status"], "done", "{answer}");
    });
}

#[test]
fn a_base_for_another_network_is_refused_before_anything_is_changed() {
    run(released(), Fault::None, async |driver| {
        let before = lease(&driver);
        let begin = json!({"strategy": "rolling", "family": "template"});
        let instances = register_copy(&driver, "web:2", |request| {
            request["family"] = json!("template");
            request["networkMode"] = json!("bridge");
            request["requiresCompatibilities"] = json!(["EC2"]);
        });
        assert!(!is_deployed(&driver, &instances), "ECS takes it");
        let answer = look(&driver, "begin-release", begin.clone()).await;
        let why = "`networkMode` of task definition template:1 is bridge; expected awsvpc, since \
                   service `web` has a network configuration";
        fails(&answer, "ConfigurationError", &[why]);

        let unfit = register_copy(&driver, "web:2", |request| {
            request["family"] = json!("template");
            request["requiresCompatibilities"] = json!(["EC2"]);
        });
        assert!(!is_deployed(&driver, &unfit), "ECS takes it");
        let answer = look(&driver, "begin-release", begin.clone()).await;
        let why = "`requiresCompatibilities` of task definition template:2 is without FARGATE";
        fails(
            &answer,
            "ConfigurationError",
            &[why, "service `web` runs on Fargate"],
        );
        assert_eq!(lease(&driver), before);
    });
}

#[test]
fn a_base_with_an_address_of_its_own_is_refused_for_a_service_without_a_network() {
    run(released(), Fault::None, async |driver| {
        let own = register_copy(&driver, "page-counter:1", |request| {
            request["family"] = json!("template");
            request["networkMode"] = json!("awsvpc");
            let mapping = &mut request["containerDefinitions"][0]["portMappings"][0];
            mapping["hostPort"] = mapping["containerPort"].clone();
        });
        let update = json!({"cluster": CLUSTER, "service": COUNTER, "taskDefinition": own});
        let refused = ecs::call(&mut driver.world.aws(), "UpdateService", &update);
        assert!(refused.is_err(), "ECS takes it");

        let begin = json!({"strategy": "rolling", "family": "template", "service": COUNTER});
        let answer = look(&driver, "begin-release", begin).await;
        let why = "`networkMode` of task definition template:1 is awsvpc; expected bridge, host or \
                   none, since service `page-counter` has no network configuration";
        fails(&answer, "ConfigurationError", &[why]);
    });
}

#[test]
fn a_base_without_the_volume_of_the_service_is_refused_before_anything_is_changed() {
    run(released(), Fault::None, async |driver| {
        let mounting = |request: &mut Value, volume: &Value| {
            let mount = json!([{"sourceVolume": "data", "containerPath": "/data"}]);
            request["containerDefinitions"][0]["mountPoints"] = mount;
            request["volumes"] = json!([volume]);
        };
        let at_launch = json!({"name": "data", "configuredAtLaunch": true});
        let runs = register_copy(&driver, "web:2", |request| mounting(request, &at_launch));
        let managed = json!({"roleArn": "arn:aws:iam::111122223333:role/volumes"});
        let volumes = json!([{"name": "data", "managedEBSVolume": managed}]);
        set(
            &driver,
            json!({"taskDefinition": runs, "volumeConfigurations": volumes}),
        );
        pass(&driver, 600).await;

        let begin = json!({"strategy": "rolling", "family": "template"});
        let before = lease(&driver);
        let unfit = register_copy(&driver, "web:2", |request| {
            request["family"] = json!("template");
            mounting(request, &json!({"name": "data"}));
        });
        assert!(!is_deployed(&driver, &unfit), "ECS takes it");
        let answer = look(&driver, "begin-release", begin.clone()).await;
        let why = "service `web` configures volume `data`, and task definition template:1 has none";
        fails(&answer, "ConfigurationError", &[why]);
        assert_eq!(lease(&driver), before);

        register_copy(&driver, "web:2", |request| {
            request["family"] = json!("template");
            mounting(request, &at_launch);
        });
        let answer = look(&driver, "begin-release", begin).await;
        assert_eq!(answer["status"], "done", "{answer}");
    });
}

#[test]
fn a_base_without_the_role_of_ecs_exec_is_refused_before_anything_is_changed() {
    run(released(), Fault::None, async |driver| {
        set(&driver, json!({"enableExecuteCommand": true}));
        pass(&driver, 600).await;

        let before = lease(&driver);
        let unfit = register_copy(&driver, "web:2", |request| {
            request["family"] = json!("template");
            request["taskRoleArn"] = Value::Null;
        });
        assert!(!is_deployed(&driver, &unfit), "ECS takes it");
        let begin = json!({"strategy": "rolling", "family": "template"});
        let answer = look(&driver, "begin-release", begin).await;
        let why = "`taskRoleArn` is not in task definition template:1; expected the ARN of a role";
        fails(&answer, "ConfigurationError", &[why]);
        assert_eq!(lease(&driver), before);
    });
}
