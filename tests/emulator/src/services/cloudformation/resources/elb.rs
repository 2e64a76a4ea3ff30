//! Load balancers, listeners, rules and target groups.

use serde_json::{Value, json};

use super::{Made, ResourceType, Update, Wish, answered, gone};
use crate::cloudformation::error::Problem;
use crate::cloudformation::stack::StackResource;
use crate::{ApiError, Aws, elb};

pub(super) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::ElasticLoadBalancingV2::LoadBalancer",
        create: |aws, wish| create_named(aws, wish, elb::create_load_balancer),
        update: Update::Refuse,
        delete: |aws, old| gone(elb::delete_load_balancer(aws, &old.physical_id)),
    },
    ResourceType {
        name: "AWS::ElasticLoadBalancingV2::TargetGroup",
        create: |aws, wish| create_named(aws, wish, elb::create_target_group),
        update: Update::InPlace(|aws, old, wish| {
            super::refuse_changes(
                old,
                wish,
                &[
                    "Name",
                    "Port",
                    "Protocol",
                    "ProtocolVersion",
                    "TargetType",
                    "VpcId",
                ],
            )?;
            change(aws, old, wish, elb::update_target_group)
        }),
        delete: |aws, old| gone(elb::delete_target_group(aws, &old.physical_id)),
    },
    ResourceType {
        name: "AWS::ElasticLoadBalancingV2::Listener",
        create: |aws, wish| create(aws, &wish.properties, elb::create_listener),
        update: Update::InPlace(|aws, old, wish| {
            super::refuse_changes(old, wish, &["LoadBalancerArn"])?;
            change_all(aws, old, wish, elb::update_listener)
        }),
        delete: |aws, old| gone(elb::delete_listener(aws, &old.physical_id)),
    },
    ResourceType {
        name: "AWS::ElasticLoadBalancingV2::ListenerRule",
        create: |aws, wish| create(aws, &wish.properties, elb::create_rule),
        update: Update::InPlace(|aws, old, wish| {
            super::refuse_changes(old, wish, &["ListenerArn"])?;
            change_all(aws, old, wish, elb::update_rule)
        }),
        delete: |aws, old| gone(elb::delete_rule(aws, &old.physical_id)),
    },
];

const MAX_NAME_CHARS: usize = 32;

type Create = fn(&mut Aws, &Value) -> Result<Value, ApiError>;

fn create(aws: &mut Aws, properties: &Value, create: Create) -> Result<Made, Problem> {
    let attributes = create(aws, properties)?;
    let arn = answered(&attributes, "/Arn")?.to_owned();
    Ok(Made::new(arn, attributes))
}

/// A name that is made up has at most 32 characters: 5 of the stack, 6 of the logical id, and
/// chance.
fn create_named(aws: &mut Aws, wish: &Wish, create_this: Create) -> Result<Made, Problem> {
    let mut properties = wish.properties.clone();
    if wish.text("Name").is_none() {
        let start = |text: &str, chars: usize| text.chars().take(chars).collect::<String>();
        let name = format!(
            "{}-{}-{}",
            start(&wish.stack, 5),
            start(&wish.logical_id, 6),
            super::random(aws)
        );

        debug_assert!(name.len() <= MAX_NAME_CHARS);

        properties["Name"] = json!(name);
    }
    create(aws, &properties, create_this)
}

type Change = fn(&mut Aws, &str, &Value) -> Result<(), ApiError>;

/// Sends the properties that the template changed.
fn change(
    aws: &mut Aws,
    old: &StackResource,
    wish: &Wish,
    change: Change,
) -> Result<Made, Problem> {
    let names = changed(old, wish)?;
    send(
        aws,
        old,
        &names
            .iter()
            .map(|name| (name.clone(), wish.properties[name].clone()))
            .collect(),
        change,
    )
}

/// Sends all properties with the change of any, which is the worst that can happen to weights that
/// delivery has moved.
fn change_all(
    aws: &mut Aws,
    old: &StackResource,
    wish: &Wish,
    change: Change,
) -> Result<Made, Problem> {
    changed(old, wish)?;
    send(aws, old, &wish.properties, change)
}

fn send(
    aws: &mut Aws,
    old: &StackResource,
    properties: &Value,
    change: Change,
) -> Result<Made, Problem> {
    change(aws, &old.physical_id, properties)?;
    Ok(Made {
        physical_id: old.physical_id.clone(),
        attributes: old.attributes.clone(),
    })
}

/// The names of the properties that differ.
fn changed(old: &StackResource, wish: &Wish) -> Result<Vec<String>, Problem> {
    let changed = super::super::stack::changed(old, wish);
    match changed
        .iter()
        .find(|name| wish.properties.get(name.as_str()).is_none())
    {
        Some(name) => Err(Problem::new(format!(
            "the sandbox does not take {name} back to its default"
        ))),
        None => Ok(changed),
    }
}
