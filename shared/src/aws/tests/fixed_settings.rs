//! What a service has and no release changes: the ports that it names, the network and volumes
//! of its tasks.

use serde_json::{Value, json};

use super::script::{Script, run};
use super::services::{GROUP, described, service};
use crate::aws::{ObservedService, Services};
use crate::observed::service::{NamedPorts, RegisteredPort, TaskNetwork};

fn describe(service: &Value) -> ObservedService {
    let script = Script::new([described(service)]);
    let found = run(Services::new(&script.sdk()).describe("apps", "web"));
    found.expect("understood").expect("there")
}

#[test]
fn the_ports_that_a_service_names_are_read_with_their_containers_or_by_name() {
    let mut service = service();
    service["loadBalancers"] = json!([
        {"targetGroupArn": GROUP, "containerName": "web", "containerPort": 80},
        {"loadBalancerName": "classic", "containerName": "proxy", "containerPort": 81},
        {"loadBalancerName": "unknown"},
    ]);
    service["serviceRegistries"] = json!([
        {"registryArn": "srv-1", "containerName": "web", "containerPort": 82},
        {"registryArn": "srv-2", "port": 83},
    ]);
    let connect = |enabled: bool, name: &str| {
        let services = json!([{"portName": name}, {"portName": "grpc"}]);
        json!({"enabled": enabled, "services": services})
    };
    service["deployments"][0]["serviceConnectConfiguration"] = connect(true, "http");
    service["deployments"][1]["serviceConnectConfiguration"] = connect(true, "old");

    let ports = |service: &Value| describe(service).named_ports().clone();
    let port = |container: &str, port| RegisteredPort {
        container: container.to_owned(),
        port,
    };
    let named = NamedPorts {
        balanced: vec![port("web", 80), port("proxy", 81)],
        discovered: vec![port("web", 82)],
        connected: vec!["http".to_owned(), "grpc".to_owned()],
    };
    assert_eq!(ports(&service), named);
    let mut reversed = service.clone();
    let deployments = reversed["deployments"].as_array_mut();
    deployments.expect("a list").reverse();
    assert_eq!(ports(&reversed), named);

    service["deployments"][0]["serviceConnectConfiguration"] = connect(false, "http");
    let connected = Vec::new();
    assert_eq!(ports(&service), NamedPorts { connected, ..named });
}

#[test]
fn the_network_and_the_place_of_the_tasks_are_those_of_the_service() {
    let network = |more: Value| {
        let mut service = service();
        let members = service.as_object_mut().expect("an object");
        members.extend(more.as_object().expect("an object").clone());
        let TaskNetwork {
            is_configured,
            is_on_fargate,
        } = describe(&service).task_network();
        (is_configured, is_on_fargate)
    };
    assert_eq!(network(json!({})), (false, false));
    let configured = json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}});
    assert_eq!(
        network(json!({ "networkConfiguration": configured })),
        (true, false)
    );
    assert_eq!(network(json!({"launchType": "FARGATE"})), (false, true));
    assert_eq!(network(json!({"launchType": "EC2"})), (false, false));
    let provided = json!([{"capacityProvider": "FARGATE_SPOT"}]);
    assert_eq!(
        network(json!({ "capacityProviderStrategy": provided })),
        (false, false),
        "what it takes is not documented"
    );
}

#[test]
fn the_volumes_of_a_service_are_those_that_it_configures_for_new_tasks() {
    let mut service = service();
    let managed = json!({"roleArn": "arn:aws:iam::111122223333:role/volumes"});
    service["deployments"][0]["volumeConfigurations"] = json!([
        {"name": "of-s3-files"},
        {"name": "data", "managedEBSVolume": managed},
    ]);
    service["deployments"][1]["volumeConfigurations"] =
        json!([{"name": "old", "managedEBSVolume": managed}]);

    assert_eq!(describe(&service).volumes(), ["data"]);
}

#[test]
fn ecs_exec_is_on_if_the_service_states_it() {
    let with = |state: Value| {
        let mut service = service();
        service["enableExecuteCommand"] = state;
        describe(&service).executes_commands()
    };
    assert!(with(json!(true)));
    assert!(!with(json!(false)));
    assert!(!describe(&service()).executes_commands());
}
