//! EventBridge rules with their targets.

use serde_json::{Value, json};

use super::{Created, Desired, ResourceType, UpdateMethod, answered, gone};
use crate::Aws;
use crate::cloudformation::error::{At, Problem};
use crate::cloudformation::stack::StackResource;
use crate::eventbridge;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::Events::Rule",
    create,
    update: UpdateMethod::InPlace(update),
    delete,
}];

const MAX_NAME_CHARS: usize = 64;

fn create(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let name = desired.name_within(aws, "Name", MAX_NAME_CHARS);
    if desired.text("Name").is_some() && aws.events.rules.contains_key(&name) {
        // PutRule would overwrite it, but CloudFormation looks first.
        return Err(Problem::new(format!(
            "{name} already exists in stack or account"
        )));
    }
    put(aws, name, desired)
}

fn update(aws: &mut Aws, old: &StackResource, desired: &Desired) -> Result<Created, Problem> {
    super::refuse_changes(old, desired, &["Name", "EventBusName"])?;
    let kept: Vec<&Value> = target_ids(&desired.properties).collect();
    let gone: Vec<&Value> = target_ids(&old.properties)
        .filter(|id| !kept.contains(id))
        .collect();

    if !gone.is_empty() {
        eventbridge::call(
            aws,
            "RemoveTargets",
            &json!({"Rule": old.physical_id, "Ids": gone}),
        )?;
    }
    put(aws, old.physical_id.clone(), desired)
}

fn target_ids(properties: &Value) -> impl Iterator<Item = &Value> {
    properties["Targets"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|target| &target["Id"])
}

fn put(aws: &mut Aws, name: String, desired: &Desired) -> Result<Created, Problem> {
    let mut input = desired.without(&["Targets"]);
    input["Name"] = json!(name);

    if let Some(pattern) = desired.properties.get("EventPattern") {
        input["EventPattern"] = Value::String(pattern.to_string());
    }

    let answer = eventbridge::call(aws, "PutRule", &input)?;
    if let Some(targets) = desired.properties.get("Targets") {
        let answer = eventbridge::call(
            aws,
            "PutTargets",
            &json!({"Rule": name, "Targets": targets}),
        )
        .map_err(Problem::from)
        .at("Targets")?;
        if answer["FailedEntryCount"] != 0 {
            return Err(Problem::new(format!(
                "targets were refused: {}",
                answer["FailedEntries"]
            )))
            .at("Targets");
        }
    }

    Ok(Created::new(
        name,
        json!({ "Arn": answered(&answer, "/RuleArn")? }),
    ))
}

fn delete(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    let ids: Vec<&Value> = target_ids(&old.properties).collect();
    if !ids.is_empty() {
        gone(eventbridge::call(
            aws,
            "RemoveTargets",
            &json!({"Rule": old.physical_id, "Ids": ids}),
        ))?;
    }

    gone(eventbridge::call(
        aws,
        "DeleteRule",
        &json!({ "Name": old.physical_id }),
    ))
}
