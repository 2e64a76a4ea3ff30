//! Removes a stack, or resources of one.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::error::{At, Problem};
use super::super::{exports, resources};
use super::StackResource;
use crate::Aws;

/// Removes a stack. On an error `aws` is half-done: callers work on a copy.
pub(in super::super) fn delete(aws: &mut Aws, name: &str) -> Result<(), Problem> {
    exports::publish(&mut aws.cloudformation, name, BTreeMap::new())?;
    let stack = aws
        .cloudformation
        .stacks
        .remove(name)
        .ok_or_else(|| Problem::new(format!("Stack with id {name} does not exist")))?;

    let stack = Arc::unwrap_or_clone(stack);
    let resources = stack.resources.into_iter();
    remove(
        aws,
        &stack.id,
        resources.filter(|resource| !resource.retained).collect(),
    )
}

/// Removes resources of the stack with this id, the last made first.
pub(in super::super) fn remove(
    aws: &mut Aws,
    stack_id: &str,
    resources: Vec<StackResource>,
) -> Result<(), Problem> {
    for old in resources.iter().rev() {
        let kind = resources::find(&old.kind)?;
        stack_id.clone_into(&mut aws.cloudformation.custom.removing);
        (kind.delete)(aws, old)
            .at(&old.logical_id)
            .at("Resources")?;
    }
    Ok(())
}
