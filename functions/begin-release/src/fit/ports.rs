//! The ports that a service names of its task definition: the base of the new revision must have
//! them.
//!
//! ECS refuses another revision at its deployment only, after an approval and a registration
//! (github.com/aws/amazon-ecs-agent/issues/497; Amazon ECS API: ServiceRegistry,
//! ServiceConnectService), and no release changes what a service names.

use slipway::aws::ObservedService;
use slipway::job::{Checks, Failure, StepError};
use slipway::observed::service::RegisteredPort;
use slipway::task_definition::TaskDefinition;

use crate::check_groups::NEW;

/// What a service registers ports of its containers with.
struct Registrar {
    /// The name of the check, and of the option of `aws ecs update-service`.
    option: &'static str,
    name: &'static str,
    plural: &'static str,
}

const LOAD_BALANCERS: Registrar = Registrar {
    option: "load-balancers",
    name: "load balancer",
    plural: "load balancers",
};
const SERVICE_REGISTRIES: Registrar = Registrar {
    option: "service-registries",
    name: "service registry",
    plural: "service registries",
};
const SERVICE_CONNECT: &str = "service-connect";

/// Refuses a base, given with its name, without a port that the service names.
pub(super) fn check_ports(
    checks: &mut Checks,
    deployed_to: &ObservedService,
    base: (&str, &TaskDefinition),
) -> Result<(), StepError> {
    let (service, ports) = (deployed_to.name(), deployed_to.named_ports());
    for (registrar, ports) in [
        (LOAD_BALANCERS, &ports.balanced),
        (SERVICE_REGISTRIES, &ports.discovered),
    ] {
        let mapped = registrar.validate(service, ports, base);
        checks.take((NEW, registrar.option), mapped, |()| shown(ports))?;
    }

    let named = validate_names(service, &ports.connected, base);
    checks.take((NEW, SERVICE_CONNECT), named, |()| listed(&ports.connected))?;
    Ok(())
}

impl Registrar {
    fn validate(
        &self,
        (cluster, service): (&str, &str),
        ports: &[RegisteredPort],
        (base_name, base): (&str, &TaskDefinition),
    ) -> Result<(), Failure> {
        let unmapped = |found: &&RegisteredPort| !base.maps_port(&found.container, found.port);
        let Some(RegisteredPort { container, port }) = ports.iter().find(unmapped) else {
            return Ok(());
        };

        let Self {
            option,
            name,
            plural,
        } = self;
        Err(Failure::configuration(format!(
            "service `{service}` registers port {port} of container `{container}` with a {name}, \
             and {base_name} does not map it; expected `containerPort` {port} in the \
             `portMappings` of `{container}`; give it to the new definition, or change the \
             {plural} of the service first: aws ecs update-service --cluster {cluster} --service \
             {service} --task-definition <family:revision> --{option} <value>"
        )))
    }
}

fn validate_names(
    (cluster, service): (&str, &str),
    ports: &[String],
    (base_name, base): (&str, &TaskDefinition),
) -> Result<(), Failure> {
    let Some(port) = ports.iter().find(|port| !base.names_port(port)) else {
        return Ok(());
    };

    Err(Failure::configuration(format!(
        "service `{service}` has port `{port}` in Service Connect, and {base_name} has none of \
         that name; expected `name` `{port}` in the `portMappings` of a container; give it to the \
         new definition, or change Service Connect of the service first: aws ecs update-service \
         --cluster {cluster} --service {service} --task-definition <family:revision> \
         --service-connect-configuration <value>"
    )))
}

fn shown(ports: &[RegisteredPort]) -> String {
    let ports = ports
        .iter()
        .map(|RegisteredPort { container, port }| format!("{container}:{port}"));
    listed(&ports.collect::<Vec<_>>())
}

