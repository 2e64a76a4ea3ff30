//! Stacks that are not complete: a creation, an update, or a deletion that failed.

use std::sync::Arc;

use crate::cloudformation::error::Problem;
use crate::{Aws, Millis};

use super::{StackResource, remove};

/// Why a stack is not complete.
#[derive(Clone, Debug)]
pub(crate) enum StackFailure {
    /// The service of a resource refused it; what had been made before is removed again, up to what
    /// cannot be removed.
    Creation {
        logical_id: String,
        kind: &'static str,
        reason: String,
        /// The resource that could not be removed.
        left: Option<String>,
    },
    /// A custom resource could not be changed; the stack is as it was.
    Update {
        at: Millis,
        logical_id: Option<String>,
        reason: String,
    },
    /// A resource could not be removed, or an export is used; the stack is as it was.
    Deletion {
        at: Millis,
        logical_id: Option<String>,
        reason: String,
    },
}

impl StackFailure {
    pub(crate) fn status(&self) -> &'static str {
        match self {
            Self::Creation { left: None, .. } => "ROLLBACK_COMPLETE",
            Self::Creation { .. } => "ROLLBACK_FAILED",
            Self::Update { .. } => "UPDATE_ROLLBACK_COMPLETE",
            Self::Deletion { .. } => "DELETE_FAILED",
        }
    }

    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Creation {
                logical_id,
                left: None,
                ..
            } => format!("The following resource(s) failed to create: [{logical_id}]. "),
            Self::Creation { left: Some(id), .. }
            | Self::Deletion {
                logical_id: Some(id),
                ..
            } => format!("The following resource(s) failed to delete: [{id}]. "),
            Self::Update {
                logical_id: Some(id),
                ..
            } => format!("The following resource(s) failed to update: [{id}]. "),
            Self::Update { reason, .. } | Self::Deletion { reason, .. } => reason.clone(),
        }
    }

    /// Why a resource failed.
    pub(crate) fn of_resource(&self) -> &str {
        match self {
            Self::Creation { reason, .. }
            | Self::Update { reason, .. }
            | Self::Deletion { reason, .. } => reason,
        }
    }

    /// When the deletion failed.
    pub(crate) fn deleted_at(&self) -> Option<Millis> {
        match self {
            Self::Creation { .. } | Self::Update { .. } => None,
            Self::Deletion { at, .. } => Some(*at),
        }
    }
}

/// Rolls a creation back in which a service refused a resource: only what `Retain` keeps stays, and
/// the stack without resources, to be deleted. It ends at a resource that cannot be removed. `aws`
/// is as the failed creation left it.
///
/// # Errors
/// The problem, if it was one of the template or of an update.
pub(crate) fn roll_back(aws: &mut Aws, name: &str, problem: Problem) -> Result<(), Problem> {
    let stack = aws.cloudformation.stacks.get_mut(name).map(Arc::make_mut);
    let new_stack = stack.filter(|stack| stack.updated.is_none());
    let (Some((logical_id, kind, reason)), Some(stack)) = (problem.refused_resource(), new_stack)
    else {
        return Err(problem);
    };

    stack.imports.clear();
    let id = stack.id.clone();
    let made = std::mem::take(&mut stack.resources);
    let mut gone: Vec<StackResource> = made
        .into_iter()
        .filter(|resource| !resource.retained_on_create)
        .collect();
    let left = remove_in_turn(aws, &id, &mut gone);

    let stack = aws.cloudformation.stacks.get_mut(name).map(Arc::make_mut);
    if let Some(stack) = stack {
        stack.resources = gone;
        stack.failure = Some(StackFailure::Creation {
            logical_id: logical_id.to_owned(),
            kind,
            reason: reason.to_owned(),
            left,
        });
    }
    Ok(())
}

/// Removes resources, the last one first, up to one that cannot be removed, which is returned.
fn remove_in_turn(
    aws: &mut Aws,
    stack_id: &str,
    resources: &mut Vec<StackResource>,
) -> Option<String> {
    while let Some(last) = resources.pop() {
        let logical_id = last.logical_id.clone();
        if remove(aws, stack_id, vec![last.clone()]).is_err() {
            resources.push(last);
            return Some(logical_id);
        }
    }
    None
}
