//! Stacks within stacks.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Created, Desired, ResourceType, UpdateMethod};
use crate::Aws;
use crate::cloudformation::error::{At, Problem};
use crate::cloudformation::stack::{self, StackResource};
use crate::cloudformation::{items, tags};

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::CloudFormation::Stack",
    create,
    // The nested template may have changed although the properties here have not.
    update: UpdateMethod::Always(update),
    delete,
}];

fn create(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let name = desired.made_up_name(aws);
    deploy(aws, &name, desired)
}

fn update(aws: &mut Aws, old: &StackResource, desired: &Desired) -> Result<Created, Problem> {
    deploy(aws, name_of(old)?, desired)
}

fn deploy(aws: &mut Aws, name: &str, desired: &Desired) -> Result<Created, Problem> {
    let url = desired.text("TemplateURL").unwrap_or_default();
    if url.contains("://") {
        return Err(Problem::new(format!(
            "the sandbox takes a path relative to the template, found {url}"
        )))
        .at("TemplateURL");
    }

    let parameters = parameters(&desired.properties).at("Parameters")?;
    let tags = tags::of_list(items(&desired.properties[tags::PROPERTY]));
    stack::deploy(
        aws,
        name,
        Some(&desired.stack),
        &desired.folder.join(url),
        &parameters,
        Some(&tags),
    )?;
    let made = aws
        .cloudformation
        .stack(name)
        .ok_or_else(|| Problem::new("a nested stack that was just deployed is not there"))?;
    let outputs: Map<String, Value> = made
        .outputs
        .iter()
        .map(|(name, value)| (format!("Outputs.{name}"), json!(value)))
        .collect();

    Ok(Created {
        physical_id: made.id.clone(),
        attributes: outputs,
    })
}

/// Values are text; a list is handed on with commas.
fn parameters(properties: &Value) -> Result<BTreeMap<String, String>, Problem> {
    use crate::cloudformation::parameter::text;

    let given = properties
        .get("Parameters")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let value = |value: &Value| match value {
        Value::Array(items) => items
            .iter()
            .map(text)
            .collect::<Result<Vec<_>, _>>()
            .map(|items| items.join(",")),
        other => text(other),
    };
    given
        .iter()
        .map(|(name, given)| Ok((name.clone(), value(given).at(name)?)))
        .collect()
}

fn delete(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    stack::delete(aws, name_of(old)?)
}

/// The name in a stack's ARN.
fn name_of(old: &StackResource) -> Result<&str, Problem> {
    old.physical_id
        .split('/')
        .nth(1)
        .ok_or_else(|| Problem::new(format!("not the id of a stack: {}", old.physical_id)))
}
