//! The network of the tasks: the base of the new revision must fit what the service has.
//!
//! ECS refuses another revision at its deployment only, after an approval and a registration
//! (github.com/boltops-tools/ufo/pull/112 and github.com/sil-org/ecs-deploy/pull/129), and no
//! release changes what the service has. The target type of its target groups and the containers of
//! its service registries need no checks of their own: they fit the network that it has.

use slipway::aws::ObservedService;
use slipway::job::{Checks, Failure, StepError};
use slipway::observed::service::TaskNetwork;
use slipway::task_definition::TaskDefinition;

use crate::check_groups::NEW;

const OF_TASKS: &str = "awsvpc";

/// Refuses a base, given with its name, whose tasks the service cannot run.
pub(super) fn check_network(
    checks: &mut Checks,
    deployed_to: &ObservedService,
    accepted: Option<&TaskDefinition>,
    base: (&str, &TaskDefinition),
) -> Result<(), StepError> {
    let (service, network) = (deployed_to.name(), deployed_to.task_network());
    let fits = validate_mode(service, network, accepted, base);
    checks.take((NEW, "network-mode"), fits, |()| {
        let mode = base.1.network_mode().unwrap_or("none is stated");
        mode.to_owned()
    })?;

    let fits = validate_launch_type(service.1, network, accepted, base);
    checks.take((NEW, "launch-type"), fits, |()| {
        let place = if network.is_on_fargate {
            "FARGATE"
        } else {
            "not FARGATE"
        };
        place.to_owned()
    })?;
    Ok(())
}

/// Tasks with an address of their own need a network configuration of the service, and others are
/// refused with one.
fn validate_mode(
    (cluster, service): (&str, &str),
    network: TaskNetwork,
    accepted: Option<&TaskDefinition>,
    (base_name, base): (&str, &TaskDefinition),
) -> Result<(), Failure> {
    // ECS does not register a definition for Fargate without a mode.
    let Some(mode) = base.network_mode() else {
        return Ok(());
    };
    if accepted.and_then(TaskDefinition::network_mode) == Some(mode) {
        return Ok(());
    }

    match (mode == OF_TASKS, network.is_configured) {
        (true, true) | (false, false) => Ok(()),
        (false, true) => Err(Failure::configuration(format!(
            "`networkMode` of {base_name} is {mode}; expected {OF_TASKS}, since service \
             `{service}` has a network configuration, which ECS takes with no other mode; give \
             this mode to the new definition, or release to a service without a network \
             configuration"
        ))),
        (true, false) => Err(Failure::configuration(format!(
            "`networkMode` of {base_name} is {OF_TASKS}; expected bridge, host or none, since \
             service `{service}` has no network configuration; give one of them to the new \
             definition, or change the network of the service first: aws ecs update-service \
             --cluster {cluster} --service {service} --task-definition <family:revision> \
             --network-configuration <value>, and with target groups --load-balancers <value> \
             with groups of the target type ip"
        ))),
    }
}

fn validate_launch_type(
    service: &str,
    network: TaskNetwork,
    accepted: Option<&TaskDefinition>,
    (base_name, base): (&str, &TaskDefinition),
) -> Result<(), Failure> {
    let was_without = accepted.is_some_and(|accepted| !accepted.is_for_fargate());
    if !network.is_on_fargate || base.is_for_fargate() || was_without {
        return Ok(());
    }

    Err(Failure::configuration(format!(
        "`requiresCompatibilities` of {base_name} is without FARGATE; expected FARGATE in it, \
         since service `{service}` runs on Fargate; give it to the new definition, or release to a \
         service on instances"
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const WEB: (&str, &str) = ("apps", "web");

    fn base(more: &Value) -> TaskDefinition {
        let mut base = json!({
            "family": "web", "containerDefinitions": [{"name": "web", "image": "web:1"}],
        });
        let members = base.as_object_mut().expect("an object");
        members.extend(more.as_object().expect("an object").clone());
        TaskDefinition::from_value(base).expect("a task definition")
    }

    fn network(is_configured: bool, is_on_fargate: bool) -> TaskNetwork {
        TaskNetwork {
            is_configured,
            is_on_fargate,
        }
    }

    #[test]
    fn the_network_mode_fits_the_network_configuration_of_the_service() {
        let refused = |more: Value, is_configured: bool| {
            let (network, base) = (network(is_configured, false), base(&more));
            let found = validate_mode(WEB, network, None, ("web:2", &base));
            found.map_err(|failure| failure.message)
        };
        for (more, is_configured) in [
            (json!({"networkMode": "awsvpc"}), true),
            (json!({"networkMode": "bridge"}), false),
            (json!({"networkMode": "host"}), false),
            (json!({"networkMode": "none"}), false),
            (json!({}), false),
            (json!({"requiresCompatibilities": ["FARGATE"]}), true),
            (
                json!({"requiresCompatibilities": ["MANAGED_INSTANCES"]}),
                true,
            ),
        ] {
            assert_eq!(refused(more.clone(), is_configured), Ok(()), "{more}");
        }

        for (more, mode) in [
            (json!({"networkMode": "host"}), "host"),
            (json!({}), "bridge"),
        ] {
            let expected = format!(
                "`networkMode` of web:2 is {mode}; expected awsvpc, since service `web` has a \
                 network configuration, which ECS takes with no other mode; give this mode to the \
                 new definition, or release to a service without a network configuration"
            );
            assert_eq!(refused(more, true), Err(expected));
        }
        let expected = "`networkMode` of web:2 is awsvpc; expected bridge, host or none, since \
                        service `web` has no network configuration; give one of them to the new \
                        definition, or change the network of the service first: aws ecs \
                        update-service --cluster apps --service web --task-definition \
                        <family:revision> --network-configuration <value>, and with target groups \
                        --load-balancers <value> with groups of the target type ip";
        assert_eq!(
            refused(json!({"networkMode": "awsvpc"}), false),
            Err(expected.to_owned())
        );

        let kept = base(&json!({"networkMode": "awsvpc"}));
        let kept = validate_mode(WEB, network(false, false), Some(&kept), ("web:2", &kept));
        assert_eq!(kept, Ok(()), "ECS accepted it before");
    }

    #[test]
    fn a_service_on_fargate_gets_what_fargate_can_run() {
        let refused = |more: Value, is_on_fargate: bool| {
            let (network, base) = (network(true, is_on_fargate), base(&more));
            let found = validate_launch_type("web", network, None, ("web:2", &base));
            found.map_err(|failure| failure.message)
        };
        let both = json!({"requiresCompatibilities": ["EC2", "FARGATE"]});
        assert_eq!(refused(both, true), Ok(()));
        assert_eq!(refused(json!({}), false), Ok(()));

        let expected = "`requiresCompatibilities` of web:2 is without FARGATE; expected FARGATE \
                        in it, since service `web` runs on Fargate; give it to the new definition, \
                        or release to a service on instances";
        for more in [json!({}), json!({"requiresCompatibilities": ["EC2"]})] {
            assert_eq!(refused(more, true), Err(expected.to_owned()));
        }

        let kept = base(&json!({}));
        let kept = validate_launch_type("web", network(true, true), Some(&kept), ("web:2", &kept));
        assert_eq!(kept, Ok(()), "ECS accepted it before");
    }
}
