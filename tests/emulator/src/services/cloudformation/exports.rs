//! Exports: values that stacks offer to each other. A name is unique, and an export stays while it
//! is imported.

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
    refuse_changes_in_use(state, stack, &exported)?;
    refuse_taken_names(state, stack, &exported)?;

    state.exports.retain(|_, export| export.stack != stack);
    for (name, value) in exported {
        let stack = stack.to_owned();
        state.exports.insert(name, Export { value, stack });
    }
    Ok(())
}

fn refuse_changes_in_use(
    state: &CloudFormation,
    stack: &str,
    exported: &BTreeMap<String, String>,
) -> Result<(), Problem> {
    let own = state
        .exports
        .iter()
        .filter(|(_, export)| export.stack == stack);
    for (name, old) in own {
        let change = match exported.get(name) {
            None => "deleted",
            Some(new) if *new != old.value => "updated",
            Some(_) => continue,
        };
        let user = state
            .stacks
            .values()
            .find(|other| other.name != stack && other.imports.contains(name));
        if let Some(user) = user {
            return Err(Problem::new(format!(
                "Export {name} cannot be {change} as it is in use by {}",
                user.name
            )));
        }
    }
    Ok(())
}

fn refuse_taken_names(
    state: &CloudFormation,
    stack: &str,
    exported: &BTreeMap<String, String>,
) -> Result<(), Problem> {
    for name in exported.keys() {
        if let Some(other) = state
            .exports
            .get(name)
            .filter(|export| export.stack != stack)
        {
            return Err(Problem::new(format!(
                "Export with name {name} is already exported by stack {}",
                other.stack
            )));
        }
    }
    Ok(())
}
