//! ECS Exec: the tasks of a service in which operators execute commands have a task role.
//!
//! ECS refuses a revision without one at its deployment only, after an approval and a registration
//! (github.com/aws/aws-cli/issues/6242, and of tasks on instances
//! github.com/aws/aws-toolkit-jetbrains/issues/3649), and no release changes the setting.

use slipway::aws::ObservedService;
use slipway::job::{Checks, Failure, StepError};
use slipway::task_definition::TaskDefinition;

use crate::check_groups::NEW;

const ROLE: &str = "taskRoleArn";

/// Refuses a base, given with its name, without the role that ECS Exec needs.
pub(super) fn check_exec(
    checks: &mut Checks,
    deployed_to: &ObservedService,
    accepted: Option<&TaskDefinition>,
    base: (&str, &TaskDefinition),
) -> Result<(), StepError> {
    let is_on = deployed_to.executes_commands();
    let allowed = validate(deployed_to.name(), is_on, accepted, base);
    checks.take((NEW, "execute-command"), allowed, |()| {
        let state = if is_on { "ENABLED" } else { "DISABLED" };
        state.to_owned()
    })?;
    Ok(())
}

fn validate(
    (cluster, service): (&str, &str),
    is_on: bool,
    accepted: Option<&TaskDefinition>,
    (base_name, base): (&str, &TaskDefinition),
) -> Result<(), Failure> {
    let is_missing = accepted.is_none_or(has_role) && !has_role(base);
    if !is_on || !is_missing {
        return Ok(());
    }

    Err(Failure::configuration(format!(
        "`{ROLE}` is not in {base_name}; expected the ARN of a role, since ECS Exec is on in \
         service `{service}`; give it to the new definition, or turn ECS Exec off first: aws ecs \
         update-service --cluster {cluster} --service {service} --disable-execute-command"
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
        let refused = |is_on: bool, accepted: Option<&TaskDefinition>, base: &TaskDefinition| {
            let found = validate(("apps", "web"), is_on, accepted, ("web:2", base));
            found.map_err(|failure| failure.message)
        };
        assert_eq!(refused(true, None, &with), Ok(()));
        assert_eq!(refused(false, None, &without), Ok(()));
        assert_eq!(refused(true, Some(&without), &without), Ok(()), "as before");

        let expected = "`taskRoleArn` is not in web:2; expected the ARN of a role, since ECS Exec \
                        is on in service `web`; give it to the new definition, or turn ECS Exec \
                        off first: aws ecs update-service --cluster apps --service web \
                        --disable-execute-command";
        for accepted in [None, Some(&with)] {
            assert_eq!(refused(true, accepted, &without), Err(expected.to_owned()));
        }
    }
}
