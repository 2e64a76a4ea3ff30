//! ECS Exec: the tasks of a service in which operators execute commands have a task role.
//!
//! ECS refuses a revision without one at its deployment only, after an approval and a registration
//! (github.com/aws/aws-cli/issues/6242), and no release changes the setting. What the revision that
//! runs lacks too was accepted before.

use slipway::aws::ObservedService;
use slipway::job::{Checks, Failure, StepError};
use slipway::task_definition::TaskDefinition;

use crate::preflight::NEW;

const ROLE: &str = "taskRoleArn";

/// Refuses a base, given with its name, without the role that ECS Exec needs.
pub(super) fn check_exec(
    checks: &mut Checks,
    deployed_to: &ObservedService,
    current: &TaskDefinition,
    base: (&str, &TaskDefinition),
) -> Result<(), StepError> {
    let is_on = deployed_to.executes_commands();
    let allowed = validate(deployed_to.name(), is_on, current, base);
    checks.take((NEW, "execute-command"), allowed, |()| {
        let state = if is_on { "ENABLED" } else { "DISABLED" };
        state.to_owned()
    })?;
    Ok(())
}

fn validate(
    (cluster, service): (&str, &str),
    is_on: bool,
    current: &TaskDefinition,
    (base_name, base): (&str, &TaskDefinition),
) -> Result<(), Failure> {
    let is_lost = has_role(current) && !has_role(base);
    if !is_on || !is_lost {
        return Ok(());
    }

    Err(Failure::configuration(format!(
        "`{ROLE}` is not in {base_name}; expected the ARN of a role, since ECS Exec is on in \
         service `{service}`; give it to the new definition, or turn ECS Exec off first: aws ecs \
         update-service --cluster {cluster} --service {service} --no-enable-execute-command"
    )))
}

fn has_role(definition: &TaskDefinition) -> bool {
    definition.roles().any(|(field, _)| field == ROLE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn definition(role: &str) -> TaskDefinition {
        TaskDefinition::from_value(json!({
            "family": "web", "taskRoleArn": role,
            "containerDefinitions": [{"name": "web", "image": "web:1"}],
        }))
        .expect("a task definition")
    }

    #[test]
    fn tasks_with_ecs_exec_keep_a_task_role() {
        let (with, without) = (definition("tasks"), definition(""));
        let refused = |is_on: bool, current: &TaskDefinition, base: &TaskDefinition| {
            let found = validate(("apps", "web"), is_on, current, ("web:2", base));
            found.map_err(|failure| failure.message)
        };
        assert_eq!(refused(true, &with, &with), Ok(()));
        assert_eq!(refused(false, &with, &without), Ok(()));
        assert_eq!(refused(true, &without, &without), Ok(()), "as before");

        let expected = "`taskRoleArn` is not in web:2; expected the ARN of a role, since ECS Exec \
                        is on in service `web`; give it to the new definition, or turn ECS Exec \
                        off first: aws ecs update-service --cluster apps --service web \
                        --no-enable-execute-command";
        assert_eq!(refused(true, &with, &without), Err(expected.to_owned()));
    }
}
