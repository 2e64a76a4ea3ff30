//! Task definitions. They stay opaque: what was registered is kept as it was sent, unknown fields
//! included.

use serde_json::{Map, Value, json};

use crate::nulls::remove_nulls;
use crate::text::short_name;
use crate::{ApiError, Aws, Millis};

use super::definition_network::network_mode;
use super::input::CheckedInput;
use super::{Ecs, client_error, definition_rules, describe_definitions, invalid, tags};

/// Members that only ECS writes; in a request they are ignored.
const READ_ONLY: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
];

/// The largest task definition, in bytes of JSON.
const MOST_BYTES: usize = 64 * 1024;

#[derive(Clone, Debug)]
pub(super) struct TaskDefinition {
    pub(super) arn: String,
    pub(super) revision: usize,
    pub(super) active: bool,
    /// The request as it came, to the last member.
    pub(super) request: Value,
    /// The registered JSON without tags.
    pub(super) json: Map<String, Value>,
    pub(super) tags: Vec<Value>,
    pub(super) registered_at: Millis,
    /// The ARN of the caller.
    pub(super) registered_by: String,
    pub(super) deregistered_at: Option<Millis>,
}

impl TaskDefinition {
    pub(super) fn network_mode(&self) -> &str {
        network_mode(&self.json)
    }

    pub(super) fn containers(&self) -> &[Value] {
        let containers = self.json.get("containerDefinitions");
        containers
            .and_then(Value::as_array)
            .map_or(&[], Vec::as_slice)
    }
}

impl Ecs {
    /// What RegisterTaskDefinition was sent for a task definition, which is named as in any other
    /// request.
    pub fn request_of(&self, definition: &str) -> Option<&Value> {
        Some(&self.definition(definition)?.request)
    }

    /// Whether a task definition is there and not deregistered.
    pub fn is_active(&self, definition: &str) -> bool {
        self.definition(definition)
            .is_some_and(|definition| definition.active)
    }

    /// The ARNs of all task definitions, in order of family and revision.
    pub fn definition_arns(&self) -> impl Iterator<Item = &str> {
        self.families
            .values()
            .flatten()
            .map(|definition| definition.arn.as_str())
    }

    /// A task definition by family (the newest ACTIVE revision), `family:revision` or ARN.
    pub(super) fn definition(&self, name: &str) -> Option<&TaskDefinition> {
        let name = if name.starts_with("arn:") {
            name.rsplit('/').next()?
        } else {
            name
        };
        match name.split_once(':') {
            Some((family, revision)) => self
                .families
                .get(family)?
                .get(revision.parse::<usize>().ok()?.checked_sub(1)?),
            None => self
                .families
                .get(name)?
                .iter()
                .rev()
                .find(|definition| definition.active),
        }
    }

    /// The ARN of a task definition given as for `definition`.
    pub fn definition_arn(&self, name: &str) -> Option<&str> {
        self.definition(name)
            .map(|definition| definition.arn.as_str())
    }

    /// The ARN of the principal that registered a task definition.
    pub fn registrant_of(&self, name: &str) -> Option<&str> {
        self.definition(name)
            .map(|definition| definition.registered_by.as_str())
    }

    /// The roles of a task definition: of its tasks and of the agent that starts them.
    pub fn roles_of(&self, name: &str) -> impl Iterator<Item = &str> {
        let definition = self.definition(name);
        ["taskRoleArn", "executionRoleArn"]
            .into_iter()
            .filter_map(move |member| definition?.json.get(member)?.as_str())
    }

    pub(super) fn definition_mut(&mut self, arn: &str) -> Option<&mut TaskDefinition> {
        let (family, revision) = arn.rsplit('/').next()?.split_once(':')?;
        self.families
            .get_mut(family)?
            .get_mut(revision.parse::<usize>().ok()?.checked_sub(1)?)
    }
}

