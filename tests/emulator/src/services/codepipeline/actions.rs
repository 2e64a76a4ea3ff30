//! What an action does once it has begun, and what ends it from outside.

use std::collections::BTreeMap;

use super::declaration::{ActionDeclaration, Provider};
use super::engine;
use super::state::{ActionStatus, ErrorDetails, Execution};
use super::{builds, jobs, permissions, source, variables};
use crate::Aws;

/// The limit holds after substitution, too.
const USER_PARAMETERS: usize = 1000;

/// The action's work, with its configuration resolved at this moment.
pub(super) fn act(aws: &mut Aws, execution_id: &str, action_id: &str) {
    let execution = aws.codepipeline.execution_mut(execution_id).clone();
    let Some((stage, action)) = execution.action(action_id) else {
        return;
    };
    let declared = execution.declaration.action(&stage.name, &action.name);
    let Some(declared) = declared.filter(|_| action.status == ActionStatus::InProgress) else {
        return;
    };

    match resolve(declared, &execution) {
        Ok(resolved) => {
            if let Some(action) = aws
                .codepipeline
                .execution_mut(execution_id)
                .action_mut(action_id)
            {
                action.resolved = resolved.clone();
            }
            perform(aws, &execution, declared, action_id, &resolved);
        }
        Err(error) => engine::finish_action(aws, execution_id, action_id, Err(error)),
    }
}

fn perform(
    aws: &mut Aws,
    execution: &Execution,
    declared: &ActionDeclaration,
    action_id: &str,
    configuration: &BTreeMap<String, String>,
) {
    match &declared.provider {
        Provider::Lambda | Provider::Custom(_) => jobs::give(aws, &execution.id, action_id, None),
        Provider::Manual => match permissions::notification(aws, execution, configuration) {
            Ok(()) => wait_for_approval(aws, &execution.id, action_id),
            Err(error) => engine::finish_action(aws, &execution.id, action_id, Err(error)),
        },
        Provider::Build | Provider::Test => {
            builds::start(aws, execution, action_id, configuration);
        }
        Provider::Ecr | Provider::S3 | Provider::Connection => {
            let ended = source::fetch(aws, execution, declared, configuration);
            engine::finish_action(aws, &execution.id, action_id, ended);
        }
    }
}

fn wait_for_approval(aws: &mut Aws, execution: &str, action: &str) {
    let token = aws.uuid();
    let execution = aws.codepipeline.execution_mut(execution);
    if let Some(action) = execution.action_mut(action) {
        action.token = Some(token);
    }
}

fn resolve(
    declared: &ActionDeclaration,
    execution: &Execution,
) -> Result<BTreeMap<String, String>, ErrorDetails> {
    let mut resolved = BTreeMap::new();
    for (key, value) in &declared.configuration {
        let value = variables::substitute(value, execution)?;
        let length = value.chars().count();
        if key == "UserParameters" && length > USER_PARAMETERS {
            let message = format!(
                "The resolved value of UserParameters is {length} characters long; the most is \
                 {USER_PARAMETERS}"
            );
            return Err(ErrorDetails::new("ConfigurationError", message));
        }
        resolved.insert(key.clone(), value);
    }
    Ok(resolved)
}

/// Fails an action that is still in progress when its time is up.
pub(super) fn out_of_time(aws: &mut Aws, execution: &str, action: &str) {
    let message =
        "The action failed because it was not complete within the time that its action type allows";
    let error = ErrorDetails::late(message);
    engine::finish_action(aws, execution, action, Err(error));
}