fn listed(ports: &[String]) -> String {
    if ports.is_empty() {
        return "none".to_owned();
    }
    ports.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn base(container: &str, mapping: Value) -> TaskDefinition {
        TaskDefinition::from_value(json!({"family": "web", "containerDefinitions": [
            {"name": "proxy", "image": "envoy:1", "portMappings": [{"containerPort": 81}]},
            {"name": container, "image": "web:1", "portMappings": [mapping]},
        ]}))
        .expect("a task definition")
    }

    fn port(container: &str, port: u64) -> RegisteredPort {
        RegisteredPort {
            container: container.to_owned(),
            port,
        }
    }

    #[test]
    fn each_port_of_a_load_balancer_is_mapped_by_its_own_container() {
        let ports = [port("proxy", 81), port("web", 80)];
        let refused = |base: &TaskDefinition| {
            let base = ("file `c::t.json`", base);
            let found = LOAD_BALANCERS.validate(("apps", "web"), &ports, base);
            found.map_err(|failure| failure.message)
        };

        let mapped = json!({"containerPort": 80, "hostPort": 0});
        assert_eq!(refused(&base("web", mapped.clone())), Ok(()));
        let range = json!({"containerPortRange": "79-90"});
        assert_eq!(refused(&base("web", range)), Ok(()), "it may have the port");

        let expected = "service `web` registers port 80 of container `web` with a load balancer, \
                        and file `c::t.json` does not map it; expected `containerPort` 80 in the \
                        `portMappings` of `web`; give it to the new definition, or change the \
                        load balancers of the service first: aws ecs update-service --cluster \
                        apps --service web --task-definition <family:revision> --load-balancers \
                        <value>";
        let other = json!({"containerPort": 81, "hostPort": 80});
        for base in [base("app", mapped), base("web", other)] {
            assert_eq!(refused(&base), Err(expected.to_owned()));
        }
        let anything = base("web", json!({"containerPort": 8080}));
        assert_eq!(
            LOAD_BALANCERS.validate(("apps", "web"), &[], ("web:2", &anything)),
            Ok(()),
            "no load balancer"
        );
    }

    #[test]
    fn the_port_of_a_service_registry_is_mapped_by_its_own_container() {
        let ports = [port("web", 80)];
        let refused = |base: &TaskDefinition| {
            let found = SERVICE_REGISTRIES.validate(("apps", "web"), &ports, ("web:2", base));
            found.map_err(|failure| failure.message)
        };

        assert_eq!(refused(&base("web", json!({"containerPort": 80}))), Ok(()));
        let expected = "service `web` registers port 80 of container `web` with a service \
                        registry, and web:2 does not map it; expected `containerPort` 80 in the \
                        `portMappings` of `web`; give it to the new definition, or change the \
                        service registries of the service first: aws ecs update-service \
                        --cluster apps --service web --task-definition <family:revision> \
                        --service-registries <value>";
        let other = base("web", json!({"containerPort": 81, "hostPort": 80}));
        assert_eq!(refused(&other), Err(expected.to_owned()));
    }

    #[test]
    fn each_port_of_service_connect_is_named_by_a_container() {
        let refused = |base: &TaskDefinition, ports: &[&str]| {
            let ports: Vec<String> = ports.iter().map(|&port| port.to_owned()).collect();
            let found = validate_names(("apps", "web"), &ports, ("web:2", base));
            found.map_err(|failure| failure.message)
        };

        let named = base("web", json!({"containerPort": 80, "name": "http"}));
        assert_eq!(refused(&named, &["http"]), Ok(()));
        assert_eq!(refused(&named, &[]), Ok(()), "no Service Connect");
        let expected = "service `web` has port `grpc` in Service Connect, and web:2 has none of \
                        that name; expected `name` `grpc` in the `portMappings` of a container; \
                        give it to the new definition, or change Service Connect of the service \
                        first: aws ecs update-service --cluster apps --service web \
                        --task-definition <family:revision> --service-connect-configuration \
                        <value>";
        assert_eq!(refused(&named, &["http", "grpc"]), Err(expected.to_owned()));
    }

    #[test]
    fn ports_are_shown_with_their_containers() {
        assert_eq!(
            shown(&[port("proxy", 81), port("web", 80)]),
            "proxy:81, web:80"
        );
        assert_eq!(shown(&[]), "none");
    }
}
