//! The ports that a service registers with its load balancers: the base of the new revision must
//! map each in the same container.
//!
//! ECS refuses another revision at its deployment only, after an approval and a registration
//! (github.com/aws/amazon-ecs-agent/issues/497), and no release changes the load balancers of a
//! service.

use slipway::aws::ObservedService;
use slipway::job::{Checks, Failure, StepError};
use slipway::observed::service::BalancedPort;
use slipway::task_definition::TaskDefinition;

use crate::preflight::NEW;

/// Refuses a base, given with its name, to which the load balancers of the service do not lead.
pub(crate) fn check_ports(
    checks: &mut Checks,
    deployed_to: &ObservedService,
    base: (&str, &TaskDefinition),
) -> Result<(), StepError> {
    let ports = deployed_to.balanced_ports();
    let mapped = validate(deployed_to.name(), ports, base);
    checks.take((NEW, "load-balancers"), mapped, |()| shown(ports))?;
    Ok(())
}

fn validate(
    (cluster, service): (&str, &str),
    ports: &[BalancedPort],
    (name, base): (&str, &TaskDefinition),
) -> Result<(), Failure> {
    let unmapped = |found: &&BalancedPort| !base.maps_port(&found.container, found.port);
    let Some(BalancedPort { container, port }) = ports.iter().find(unmapped) else {
        return Ok(());
    };

    Err(Failure::configuration(format!(
        "service `{service}` registers port {port} of container `{container}` with a load \
         balancer, and {name} does not map it; expected `containerPort` {port} in the \
         `portMappings` of `{container}`; give it to the new definition, or change the load \
         balancers of the service first: aws ecs update-service --cluster {cluster} --service \
         {service} --task-definition <family:revision> --load-balancers <value>"
    )))
}

fn shown(ports: &[BalancedPort]) -> String {
    if ports.is_empty() {
        return "none".to_owned();
    }
    let ports = ports
        .iter()
        .map(|BalancedPort { container, port }| format!("{container}:{port}"));
    ports.collect::<Vec<_>>().join(", ")
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

    fn port(container: &str, port: u64) -> BalancedPort {
        BalancedPort {
            container: container.to_owned(),
            port,
        }
    }

    #[test]
    fn each_port_of_a_load_balancer_is_mapped_by_its_own_container() {
        let ports = [port("proxy", 81), port("web", 80)];
        let refused = |base: &TaskDefinition| {
            let found = validate(("apps", "web"), &ports, ("file `c::t.json`", base));
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
            validate(("apps", "web"), &[], ("web:2", &anything)),
            Ok(()),
            "no load balancer"
        );
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
