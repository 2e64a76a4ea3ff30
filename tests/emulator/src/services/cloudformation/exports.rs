//! Exports: what stacks offer to each other, once per name and for as long as someone uses it.

use std::collections::BTreeMap;

use super::CloudFormation;
use super::error::Problem;
use super::stack::Export;

/// Replaces the exports of one stack.
pub(super) fn publish(
    state: &mut CloudFormation,
    stack: &str,
    exported: BTreeMap<String, String>,
) -> Result<(), Problem> {
    let used_by = |name: &str| {
        state
            .stacks
            .values()
            .find(|other| other.name != stack && other.imports.contains(name))
    };
    for (name, old) in state
        .exports
        .iter()
        .filter(|(_, export)| export.stack == stack)
    {
        match (exported.get(name), used_by(name)) {
            (None, Some(user)) => {
                return Err(Problem::new(format!(
                    "Export {name} cannot be deleted as it is in use by {}",
                    user.name
                )));
            }
            (Some(new), Some(user)) if *new != old.value => {
                return Err(Problem::new(format!(
                    "Export {name} cannot be updated as it is in use by {}",
                    user.name
                )));
            }
            _ => {}
        }
    }
    let taken = exported.keys().find(|name| {
        state
            .exports
            .get(*name)
            .is_some_and(|export| export.stack != stack)
    });
    if let Some(name) = taken {
        return Err(Problem::new(format!(
            "Export with name {name} is already exported by stack {}",
            state.exports[name].stack
        )));
    }
    state.exports.retain(|_, export| export.stack != stack);
    for (name, value) in exported {
        state.exports.insert(
            name,
            Export {
                value,
                stack: stack.to_owned(),
            },
        );
    }
    Ok(())
}
