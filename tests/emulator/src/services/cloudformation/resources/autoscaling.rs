//! Scalable targets and scaling policies of Application Auto Scaling.

use serde_json::{Value, json};

use super::{Created, Desired, ResourceType, UpdateMethod, answered, gone, refuse_changes};
use crate::Aws;
use crate::autoscaling;
use crate::cloudformation::error::Problem;
use crate::cloudformation::stack::StackResource;

pub(super) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::ApplicationAutoScaling::ScalableTarget",
        create: register,
        update: UpdateMethod::InPlace(|aws, old, desired| {
            refuse_changes(
                old,
                desired,
                &["ResourceId", "ScalableDimension", "ServiceNamespace"],
            )?;
            register(aws, desired)
        }),
        delete: |aws, old| remove(aws, "DeregisterScalableTarget", &old.physical_id, None),
    },
    ResourceType {
        name: "AWS::ApplicationAutoScaling::ScalingPolicy",
        create: put,
        update: UpdateMethod::InPlace(|aws, old, desired| {
            let fixed = [
                "PolicyName",
                "ResourceId",
                "ScalableDimension",
                "ScalingTargetId",
                "ServiceNamespace",
            ];
            refuse_changes(old, desired, &fixed)?;
            put(aws, desired)
        }),
        delete: delete_policy,
    },
];

/// The three properties that name a scalable target, in the order in which its id has them.
const IDENTITY: [&str; 3] = ["ResourceId", "ScalableDimension", "ServiceNamespace"];

/// A property that the template leaves out is not sent, so that an update leaves it as it is.
fn register(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    autoscaling::call(aws, "RegisterScalableTarget", &desired.properties)?;
    let id = IDENTITY
        .map(|name| desired.text(name).unwrap_or_default())
        .join("|");
    Ok(Created::new(id.clone(), json!({ "Id": id })))
}

fn put(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let mut input = desired.without(&["ScalingTargetId"]);
    identify(&mut input, &desired.properties)?;
    let answer = autoscaling::call(aws, "PutScalingPolicy", &input)?;
    let arn = answered(&answer, "/PolicyARN")?;
    Ok(Created::new(arn, json!({ "Arn": arn })))
}

fn delete_policy(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    let mut input = json!({});
    identify(&mut input, &old.properties)?;
    let id = IDENTITY
        .map(|name| input[name].as_str().unwrap_or_default())
        .join("|");

    remove(
        aws,
        "DeleteScalingPolicy",
        &id,
        old.properties["PolicyName"].as_str(),
    )
}

/// Names the scalable target of a policy, which is given by its id or by its three parts.
fn identify(input: &mut Value, properties: &Value) -> Result<(), Problem> {
    let wrong = || {
        Problem::new(
            "Either ScalingTargetId or all three of [ResourceId, ScalableDimension, \
            ServiceNamespace] must be specified",
        )
    };
    let given: Vec<&str> = IDENTITY
        .iter()
        .filter_map(|name| properties[*name].as_str())
        .collect();
    let parts = match properties["ScalingTargetId"].as_str() {
        Some(id) if given.is_empty() => id.split('|').collect(),
        None => given,
        Some(_) => return Err(wrong()),
    };
    if parts.len() != IDENTITY.len() {
        return Err(wrong());
    }

    IDENTITY
        .iter()
        .zip(parts)
        .for_each(|(name, part)| input[*name] = part.into());
    Ok(())
}

fn remove(aws: &mut Aws, operation: &str, id: &str, policy: Option<&str>) -> Result<(), Problem> {
    let parts = IDENTITY
        .into_iter()
        .zip(id.split('|'))
        .map(|(name, part)| (name.to_owned(), json!(part)));
    let mut input: Value = Value::Object(parts.collect());
    if let Some(policy) = policy {
        input["PolicyName"] = policy.into();
    }
    gone(autoscaling::call(aws, operation, &input))
}
