//! Stacks that are not complete: a creation that failed, and a deletion that failed.

use crate::Aws;
use crate::cloudformation::error::Problem;

use super::{StackResource, remove};

/// Why a stack is not complete.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// The service of a resource refused it; what had been made before is removed again.
    Creation {
        logical_id: String,
        kind: &'static str,
        reason: String,
    },
    /// The stack is as it was.
    Deletion { reason: String },
}

impl Failure {
    pub(crate) fn status(&self) -> &'static str {
        match self {
            Self::Creation { .. } => "ROLLBACK_COMPLETE",
            Self::Deletion { .. } => "DELETE_FAILED",
        }
    }

    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Creation { logical_id, .. } => {
                format!("The following resource(s) failed to create: [{logical_id}]. ")
            }
            Self::Deletion { reason } => reason.clone(),
        }
    }
}

/// Rolls a creation back in which a service refused a resource: only what `Retain` keeps stays, and
/// the stack without resources, to be deleted. `aws` is as the failed creation left it.
///
/// # Errors
/// The problem, if it was one of the template or of an update.
pub(crate) fn roll_back(aws: &mut Aws, name: &str, problem: Problem) -> Result<(), Problem> {
    let refused = problem
        .refused_resource()
        .map(|(logical_id, kind, reason)| Failure::Creation {
            logical_id: logical_id.to_owned(),
            kind,
            reason: reason.to_owned(),
        });
    let stack = aws.cloudformation.stacks.get_mut(name);
    let new_stack = stack.filter(|stack| stack.updated.is_none());
    let (Some(failure), Some(stack)) = (refused, new_stack) else {
        return Err(problem);
    };

    stack.failure = Some(failure);
    stack.imports.clear();
    let made = std::mem::take(&mut stack.resources);
    let gone: Vec<StackResource> = made
        .into_iter()
        .filter(|resource| !resource.retained_on_create)
        .collect();
    remove(aws, gone)
}