pub(super) fn register(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    definition_rules::check(input)?;
    tags::check(input.list("tags"))?;
    let mut json = input.0.clone();
    json.retain(|member, _| member != "tags" && !READ_ONLY.contains(&member.as_str()));
    remove_nulls(&mut json);
    if serde_json::to_string(&json).map_or(0, |text| text.len()) > MOST_BYTES {
        return Err(client_error(
            "Actual length: the task definition exceeds the maximum size of 65536 bytes.",
        ));
    }

    let family = input
        .text("family")
        .expect("the family was checked")
        .to_owned();
    let revision = aws.ecs.families.get(&family).map_or(0, Vec::len) + 1;
    let arn = aws.arn("ecs", &format!("task-definition/{family}:{revision}"));
    let tags = input.list("tags").to_vec();
    let definition = TaskDefinition {
        arn,
        revision,
        active: true,
        request: Value::Object(input.0.clone()),
        json,
        tags,
        registered_at: aws.now,
        registered_by: aws.iam.principal.arn(aws),
        deregistered_at: None,
    };
    let answer = with_tags(
        describe_definitions::view(&definition),
        &definition,
        !definition.tags.is_empty(),
    );

    aws.ecs.families.entry(family).or_default().push(definition);
    Ok(answer)
}

pub(super) fn describe(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let include_tags = input.includes_tags(&[])?;
    let name = input
        .text("taskDefinition")
        .ok_or_else(|| client_error("Task definition can not be blank."))?;
    let definition = aws
        .ecs
        .definition(name)
        .ok_or_else(|| client_error("Unable to describe task definition."))?;

    Ok(with_tags(
        describe_definitions::view(definition),
        definition,
        include_tags,
    ))
}

pub(super) fn deregister(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let name = input
        .text("taskDefinition")
        .ok_or_else(|| client_error("Task definition can not be blank."))?;
    if !short(name).contains(':') {
        return Err(client_error("Revision is missing."));
    }

    let arn = aws
        .ecs
        .definition(name)
        .map(|definition| definition.arn.clone());
    let arn = arn.ok_or_else(|| {
        client_error(
            "The specified task definition does not exist. Specify a valid account, family, \
             revision and try again.",
        )
    })?;
    let now = aws.now;
    let definition = aws
        .ecs
        .definition_mut(&arn)
        .expect("the definition was just found");
    definition.active = false;
    definition.deregistered_at.get_or_insert(now);

    let definition = definition.clone();
    Ok(with_tags(
        describe_definitions::view(&definition),
        &definition,
        false,
    ))
}

pub(super) fn list(aws: &mut Aws, input: &CheckedInput) -> Result<Value, ApiError> {
    let active = match input.text("status").unwrap_or("ACTIVE") {
        "ACTIVE" => true,
        "INACTIVE" => false,
        other => return Err(invalid(format!("Invalid status {other}"))),
    };
    let family = input.text("familyPrefix");
    let families = aws
        .ecs
        .families
        .iter()
        .filter(|(name, _)| family.is_none_or(|family| family == *name));
    let definitions = families.flat_map(|(_, revisions)| revisions);

    let mut arns: Vec<String> = definitions
        .filter(|definition| definition.active == active)
        .map(|definition| definition.arn.clone())
        .collect();
    match input.text("sort").unwrap_or("ASC") {
        "ASC" => {}
        "DESC" => arns.reverse(),
        other => return Err(invalid(format!("Invalid sort {other}"))),
    }
    input.page(aws, "taskDefinitionArns", arns, 100)
}

/// The definition that a service or task would use. An inactive one is refused.
pub(super) fn usable<'a>(aws: &'a Aws, name: &str) -> Result<&'a TaskDefinition, ApiError> {
    let definition = aws
        .ecs
        .definition(name)
        .filter(|definition| aws.stale.finds(definition.registered_at, aws.now))
        .ok_or_else(|| client_error("TaskDefinition not found."))?;
    if definition.active {
        Ok(definition)
    } else {
        Err(client_error("TaskDefinition is inactive"))
    }
}

fn short(name: &str) -> &str {
    if name.starts_with("arn:") {
        short_name(name)
    } else {
        name
    }
}

fn with_tags(answer: Value, definition: &TaskDefinition, include: bool) -> Value {
    let mut output = json!({"taskDefinition": answer});
    if include {
        output["tags"] = definition.tags.clone().into();
    }
    output
}
