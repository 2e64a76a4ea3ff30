//! Scalable targets and scaling policies of Application Auto Scaling.

use serde_json::{Value, json};

use super::{Made, ResourceType, Update, Wish, answered, gone, refuse_changes};
use crate::Aws;
use crate::autoscaling;
use crate::cloudformation::error::Problem;
use crate::cloudformation::schema::Kind::{self, Boolean, Integer, List, Number, Object, Text};
use crate::cloudformation::schema::{may, need};
use crate::cloudformation::stack::StackResource;

pub(super) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::ApplicationAutoScaling::ScalableTarget",
        properties: TARGET,
        create: register,
        update: Update::InPlace(|aws, old, wish| {
            refuse_changes(
                old,
                wish,
                &["ResourceId", "ScalableDimension", "ServiceNamespace"],
            )?;
            register(aws, wish)
        }),
        delete: |aws, old| remove(aws, "DeregisterScalableTarget", &old.physical_id, None),
    },
    ResourceType {
        name: "AWS::ApplicationAutoScaling::ScalingPolicy",
        properties: POLICY,
        create: put,
        update: Update::InPlace(|aws, old, wish| {
            let fixed = [
                "PolicyName",
                "ResourceId",
                "ScalableDimension",
                "ScalingTargetId",
                "ServiceNamespace",
            ];
            refuse_changes(old, wish, &fixed)?;
            put(aws, wish)
        }),
        delete: delete_policy,
    },
];

const SUSPENDED: Kind = Object(&[
    may("DynamicScalingInSuspended", Boolean),
    may("DynamicScalingOutSuspended", Boolean),
    may("ScheduledScalingSuspended", Boolean),
]);
const TARGET: Kind = Object(&[
    need("MaxCapacity", Integer),
    need("MinCapacity", Integer),
    need("ResourceId", Text),
    may("RoleARN", Text),
    need("ScalableDimension", Text),
    need("ServiceNamespace", Text),
    may("SuspendedState", SUSPENDED),
]);
const DIMENSIONS: Kind = List(&Object(&[need("Name", Text), need("Value", Text)]));
const CUSTOMIZED_METRIC: Kind = Object(&[
    may("Dimensions", DIMENSIONS),
    may("MetricName", Text),
    may("Namespace", Text),
    may("Statistic", Text),
    may("Unit", Text),
]);
const TARGET_TRACKING: Kind = Object(&[
    may("CustomizedMetricSpecification", CUSTOMIZED_METRIC),
    may("DisableScaleIn", Boolean),
    may(
        "PredefinedMetricSpecification",
        Object(&[
            need("PredefinedMetricType", Text),
            may("ResourceLabel", Text),
        ]),
    ),
    may("ScaleInCooldown", Integer),
    may("ScaleOutCooldown", Integer),
    need("TargetValue", Number),
]);
const POLICY: Kind = Object(&[
    need("PolicyName", Text),
    need("PolicyType", Text),
    may("ResourceId", Text),
    may("ScalableDimension", Text),
    may("ScalingTargetId", Text),
    may("ServiceNamespace", Text),
    may("TargetTrackingScalingPolicyConfiguration", TARGET_TRACKING),
]);

/// The three properties that name a scalable target, in the order in which its id has them.
const IDENTITY: [&str; 3] = ["ResourceId", "ScalableDimension", "ServiceNamespace"];

/// A property that the template leaves out is not sent, so that an update leaves it as it is.
fn register(aws: &mut Aws, wish: &Wish) -> Result<Made, Problem> {
    autoscaling::call(aws, "RegisterScalableTarget", &wish.properties)?;
    let id = IDENTITY
        .map(|name| wish.text(name).unwrap_or_default())
        .join("|");
    Ok(Made::new(id.clone(), json!({ "Id": id })))
}

fn put(aws: &mut Aws, wish: &Wish) -> Result<Made, Problem> {
    let mut input = wish.without(&["ScalingTargetId"]);
    identify(&mut input, &wish.properties)?;
    let answer = autoscaling::call(aws, "PutScalingPolicy", &input)?;
    let arn = answered(&answer, "/PolicyARN")?;
    Ok(Made::new(arn, json!({ "Arn": arn })))
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
            "Either ScalingTargetId or all three of [ResourceId, ScalableDimension, ServiceNamespace] must be specified",
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
