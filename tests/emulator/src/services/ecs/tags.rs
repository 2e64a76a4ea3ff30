//! Tags of services, task definitions, clusters and tasks.

use serde_json::{Value, json};

use crate::{ApiError, Aws};

use super::input::CheckedInput;
use super::{Ecs, invalid};
use crate::tags::TagRules;
use crate::text::short_name;

/// Source: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html>
const RULES: TagRules = TagRules {
    key: "key",
    value: "value",
    least_value_chars: 0,
    refuse: |fault| Some(invalid(fault.to_string())),
};

pub(super) fn tag(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let added = input.list("tags");
    check(added)?;
    let tags = tags_of(&mut aws.ecs, input)?;
    let mut merged = tags.clone();
    merged.retain(|tag| added.iter().all(|other| other["key"] != tag["key"]));
    merged.extend_from_slice(added);
    check(&merged)?;
    *tags = merged;

    Ok(json!({}))
}

pub(super) fn untag(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let keys = input.texts("tagKeys");
    tags_of(&mut aws.ecs, input)?
        .retain(|tag| tag["key"].as_str().is_none_or(|key| !keys.contains(&key)));
    Ok(json!({}))
}

pub(super) fn list(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    Ok(json!({"tags": tags_of(&mut aws.ecs, input)?}))
}

impl Ecs {
    /// The tags of the resource with this ARN; none when it does not exist.
    pub fn tags_on(&self, arn: &str) -> &[Value] {
        let tags = match kind(arn) {
            "cluster" => self
                .clusters
                .get(short_name(arn))
                .map(|cluster| &cluster.tags),
            "service" => self.services.get(arn).map(|service| &service.tags),
            "task" => self.tasks.get(arn).map(|task| &task.tags),
            "task-definition" => self.definition(arn).map(|definition| &definition.tags),
            _ => None,
        };
        tags.map_or(&[], Vec::as_slice)
    }
}

/// Refuses tags that no resource may have.
pub(super) fn check(tags: &[Value]) -> Result<(), ApiError> {
    RULES.check(tags)
}

/// What an ARN is of: `service`, `task`.
fn kind(arn: &str) -> &str {
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    resource.split('/').next().unwrap_or_default()
}

fn tags_of<'a>(ecs: &'a mut Ecs, input: &CheckedInput) -> Result<&'a mut Vec<Value>, ApiError> {
    let arn = input
        .text("resourceArn")
        .ok_or_else(|| invalid("The resource ARN cannot be empty."))?;
    let tags = match kind(arn) {
        "cluster" => ecs
            .clusters
            .get_mut(short_name(arn))
            .map(|cluster| &mut cluster.tags),
        "service" => ecs.services.get_mut(arn).map(|service| &mut service.tags),
        "task" => ecs.tasks.get_mut(arn).map(|task| &mut task.tags),
        "task-definition" => ecs
            .definition_mut(arn)
            .map(|definition| &mut definition.tags),
        _ => return Err(invalid(format!("Invalid resource ARN: {arn}"))),
    };

    tags.ok_or_else(|| match kind(arn) {
        "cluster" => ApiError::client("ClusterNotFoundException", "Cluster not found."),
        _ => invalid(
            "The specified resource is inactive or does not exist. Specify an active \
            resource and try again.",
        ),
    })
}
