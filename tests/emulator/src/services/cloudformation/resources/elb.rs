//! Load balancers, listeners, rules and target groups.

use serde_json::{Value, json};

use super::{Created, Desired, ResourceType, UpdateMethod, answered, gone};
use crate::cloudformation::error::Problem;
use crate::cloudformation::items;
use crate::cloudformation::stack::StackResource;
use crate::cloudformation::tags::PROPERTY;
use crate::{ApiError, Aws, elb};

pub(super) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::ElasticLoadBalancingV2::LoadBalancer",
        create: |aws, desired| create_named(aws, desired, elb::create_load_balancer),
        update: UpdateMethod::Refuse,
        delete: |aws, old| gone(elb::delete_load_balancer(aws, &old.physical_id)),
    },
    ResourceType {
        name: "AWS::ElasticLoadBalancingV2::TargetGroup",
        create: |aws, desired| create_named(aws, desired, elb::create_target_group),
        update: UpdateMethod::InPlace(|aws, old, desired| {
            super::refuse_changes(
                old,
                desired,
                &[
                    "Name",
                    "Port",
                    "Protocol",
                    "ProtocolVersion",
                    "TargetType",
                    "VpcId",
                ],
            )?;
            change(aws, old, desired, elb::update_target_group)
        }),
        delete: |aws, old| gone(elb::delete_target_group(aws, &old.physical_id)),
    },
    ResourceType {
        name: "AWS::ElasticLoadBalancingV2::Listener",
        create: |aws, desired| create(aws, &desired.properties, elb::create_listener),
        update: UpdateMethod::InPlace(|aws, old, desired| {
            super::refuse_changes(old, desired, &["LoadBalancerArn"])?;
            change_all(aws, old, desired, elb::update_listener)
        }),
        delete: |aws, old| gone(elb::delete_listener(aws, &old.physical_id)),
    },
    ResourceType {
        name: "AWS::ElasticLoadBalancingV2::ListenerRule",
        create: |aws, desired| create(aws, &desired.properties, elb::create_rule),
        update: UpdateMethod::InPlace(|aws, old, desired| {
            super::refuse_changes(old, desired, &["ListenerArn"])?;
            change_all(aws, old, desired, elb::update_rule)
        }),
        delete: |aws, old| gone(elb::delete_rule(aws, &old.physical_id)),
    },
];

const MAX_NAME_CHARS: usize = 32;

type Create = fn(&mut Aws, &Value) -> Result<Value, ApiError>;

fn create(aws: &mut Aws, properties: &Value, create: Create) -> Result<Created, Problem> {
    let attributes = create(aws, properties)?;
    let arn = answered(&attributes, "/Arn")?.to_owned();
    Ok(Created::new(arn, attributes))
}

/// A name that is made up has at most 32 characters: 5 of the stack, 6 of the logical id, and
/// chance.
fn create_named(aws: &mut Aws, desired: &Desired, create_this: Create) -> Result<Created, Problem> {
    let mut properties = desired.properties.clone();
    if desired.text("Name").is_none() {
        let start = |text: &str, chars: usize| text.chars().take(chars).collect::<String>();
        let name = format!(
            "{}-{}-{}",
            start(&desired.stack, 5),
            start(&desired.logical_id, 6),
            super::random(aws)
        );

        debug_assert!(name.len() <= MAX_NAME_CHARS);

        properties["Name"] = json!(name);
    }
    create(aws, &properties, create_this)
}

type SendChanges = fn(&mut Aws, &str, &Value) -> Result<(), ApiError>;

/// Sends the properties that the template changed.
fn change(
    aws: &mut Aws,
    old: &StackResource,
    desired: &Desired,
    change: SendChanges,
) -> Result<Created, Problem> {
    let names = changed(old, desired)?;
    let properties = names
        .iter()
        .map(|name| (name.clone(), desired.properties[name].clone()));
    change(aws, &old.physical_id, &properties.collect())?;
    Ok(made(aws, old, desired))
}

/// Sends all properties with the change of any, which is the worst that can happen to weights that
/// delivery has moved.
fn change_all(
    aws: &mut Aws,
    old: &StackResource,
    desired: &Desired,
    change: SendChanges,
) -> Result<Created, Problem> {
    changed(old, desired)?;
    change(aws, &old.physical_id, &desired.properties)?;
    Ok(made(aws, old, desired))
}

fn made(aws: &mut Aws, old: &StackResource, desired: &Desired) -> Created {
    change_tags(aws, old, desired);
    Created {
        physical_id: old.physical_id.clone(),
        attributes: old.attributes.clone(),
    }
}

/// Changes the tags of a load balancer, a target group or a rule, if they differ.
pub(super) fn change_tags(aws: &mut Aws, old: &StackResource, desired: &Desired) {
    let tags = &desired.properties[PROPERTY];
    if old.properties[PROPERTY] != *tags {
        elb::set_tags(aws, &old.physical_id, items(tags));
    }
}

/// The names of the properties that differ, without the tags, which other operations change.
fn changed(old: &StackResource, desired: &Desired) -> Result<Vec<String>, Problem> {
    let mut changed = super::super::stack::changed(old, desired);
    changed.retain(|name| name != PROPERTY);
    match changed
        .iter()
        .find(|name| desired.properties.get(name.as_str()).is_none())
    {
        Some(name) => Err(Problem::new(format!(
            "the sandbox does not take {name} back to its default"
        ))),
        None => Ok(changed),
    }
}
