//! A resource made, or changed in place or by another one.

use std::collections::BTreeSet;

use serde_json::Map;

use crate::Aws;
use crate::cloudformation::error::Problem;
use crate::cloudformation::resources::{self, Created, Desired, ResourceType, UpdateMethod};
use crate::cloudformation::tags;

use super::StackResource;

/// Creates the resource, or leaves, changes or replaces the one that exists.
pub(super) fn make(
    aws: &mut Aws,
    kind: &ResourceType,
    desired: &Desired,
    old: Option<&StackResource>,
    replaced: &mut Vec<StackResource>,
) -> Result<Created, Problem> {
    let Some(old) = old else {
        let made = (kind.create)(aws, desired);
        return made.map_err(|problem| problem.in_properties().of_service(kind.name));
    };
    if old.kind != kind.name {
        return Err(Problem::new(format!(
            "update of resource type is not permitted, found {} where {} was",
            kind.name, old.kind
        )));
    }

    let changed = changed(old, desired);
    match kind.update {
        UpdateMethod::Always(update) => update(aws, old, desired).map_err(Problem::in_properties),
        _ if changed.is_empty() => Ok(Created {
            physical_id: old.physical_id.clone(),
            attributes: old.attributes.clone(),
        }),
        UpdateMethod::InPlace(update) => update(aws, old, desired).map_err(Problem::in_properties),
        _ if changed == [tags::PROPERTY] => {
            resources::change_tags(aws, old, desired).map_err(Problem::in_properties)
        }
        UpdateMethod::Replace => {
            let made = (kind.create)(aws, desired).map_err(Problem::in_properties)?;
            if !old.retained_on_replace {
                replaced.push(old.clone());
            }
            Ok(made)
        }
        UpdateMethod::Refuse => Err(refusal(old, desired)),
    }
}

/// Why a change of a resource is not made, with the properties that differ.
fn refusal(old: &StackResource, desired: &Desired) -> Problem {
    Problem::new(format!(
        "the sandbox does not update {} in place; changed are {}",
        old.kind,
        changed(old, desired).join(", ")
    ))
}

/// The one part of Metadata that changes a resource: which binary a function runs.
const BUILD: &str = "BuildProperties";

/// The names of the properties that differ.
pub(crate) fn changed(old: &StackResource, desired: &Desired) -> Vec<String> {
    let empty = Map::new();
    let before = old.properties.as_object().unwrap_or(&empty);
    let after = desired.properties.as_object().unwrap_or(&empty);
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();

    let mut changed: Vec<String> = names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .cloned()
        .collect();
    if old.metadata.get(BUILD) != desired.metadata.get(BUILD) {
        changed.push(format!("Metadata.{BUILD}"));
    }
    changed
}
