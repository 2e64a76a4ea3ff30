//! DeleteStack.

use std::path::Path;

use serde_json::{Value, json};

use super::api::{found, required, validation};
use super::{change_set, stack};
use crate::protocol::query::Parameters;
use crate::{ApiError, Aws};

/// Members without an effect where stacks are deleted at one instant.
const MEMBERS: [&str; 2] = ["StackName", "ClientRequestToken"];

/// Deletes a stack with everything in it that its template does not retain; one that is not there
/// is as good as deleted. A deletion that fails leaves everything, and the stack as
/// `DELETE_FAILED`, where AWS would have removed a part.
pub(super) fn delete(aws: &mut Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let unknown = parameters
        .keys()
        .find(|name| !MEMBERS.contains(&name.as_str()));
    if let Some(unknown) = unknown {
        return Err(validation(format!(
            "the sandbox does not serve the member {unknown}"
        )));
    }

    let given = required(parameters, "StackName")?;
    let Some(name) = found(aws, given).map(|stack| stack.name.clone()) else {
        change_set::forget(aws, given);
        return Ok(json!({}));
    };

    let mut draft = aws.clone();
    match stack::delete(&mut draft, &name) {
        Ok(()) => {
            *aws = draft;
            change_set::forget(aws, &name);
        }
        Err(problem) => {
            let reason = problem.in_template(Path::new(&name)).problem;
            if let Some(stack) = aws.cloudformation.stacks.get_mut(&name) {
                stack.failure = Some(stack::Failure::Deletion { reason });
            }
        }
    }
    Ok(json!({}))
}
