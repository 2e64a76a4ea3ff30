//! What leads to the tasks of a service beside load balancers.

use serde_json::{Value, json};

use super::script::{Script, run};
use super::services::{described, service};
use crate::aws::Services;
use crate::observed::other_route::OtherRoute;

/// What is found of a service with these members, and with these in its PRIMARY deployment.
fn found(of_service: Value, of_primary: Value) -> Vec<OtherRoute> {
    let mut service = service();
    service["serviceRegistries"] = of_service;
    for (member, value) in of_primary.as_object().expect("an object") {
        service["deployments"][0][member] = value.clone();
    }
    let script = Script::new([described(&service)]);
    let found = run(Services::new(&script.sdk()).describe("apps", "web"));
    let found = found.expect("understood").expect("there");
    found.discovered_by().iter().cloned().collect()
}

#[test]
fn load_balancers_alone_are_no_discovery() {
    assert_eq!(found(json!([]), json!({})), []);
    assert_eq!(found(json!(null), json!({})), []);
}

#[test]
fn registries_are_read_of_the_service() {
    let arn = |id: u32| format!("arn:aws:servicediscovery:eu-west-1:111122223333:service/srv-{id}");
    let registries = json!([{"registryArn": arn(1)}, {"registryArn": arn(2), "port": 80}]);
    assert_eq!(
        found(registries, json!({})),
        [arn(1), arn(2)].map(OtherRoute::Registry)
    );
}

#[test]
fn services_of_service_connect_are_read_of_deployments_and_a_client_has_none() {
    let connect = |enabled: bool, services: Value| {
        let configuration = json!({"enabled": enabled, "namespace": "apps", "services": services});
        found(
            json!([]),
            json!({ "serviceConnectConfiguration": configuration }),
        )
    };
    let named = json!([{"portName": "http", "discoveryName": "shop"}, {"portName": "admin"}]);

    assert_eq!(
        connect(true, named.clone()),
        ["admin", "shop"].map(|name| OtherRoute::ServiceConnect(name.to_owned()))
    );
    assert_eq!(connect(false, named), []);
    assert_eq!(connect(true, json!([])), []);
    assert_eq!(connect(true, json!(null)), []);
}

#[test]
fn target_groups_of_vpc_lattice_are_read_of_deployments() {
    let group = "arn:aws:vpc-lattice:eu-west-1:111122223333:targetgroup/tg-1";
    let lattice = json!([{
        "roleArn": "arn:aws:iam::111122223333:role/lattice", "targetGroupArn": group,
        "portName": "http",
    }]);
    assert_eq!(
        found(json!([]), json!({ "vpcLatticeConfigurations": lattice })),
        [OtherRoute::Lattice(group.to_owned())]
    );
}

#[test]
fn what_two_deployments_have_is_named_once_and_sorted() {
    let connect = |names: [&str; 2]| {
        let services = names.map(|name| json!({"portName": name}));
        json!({"enabled": true, "namespace": "apps", "services": services})
    };
    let mut service = service();
    service["deployments"][0]["serviceConnectConfiguration"] = connect(["http", "admin"]);
    service["deployments"][1]["serviceConnectConfiguration"] = connect(["legacy", "http"]);

    let script = Script::new([described(&service)]);
    let found = run(Services::new(&script.sdk()).describe("apps", "web"));
    let found = found.expect("understood").expect("there");
    let named: Vec<_> = found.discovered_by().iter().cloned().collect();
    assert_eq!(
        named,
        ["admin", "http", "legacy"].map(|name| OtherRoute::ServiceConnect(name.to_owned()))
    );
}
