//! The resource types that can be deployed: how each is created, updated and deleted. Their
//! properties are in `properties.json`.

mod autoscaling;
mod codebuild;
mod codepipeline;
mod custom;
mod dynamodb;
mod ecr;
mod ecs;
mod ecs_service;
mod ecs_task_definition;
mod elb;
mod events;
mod iam;
mod iam_policy;
mod lambda;
mod nested;
mod passive;
mod policy_document;
mod route53;
mod s3;
mod stub_resources;
mod trust;

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::error::Problem;
use super::stack::StackResource;
use crate::{ApiError, Aws};

/// A type of resource.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResourceType {
    pub(super) name: &'static str,
    pub(super) create: fn(&mut Aws, &Desired) -> Result<Created, Problem>,
    pub(super) update: UpdateMethod,
    pub(super) delete: fn(&mut Aws, &StackResource) -> Result<(), Problem>,
}

type UpdateFunction = fn(&mut Aws, &StackResource, &Desired) -> Result<Created, Problem>;

/// What happens when the properties of a resource change.
#[derive(Clone, Copy, Debug)]
pub(super) enum UpdateMethod {
    /// The service changes it.
    InPlace(UpdateFunction),
    /// A new one is made; the old one is removed at the end.
    Replace,
    /// It is updated with every update of the stack, changed or not.
    Always(UpdateFunction),
    Refuse,
}

/// A resource as it should be.
#[derive(Clone, Debug)]
pub(super) struct Desired {
    /// The name of its type.
    pub(super) kind: &'static str,
    pub(super) stack: String,
    pub(super) logical_id: String,
    /// The folder of the template.
    pub(super) folder: PathBuf,
    pub(super) metadata: Map<String, Value>,
    /// Resolved and fitted to the type's properties.
    pub(super) properties: Value,
}

/// A resource as created or updated.
#[derive(Clone, Debug)]
pub(super) struct Created {
    pub(super) physical_id: String,
    pub(super) attributes: Map<String, Value>,
}

impl Created {
    fn new(physical_id: impl Into<String>, attributes: Value) -> Self {
        let attributes = if let Value::Object(attributes) = attributes {
            attributes
        } else {
            Map::new()
        };
        Self {
            physical_id: physical_id.into(),
            attributes,
        }
    }
}

impl Desired {
    fn text(&self, property: &str) -> Option<&str> {
        self.properties.get(property).and_then(Value::as_str)
    }

    /// The name that the template gives, or one made of stack, logical id and chance, as
    /// CloudFormation makes them up.
    fn name(&self, aws: &mut Aws, property: &str) -> String {
        match self.text(property) {
            Some(name) => name.to_owned(),
            None => self.made_up_name(aws),
        }
    }

    /// A name made of stack, logical id and chance.
    fn made_up_name(&self, aws: &mut Aws) -> String {
        format!("{}-{}-{}", self.stack, self.logical_id, random(aws))
    }

    /// Like `name`, with a made-up name cut to the limit before its random end.
    fn name_within(&self, aws: &mut Aws, property: &str, max_chars: usize) -> String {
        let mut name = self.name(aws, property);
        if self.text(property).is_none() {
            let end = name.split_off(name.len() - RANDOM_CHARS - 1);
            name.truncate(max_chars - end.len());
            name += &end;
        }
        name
    }

    /// The properties without some of them.
    fn without(&self, names: &[&str]) -> Value {
        let mut properties = self.properties.clone();
        if let Value::Object(entries) = &mut properties {
            entries.retain(|name, _| !names.contains(&name.as_str()));
        }
        properties
    }
}

const RANDOM_CHARS: usize = 12;

/// The random end of a name that is made up: capital letters and digits.
fn random(aws: &mut Aws) -> String {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    (0..RANDOM_CHARS)
        .map(|_| char::from(digits[aws.rng.usize(0..digits.len())]))
        .collect()
}

/// A member of a service's response.
fn answered<'a>(answer: &'a Value, pointer: &str) -> Result<&'a str, Problem> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.ok_or_else(|| Problem::new(format!("the service's answer has no {pointer}: {answer}")))
}

/// A thing that must be gone is gone, whether it was there or not.
fn gone<T>(result: Result<T, ApiError>) -> Result<(), Problem> {
    match result {
        Err(error) if error.code.contains("NotFound") => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}

/// Changes of these properties would replace the resource, which the sandbox does not do.
fn refuse_changes(
    old: &StackResource,
    desired: &Desired,
    properties: &[&str],
) -> Result<(), Problem> {
    let changed = super::stack::changed(old, desired);
    let fixed: Vec<&str> = changed
        .iter()
        .map(String::as_str)
        .filter(|name| properties.contains(name))
        .collect();
    if fixed.is_empty() {
        return Ok(());
    }

    Err(Problem::new(format!(
        "a change of {} would replace {} {}, which the sandbox does not do",
        fixed.join(", "),
        old.kind,
        old.physical_id
    )))
}

/// Whether it is a type of custom resources, whose properties are the template's.
pub(super) fn is_custom(name: &str) -> bool {
    custom::is_custom(name)
}

/// Changes the tags of a thing that is otherwise not changed in place.
pub(super) fn change_tags(
    aws: &mut Aws,
    old: &StackResource,
    desired: &Desired,
) -> Result<Created, Problem> {
    match old.kind.as_str() {
        "AWS::ECS::Cluster" | "AWS::ECS::TaskDefinition" => ecs::change_tags(aws, old, desired)?,
        _ => elb::change_tags(aws, old, desired),
    }
    Ok(Created {
        physical_id: old.physical_id.clone(),
        attributes: old.attributes.clone(),
    })
}

/// The resource type of that name.
pub(super) fn find(name: &str) -> Result<&'static ResourceType, Problem> {
    let groups: [&'static [ResourceType]; 18] = [
        autoscaling::TYPES,
        codebuild::TYPES,
        codepipeline::TYPES,
        dynamodb::TYPES,
        ecr::TYPES,
        ecs::TYPES,
        ecs_service::TYPES,
        ecs_task_definition::TYPES,
        elb::TYPES,
        events::TYPES,
        iam::TYPES,
        iam_policy::TYPES,
        lambda::TYPES,
        nested::TYPES,
        passive::TYPES,
        route53::TYPES,
        s3::TYPES,
        stub_resources::TYPES,
    ];
    let found = groups.into_iter().flatten().find(|kind| kind.name == name);
    let found = found.or_else(|| custom::of(name));
    found.ok_or_else(|| Problem::new(format!("unknown resource type {name}")))
}
