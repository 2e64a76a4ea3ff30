//! The volumes that a service configures for its tasks at launch: the base of the new revision must
//! leave them to it.
//!
//! ECS refuses another revision at its deployment only, after an approval and a registration
//! (github.com/hashicorp/terraform-provider-aws/pull/49185), and no release changes what a service
//! configures.

use slipway::aws::ObservedService;
use slipway::job::{Checks, Failure, StepError};
use slipway::task_definition::TaskDefinition;

use crate::check_groups::NEW;

/// Refuses a base, given with its name, without a volume that the service configures.
pub(super) fn check_volumes(
    checks: &mut Checks,
    deployed_to: &ObservedService,
    accepted: Option<&TaskDefinition>,
    base: (&str, &TaskDefinition),
) -> Result<(), StepError> {
    let volumes = deployed_to.volumes();
    let left = validate(deployed_to.name(), volumes, accepted, base);
    checks.take((NEW, "volumes"), left, |()| {
        if volumes.is_empty() {
            "none".to_owned()
        } else {
            volumes.join(", ")
        }
    })?;
    Ok(())
}

fn validate(
    (cluster, service): (&str, &str),
    volumes: &[String],
    accepted: Option<&TaskDefinition>,
    (base_name, base): (&str, &TaskDefinition),
) -> Result<(), Failure> {
    let is_missing = |name: &&String| {
        let was_left = accepted.is_none_or(|accepted| accepted.leaves_volume(name));
        was_left && !base.leaves_volume(name)
    };
    let Some(volume) = volumes.iter().find(is_missing) else {
        return Ok(());
    };

    Err(Failure::configuration(format!(
        "service `{service}` configures volume `{volume}`, and {base_name} has none of that name \
         that is configured at launch; expected `configuredAtLaunch` true in the volume; give it \
         to the new definition, or take the volume from the service first: aws ecs update-service \
         --cluster {cluster} --service {service} --task-definition <family:revision> \
         --volume-configurations []"
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn definition(volumes: &Value) -> TaskDefinition {
        TaskDefinition::from_value(json!({
            "family": "web", "volumes": volumes,
            "containerDefinitions": [{"name": "web", "image": "web:1"}],
        }))
        .expect("a task definition")
    }

    #[test]
    fn each_volume_of_the_service_is_left_to_it_as_before() {
        let left = json!([{"name": "cache"}, {"name": "data", "configuredAtLaunch": true}]);
        let running = definition(&left);
        let refused = |accepted: Option<&TaskDefinition>, volumes: &[&str], base: &Value| {
            let volumes: Vec<String> = volumes.iter().map(|&name| name.to_owned()).collect();
            let base = definition(base);
            let found = validate(("apps", "web"), &volumes, accepted, ("web:2", &base));
            found.map_err(|failure| failure.message)
        };

        assert_eq!(refused(None, &["data"], &left), Ok(()));
        assert_eq!(
            refused(None, &[], &json!([])),
            Ok(()),
            "the service has none"
        );
        assert_eq!(
            refused(Some(&running), &["cache"], &json!([])),
            Ok(()),
            "ECS accepted it before"
        );

        let expected = "service `web` configures volume `data`, and web:2 has none of that name \
                        that is configured at launch; expected `configuredAtLaunch` true in the \
                        volume; give it to the new definition, or take the volume from the service \
                        first: aws ecs update-service --cluster apps --service web \
                        --task-definition <family:revision> --volume-configurations []";
        for base in [
            json!([]),
            json!([{"name": "data"}]),
            json!([{"name": "data", "configuredAtLaunch": false}]),
            json!([{"name": "other", "configuredAtLaunch": true}]),
        ] {
            for accepted in [None, Some(&running)] {
                assert_eq!(
                    refused(accepted, &["data"], &base),
                    Err(expected.to_owned())
                );
            }
        }
    }
}
