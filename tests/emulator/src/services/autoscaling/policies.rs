//! Target tracking policies.

use serde_json::{Value, json};

use super::input::{self, check_namespace, only, page, required};
use super::targets::place;
use super::{DIMENSION, NAMESPACE, Policy, not_found, validation};
use crate::input::Input;
use crate::{ApiError, Aws};

const PUT: [&str; 6] = [
    "PolicyName",
    "ServiceNamespace",
    "ResourceId",
    "ScalableDimension",
    "PolicyType",
    "TargetTrackingScalingPolicyConfiguration",
];
const DESCRIBED: [&str; 6] = [
    "PolicyNames",
    "ServiceNamespace",
    "ResourceId",
    "ScalableDimension",
    "MaxResults",
    "NextToken",
];
const CONFIGURED: [&str; 6] = [
    "TargetValue",
    "PredefinedMetricSpecification",
    "CustomizedMetricSpecification",
    "ScaleOutCooldown",
    "ScaleInCooldown",
    "DisableScaleIn",
];

/// The metric of an Application Load Balancer, which needs a target group.
pub(super) const REQUESTS: &str = "ALBRequestCountPerTarget";
const METRICS: [&str; 3] = [
    "ECSServiceAverageCPUUtilization",
    "ECSServiceAverageMemoryUtilization",
    REQUESTS,
];

const MOST_NAME_CHARS: usize = 256;

/// Makes a policy, or replaces the configuration of the one of that name.
pub(super) fn put(aws: &mut Aws, input: &Input) -> Result<Value, ApiError> {
    only(input, &PUT)?;
    let name = policy_name(input)?;
    let id = input::resource_id(input)?;
    if !aws.autoscaling.targets.contains_key(id) {
        return Err(not_found(format!(
            "No scalable target registered for {}",
            place(id)
        )));
    }

    let configuration = read_configuration(input)?;
    check(aws, &configuration)?;
    if aws
        .autoscaling
        .policies_of(id)
        .any(|other| other.name != name && metric(other) == metric_of(&configuration))
    {
        return Err(validation(
            "Only one TargetTrackingScaling policy for a given metric specification is allowed.",
        ));
    }

    let key = (id.to_owned(), name.to_owned());
    let old = aws.autoscaling.policies.remove(&key);
    let (arn, created_at) = match old {
        Some(old) => (old.arn, old.created_at),
        None => {
            let resource = format!(
                "scalingPolicy:{}:resource/{NAMESPACE}/{id}:policyName/{name}",
                aws.uuid()
            );
            (aws.arn("autoscaling", &resource), aws.now)
        }
    };
    let alarms = new_alarms(aws, id, &configuration);
    let policy = Policy {
        arn,
        name: name.to_owned(),
        resource_id: id.to_owned(),
        configuration,
        created_at,
        alarms,
    };
    let answer = json!({"PolicyARN": policy.arn, "Alarms": alarms_of(aws, &policy)});

    aws.autoscaling.policies.insert(key, policy);
    super::watch(aws);
    Ok(answer)
}

fn policy_name<'a>(input: &Input<'a>) -> Result<&'a str, ApiError> {
    let name = required(input, "PolicyName")?;
    if name.is_empty() || name.chars().count() > MOST_NAME_CHARS {
        return Err(validation(format!(
            "PolicyName must have 1 to {MOST_NAME_CHARS} characters"
        )));
    }
    Ok(name)
}

/// The configuration of a target tracking policy, the only type that is served.
fn read_configuration(input: &Input) -> Result<Value, ApiError> {
    match input.text("PolicyType")?.unwrap_or("StepScaling") {
        "TargetTrackingScaling" => {}
        other => {
            return Err(validation(format!(
                "the sandbox does not serve the policy type {other}"
            )));
        }
    }

    let configuration = input
        .object("TargetTrackingScalingPolicyConfiguration")?
        .cloned()
        .map(Value::Object);
    configuration.ok_or_else(|| validation("A target tracking configuration must be specified"))
}

/// Names for the alarms of a policy.
fn new_alarms(aws: &mut Aws, id: &str, configuration: &Value) -> Vec<String> {
    let kinds = if configuration["DisableScaleIn"] == true {
        &["AlarmHigh"][..]
    } else {
        &["AlarmHigh", "AlarmLow"]
    };
    kinds
        .iter()
        .map(|kind| format!("TargetTracking-{id}-{kind}-{}", aws.uuid()))
        .collect()
}

