//! Scalable targets: services that were registered, with their bounds and the kinds of scaling that
//! are suspended.

use serde_json::{Value, json};

use super::input::{self, check_namespace, only, page};
use super::{
    DIMENSION, NAMESPACE, ScalableTarget, Suspended, bounds, iam, names, not_found, service,
    validation,
};
use crate::input::Input;
use crate::{ApiError, Aws};

const REGISTERED: [&str; 7] = [
    "ServiceNamespace",
    "ResourceId",
    "ScalableDimension",
    "MinCapacity",
    "MaxCapacity",
    "RoleARN",
    "SuspendedState",
];
const DESCRIBED: [&str; 5] = [
    "ServiceNamespace",
    "ResourceIds",
    "ScalableDimension",
    "MaxResults",
    "NextToken",
];

/// Registers a service, or changes the members that are given of one that is registered. Either way
/// its count is soon compared with the bounds, whatever was given.
pub(super) fn register(aws: &mut Aws, input: &Input) -> Result<Value, ApiError> {
    only(input, &REGISTERED)?;
    let id = input::resource_id(input)?;
    if service(aws, id).is_none() {
        return Err(validation(format!("ECS service doesn't exist: {id}")));
    }
    if let Some((cluster, name)) = names(id) {
        iam::check_caller(aws, cluster, name)?;
    }

    let old = aws.autoscaling.targets.get(id).cloned();
    let (min, max) = capacities(input, old.as_ref())?;
    let suspended = suspended(
        input,
        old.as_ref().map(|old| old.suspended).unwrap_or_default(),
    )?;
    let target = match old {
        Some(old) => ScalableTarget {
            min,
            max,
            suspended,
            ..old
        },
        None => {
            let hex = aws.hex(36);
            let arn = aws.arn("application-autoscaling", &format!("scalable-target/{hex}"));

            ScalableTarget {
                arn,
                resource_id: id.to_owned(),
                min,
                max,
                suspended,
                created_at: aws.now,
            }
        }
    };
    let answer = json!({ "ScalableTargetARN": target.arn });

    aws.autoscaling.targets.insert(id.to_owned(), target);
    bounds::keep_soon(aws, id);
    Ok(answer)
}

/// The minimum and the maximum capacity, in order. What is not given is that of the old target.
fn capacities(input: &Input, old: Option<&ScalableTarget>) -> Result<(u32, u32), ApiError> {
    let min = capacity(input, "MinCapacity", "Minimum", old.map(|old| old.min))?;
    let max = capacity(input, "MaxCapacity", "Maximum", old.map(|old| old.max))?;
    if max < min {
        return Err(validation(
            "Maximum capacity cannot be less than minimum capacity",
        ));
    }
    Ok((min, max))
}

fn capacity(input: &Input, member: &str, which: &str, old: Option<u32>) -> Result<u32, ApiError> {
    match (input.integer(member)?, old) {
        (Some(given), _) => u32::try_from(given).map_err(|_| {
            validation(format!(
                "{which} capacity cannot be less than 0 for service namespace ecs"
            ))
        }),
        (None, Some(old)) => Ok(old),
        (None, None) => Err(validation(format!(
            "{which} capacity must be specified to register a scalable target"
        ))),
    }
}

/// The flags that are not given stay as they are.
fn suspended(input: &Input, old: Suspended) -> Result<Suspended, ApiError> {
    let Some(given) = input.object("SuspendedState")? else {
        return Ok(old);
    };

    let given = Value::Object(given.clone());
    let given = Input::new(&given);
    only(
        &given,
        &[
            "DynamicScalingInSuspended",
            "DynamicScalingOutSuspended",
            "ScheduledScalingSuspended",
        ],
    )?;

    Ok(Suspended {
        dynamic_in: given
            .flag("DynamicScalingInSuspended")?
            .unwrap_or(old.dynamic_in),
        dynamic_out: given
            .flag("DynamicScalingOutSuspended")?
            .unwrap_or(old.dynamic_out),
        scheduled: given
            .flag("ScheduledScalingSuspended")?
            .unwrap_or(old.scheduled),
    })
}

pub(super) fn describe(aws: &Aws, input: &Input) -> Result<Value, ApiError> {
    only(input, &DESCRIBED)?;
    check_namespace(input)?;
    let ids = input.texts("ResourceIds")?;
    let dimension = input.text("ScalableDimension")?;
    if dimension.is_some() && ids.is_empty() {
        return Err(validation(
            "ResourceIds must be specified when ScalableDimension is specified",
        ));
    }

    let wanted = |target: &&ScalableTarget| {
        (ids.is_empty() || ids.contains(&target.resource_id.as_str()))
            && dimension.is_none_or(|it| it == DIMENSION)
    };
    let described = aws
        .autoscaling
        .targets
        .values()
        .filter(wanted)
        .map(|target| description(aws, target))
        .collect();
    page(aws, input, "ScalableTargets", described)
}

fn description(aws: &Aws, target: &ScalableTarget) -> Value {
    let role = "aws-service-role/ecs.application-autoscaling.amazonaws.com/\
        AWSServiceRoleForApplicationAutoScaling_ECSService";
    let Suspended {
        dynamic_in,
        dynamic_out,
        scheduled,
    } = target.suspended;

    json!({
        "ServiceNamespace": NAMESPACE, "ResourceId": target.resource_id,
        "ScalableDimension": DIMENSION, "MinCapacity": target.min, "MaxCapacity": target.max,
        "RoleARN": aws.global_arn("iam", &format!("role/{role}")),
        "CreationTime": Aws::seconds(target.created_at),
        "ScalableTargetARN": target.arn,
        "SuspendedState": {
            "DynamicScalingInSuspended": dynamic_in,
            "DynamicScalingOutSuspended": dynamic_out,
            "ScheduledScalingSuspended": scheduled,
        },
    })
}

/// The policies go with their target.
pub(super) fn deregister(aws: &mut Aws, input: &Input) -> Result<Value, ApiError> {
    only(
        input,
        &["ServiceNamespace", "ResourceId", "ScalableDimension"],
    )?;
    let id = input::resource_id(input)?;
    let unknown = || not_found(format!("No scalable target found for {}", place(id)));
    aws.autoscaling.targets.remove(id).ok_or_else(unknown)?;
    aws.autoscaling.policies.retain(|(of, _), _| of != id);

    Ok(json!({}))
}

/// A target as errors name it.
pub(super) fn place(id: &str) -> String {
    format!("service namespace: {NAMESPACE}, resource ID: {id}, scalable dimension: {DIMENSION}")
}
