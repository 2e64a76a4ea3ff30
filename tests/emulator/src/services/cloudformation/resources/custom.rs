//! Custom resources: a template names their types, and a function makes them, which runs in its own
//! time. What it responded is looked up here; a request without a response ends the attempt.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Map, json};

use super::{Created, Desired, ResourceType, UpdateMethod};
use crate::Aws;
use crate::cloudformation::custom::{ANY, Wanted};
use crate::cloudformation::error::Problem;
use crate::cloudformation::stack::StackResource;

/// Whether it is a type of custom resources.
pub(super) fn is_custom(name: &str) -> bool {
    name.starts_with("Custom::") || name == "AWS::CloudFormation::CustomResource"
}

/// The type of that name, if it is one of custom resources. Each lives as long as the process.
pub(super) fn of(name: &str) -> Option<&'static ResourceType> {
    static TYPES: Mutex<BTreeMap<String, &'static ResourceType>> = Mutex::new(BTreeMap::new());

    if !is_custom(name) {
        return None;
    }
    let mut types = TYPES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = types.get(name).copied() {
        return Some(known);
    }

    let new: &'static ResourceType = Box::leak(Box::new(ResourceType {
        name: Box::leak(name.to_owned().into_boxed_str()),
        create,
        update: UpdateMethod::InPlace(update),
        delete,
    }));
    types.insert(name.to_owned(), new);
    Some(new)
}

fn create(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let wanted = wanted(aws, desired, "Create")?;
    perform(aws, wanted)
}

fn update(aws: &mut Aws, old: &StackResource, desired: &Desired) -> Result<Created, Problem> {
    let wanted = Wanted {
        old_properties: Some(old.properties.clone()),
        physical_id: Some(old.physical_id.clone()),
        ..wanted(aws, desired, "Update")?
    };
    perform(aws, wanted)
}

fn delete(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    let stack = aws.cloudformation.custom.removing.clone();
    let wanted = Wanted {
        key: (stack, old.logical_id.clone(), "Delete"),
        kind: old.kind.clone(),
        properties: old.properties.clone(),
        old_properties: None,
        physical_id: Some(old.physical_id.clone()),
    };
    perform(aws, wanted).map(drop)
}

fn wanted(aws: &Aws, desired: &Desired, request: &'static str) -> Result<Wanted, Problem> {
    let stack = aws.cloudformation.stack(&desired.stack);
    let stack = stack
        .filter(|stack| stack.parent.is_none())
        .ok_or_else(|| Problem::new("the sandbox has no custom resources in nested stacks"))?;
    Ok(Wanted {
        key: (stack.id.clone(), desired.logical_id.clone(), request),
        kind: desired.kind.to_owned(),
        properties: desired.properties.clone(),
        old_properties: None,
        physical_id: None,
    })
}

/// What the function responded.
fn perform(aws: &mut Aws, wanted: Wanted) -> Result<Created, Problem> {
    let custom = &mut aws.cloudformation.custom;
    if custom.is_plan {
        // Its attributes are not known before it is made. Policies take this one.
        let attributes = Map::from_iter([(ANY.to_owned(), json!("*"))]);
        return Ok(Created {
            physical_id: wanted.physical_id.unwrap_or_default(),
            attributes,
        });
    }

    match custom.responses.get(&wanted.key) {
        Some(Ok(made)) => Ok(made.clone()),
        Some(Err(reason)) => Err(Problem::new(reason)),
        None => {
            custom.wanted = Some(wanted);
            Err(Problem::new("a custom resource has not responded yet"))
        }
    }
}