fn check(aws: &Aws, configuration: &Value) -> Result<(), ApiError> {
    let given = Input::new(configuration);
    only(&given, &CONFIGURED)?;
    if configuration["TargetValue"]
        .as_f64()
        .is_none_or(|value| value <= 0.0)
    {
        return Err(validation("TargetValue must be greater than 0"));
    }

    for cooldown in ["ScaleOutCooldown", "ScaleInCooldown"] {
        if given.integer(cooldown)?.is_some_and(|seconds| seconds < 0) {
            return Err(validation(format!(
                "{cooldown} must be greater than or equal to 0"
            )));
        }
    }

    given.flag("DisableScaleIn")?;
    match (
        given.object("PredefinedMetricSpecification")?,
        given.object("CustomizedMetricSpecification")?,
    ) {
        (Some(metric), None) => check_metric(aws, &Value::Object(metric.clone())),
        (None, Some(_)) => Err(validation(
            "the sandbox does not serve CustomizedMetricSpecification",
        )),
        _ => Err(validation(
            "Exactly one of predefined and customized metric specification must be specified",
        )),
    }
}

fn check_metric(aws: &Aws, metric: &Value) -> Result<(), ApiError> {
    let given = Input::new(metric);
    only(&given, &["PredefinedMetricType", "ResourceLabel"])?;
    let kind = required(&given, "PredefinedMetricType")?;
    if !METRICS.contains(&kind) {
        return Err(validation(format!(
            "{kind} is not a predefined metric of service namespace {NAMESPACE}"
        )));
    }

    match (kind, given.text("ResourceLabel")?) {
        (REQUESTS, Some(label)) if group_of_label(aws, label).is_some() => Ok(()),
        (REQUESTS, Some(label)) => Err(validation(format!(
            "The target group of resource label {label} was not found"
        ))),
        (REQUESTS, None) => Err(validation(format!(
            "ResourceLabel must be specified for {REQUESTS}"
        ))),
        (_, Some(_)) => Err(validation(format!(
            "ResourceLabel can be specified only for {REQUESTS}"
        ))),
        (_, None) => Ok(()),
    }
}

/// The ARN of the target group of `app/<name>/<id>/targetgroup/<name>/<id>`, if that load balancer
/// sends it requests.
pub(super) fn group_of_label(aws: &Aws, label: &str) -> Option<String> {
    let (balancer, group) = label.split_at(label.find("/targetgroup/")?);
    let group = aws
        .elb
        .target_groups
        .values()
        .find(|known| known.full_name() == &group[1..])?;
    let balancers = aws.elb.load_balancers_of(&group.arn);
    let ends = format!(":loadbalancer/{balancer}");

    balancers
        .iter()
        .any(|arn| arn.ends_with(&ends))
        .then(|| group.arn.clone())
}

fn metric(policy: &Policy) -> &Value {
    metric_of(&policy.configuration)
}

fn metric_of(configuration: &Value) -> &Value {
    &configuration["PredefinedMetricSpecification"]
}

fn alarms_of(aws: &Aws, policy: &Policy) -> Value {
    let alarm = |name: &String| {
        json!({
            "AlarmName": name,
            "AlarmARN": aws.arn("cloudwatch", &format!("alarm:{name}")),
        })
    };
    policy.alarms.iter().map(alarm).collect()
}

pub(super) fn describe(aws: &Aws, input: &Input) -> Result<Value, ApiError> {
    only(input, &DESCRIBED)?;
    check_namespace(input)?;
    let (names, id, dimension) = (
        input.texts("PolicyNames")?,
        input.text("ResourceId")?,
        input.text("ScalableDimension")?,
    );
    if dimension.is_some() && id.is_none() {
        return Err(validation(
            "ResourceId must be specified when ScalableDimension is specified",
        ));
    }

    let wanted = |policy: &&Policy| {
        (names.is_empty() || names.contains(&policy.name.as_str()))
            && id.is_none_or(|id| id == policy.resource_id)
            && dimension.is_none_or(|it| it == DIMENSION)
    };
    let description = |policy: &Policy| {
        json!({
            "PolicyARN": policy.arn, "PolicyName": policy.name, "ServiceNamespace": NAMESPACE,
            "ResourceId": policy.resource_id, "ScalableDimension": DIMENSION,
            "PolicyType": "TargetTrackingScaling", "Alarms": alarms_of(aws, policy),
            "TargetTrackingScalingPolicyConfiguration": policy.configuration,
            "CreationTime": Aws::seconds(policy.created_at),
        })
    };
    let described = aws
        .autoscaling
        .policies
        .values()
        .filter(wanted)
        .map(description)
        .collect();
    page(aws, input, "ScalingPolicies", described)
}

pub(super) fn delete(aws: &mut Aws, input: &Input) -> Result<Value, ApiError> {
    only(
        input,
        &[
            "PolicyName",
            "ServiceNamespace",
            "ResourceId",
            "ScalableDimension",
        ],
    )?;
    let (name, id) = (required(input, "PolicyName")?, input::resource_id(input)?);
    let key = (id.to_owned(), name.to_owned());
    let unknown = || {
        not_found(format!(
            "No scaling policy found for {}, policy name: {name}",
            place(id)
        ))
    };
    aws.autoscaling.policies.remove(&key).ok_or_else(unknown)?;

    Ok(json!({}))
}
