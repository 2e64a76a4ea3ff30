//! DeleteStack.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::api::{found, required, validation};
use super::operation::Operation;
use super::stack::StackFailure;
use super::{Stack, change_set, describe, stack_events};
use crate::protocol::query::Parameters;
use crate::{ApiError, Aws};

/// Members without an effect where stacks are deleted at one instant.
const MEMBERS: [&str; 2] = ["StackName", "ClientRequestToken"];

/// What the id of a stack still shows after its deletion.
#[derive(Clone, Debug)]
pub(super) struct Deleted {
    pub(super) id: String,
    pub(super) description: Value,
    /// Oldest first.
    pub(super) events: Vec<Value>,
    /// As it was sent; none of a stack that was in review only.
    pub(super) template: Option<String>,
    pub(super) resources: Vec<Value>,
}

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
    if found(aws, given).is_some_and(Stack::is_in_progress) {
        return Err(validation(
            "the sandbox does not delete a stack that is in progress",
        ));
    }
    finish(aws, given);
    Ok(json!({}))
}

/// Deletes the stack, or leaves it with the reason why not; or in progress, until a custom resource
/// has responded.
pub(super) fn finish(aws: &mut Aws, given: &str) {
    let Some(before) = describe::present(aws, given) else {
        return;
    };
    let text = |member: &str| before[member].as_str().unwrap_or_default().to_owned();
    let name = text("StackName");
    let id = text("StackId");
    let deleted = Deleted {
        id: id.clone(),
        description: describe::after_deletion(before, aws.now),
        events: stack_events::until_deleted(aws, &name),
        template: found(aws, &name).map(|stack| stack.body.to_string()),
        resources: found(aws, &name).map_or_else(Vec::new, describe::resources_after_deletion),
    };

    let result = match found(aws, &name) {
        Some(_) => Operation::deletion(&name).attempt(aws),
        None => Ok(aws.clone()),
    };
    match result {
        Ok(after) => {
            *aws = after;
            if found(aws, &name).is_some() {
                return;
            }
            change_set::forget(aws, &name);
            aws.cloudformation.deleted.insert(id, deleted);
        }
        Err(problem) => {
            let logical_id = problem.resource().map(str::to_owned);
            let reason = problem.in_template(Path::new(&name)).problem;
            aws.cloudformation.custom.forget(&id);
            if let Some(stack) = aws.cloudformation.stacks.get_mut(&name) {
                Arc::make_mut(stack).failure = Some(StackFailure::Deletion {
                    at: aws.now,
                    logical_id,
                    reason,
                });
            }
        }
    }
}
