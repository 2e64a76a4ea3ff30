//! What CreateService and UpdateService refuse, in ECS's words.

use serde_json::{Map, Value};

use crate::{ApiError, Aws, Quirk};

use super::definitions::TaskDefinition;
use super::{DeploymentStatus, RolloutState, invalid, service_ports, service_volumes};

/// The most deployments of a service that have not ended.
const MOST_DEPLOYMENTS: usize = 5;

/// Refuses one more deployment of a service of which too many have not ended. Older ones end with
/// their last tasks.
pub(super) fn check_deployments(aws: &mut Aws, arn: &str, begins: bool) -> Result<(), ApiError> {
    let has_tasks = |id: &str| aws.ecs.tasks_of(arn).any(|task| task.deployment == id);
    let deployments = aws.ecs.services[arn].deployments.iter();
    let open: Vec<RolloutState> = deployments
        .filter(|one| one.status == DeploymentStatus::Primary || has_tasks(&one.id))
        .map(|one| one.rollout)
        .collect();
    let moving = open
        .iter()
        .filter(|rollout| **rollout != RolloutState::Completed);

    let has_too_many = moving.count() >= MOST_DEPLOYMENTS;
    let may_have = begins && open.len() >= MOST_DEPLOYMENTS;
    if may_have && (has_too_many || aws.draw_quirk(Quirk::CountsCompletedDeployments)) {
        return Err(invalid(format!(
            "{MOST_DEPLOYMENTS} active deployments exist, unable to create new deployment."
        )));
    }
    Ok(())
}

/// Checks the members of a service, as they would be after the call, against its task definition.
pub(super) fn check(
    aws: &Aws,
    settings: &Map<String, Value>,
    definition: &TaskDefinition,
) -> Result<(), ApiError> {
    check_what_is_served(settings)?;
    check_launch_type(settings, definition)?;
    let network = settings
        .get("networkConfiguration")
        .filter(|value| !value.is_null());

    match (definition.network_mode(), network) {
        ("awsvpc", None) => {
            return Err(invalid(
                "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
            ));
        }
        ("awsvpc", Some(_)) | (_, None) => {}
        _ => {
            return Err(invalid(
                "Network Configuration is not valid for the given networkMode of this task \
                 definition.",
            ));
        }
    }

    let balancers = load_balancers(settings);
    if balancers.is_empty()
        && settings
            .get("healthCheckGracePeriodSeconds")
            .is_some_and(|seconds| seconds.as_i64() > Some(0))
    {
        return Err(invalid(
            "Health check grace period is only valid for services configured to use load balancers",
        ));
    }

    balancers
        .iter()
        .try_for_each(|balancer| check_load_balancer(aws, balancer, definition))?;
    service_ports::check(settings, definition)?;
    service_volumes::check(settings, definition)
}

pub(super) fn load_balancers(settings: &Map<String, Value>) -> &[Value] {
    settings
        .get("loadBalancers")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Whether one of the load balancers is a Classic one.
pub(super) fn is_behind_classic(settings: &Map<String, Value>) -> bool {
    load_balancers(settings)
        .iter()
        .any(|balancer| balancer["loadBalancerName"].is_string())
}

/// FARGATE or EC2, from the launch type or the capacity providers.
pub(super) fn launch_type(settings: &Map<String, Value>) -> &'static str {
    let providers = settings
        .get("capacityProviderStrategy")
        .and_then(Value::as_array);
    let provider = providers
        .and_then(|list| list.first())
        .and_then(|first| first["capacityProvider"].as_str());
    let named = settings
        .get("launchType")
        .and_then(Value::as_str)
        .or(provider)
        .unwrap_or("EC2");

    if named.starts_with("FARGATE") {
        "FARGATE"
    } else {
        "EC2"
    }
}

/// Checks that a service that is rebalanced may run more than its desired count: a task is started
/// in one zone before another one stops. No service has percentages with which no task is ever
/// started or stopped.
pub(super) fn check_room(settings: &Map<String, Value>, done: &str) -> Result<(), ApiError> {
    let rebalanced = settings
        .get("availabilityZoneRebalancing")
        .is_some_and(|word| word == "ENABLED");

    if rebalanced && !has_room(settings) {
        return Err(invalid(format!(
            "The service couldn't be {done} because Availability Zone Rebalancing does not support \
             maximumPercent <= 100 % as deployment configuration."
        )));
    }
    if percent(settings, "minimumHealthyPercent") == Some(100) && !has_room(settings) {
        return Err(invalid(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block \
             deployments.",
        ));
    }
    Ok(())
}

/// Checks that tasks in which commands are executed have a role for it.
pub(super) fn check_role(
    settings: &Map<String, Value>,
    definition: &TaskDefinition,
    done: &str,
) -> Result<(), ApiError> {
    let executes = settings
        .get("enableExecuteCommand")
        .is_some_and(|is_enabled| is_enabled == true);
    if executes && !definition.json.contains_key("taskRoleArn") {
        return Err(invalid(format!(
            "The service couldn't be {done} because a valid taskRoleArn is not being used. Specify \
             a valid task role in your task definition and try again."
        )));
    }
    Ok(())
}

/// What a new service gets that does not state whether it is rebalanced. Documents disagree about
/// one whose maximumPercent excludes it: it is ENABLED anyway, and refused, or DISABLED.
pub(super) fn default_rebalancing(aws: &mut Aws, settings: &Map<String, Value>) -> &'static str {
    let fits = has_room(settings) || aws.draw_quirk(Quirk::RebalancesByDefault);

    if fits && can_be_spread(settings) {
        "ENABLED"
    } else {
        "DISABLED"
    }
}

fn has_room(settings: &Map<String, Value>) -> bool {
    percent(settings, "maximumPercent").is_none_or(|percent| percent > 100)
}

fn percent(settings: &Map<String, Value>, member: &str) -> Option<i64> {
    settings
        .get("deploymentConfiguration")?
        .get(member)?
        .as_i64()
}

/// Whether ECS may choose the zones: no Classic Load Balancer, the first placement strategy spreads
/// over zones if there is one, and no constraint names a zone.
fn can_be_spread(settings: &Map<String, Value>) -> bool {
    const ZONE: &str = "attribute:ecs.availability-zone";

    let list = |member: &str| {
        let found = settings.get(member).and_then(Value::as_array);
        found.map_or(&[][..], Vec::as_slice)
    };
    let is_spread = list("placementStrategy")
        .first()
        .is_none_or(|first| first["type"] == "spread" && first["field"] == ZONE);
    let names_zone = list("placementConstraints").iter().any(|constraint| {
        let expression = constraint["expression"].as_str();
        expression.is_some_and(|expression| expression.contains(ZONE))
    });

    !is_behind_classic(settings) && is_spread && !names_zone
}

/// A desired count as the service keeps it: a negative one is refused.
pub(super) fn desired_count(count: i64) -> Result<u32, ApiError> {
    u32::try_from(count).map_err(|_| invalid("desiredCount cannot be negative."))
}

fn check_what_is_served(settings: &Map<String, Value>) -> Result<(), ApiError> {
    let served = |value: Option<&Value>, expected: &str| {
        value
            .and_then(Value::as_str)
            .is_none_or(|word| word == expected)
    };
    let configuration = settings.get("deploymentConfiguration");
    if !served(
        settings
            .get("deploymentController")
            .and_then(|it| it.get("type")),
        "ECS",
    ) {
        return Err(invalid(
            "the sandbox serves only the deployment controller ECS",
        ));
    }
    if !served(settings.get("schedulingStrategy"), "REPLICA")
        || !served(configuration.and_then(|it| it.get("strategy")), "ROLLING")
    {
        return Err(invalid(
            "the sandbox serves only REPLICA services with ROLLING deployments",
        ));
    }
    if percent(settings, "minimumHealthyPercent").is_some_and(|it| !(0..=100).contains(&it)) {
        return Err(invalid("minimumHealthyPercent must be between 0 and 100."));
    }
    if percent(settings, "maximumPercent").is_some_and(|it| it < 100) {
        return Err(invalid("maximumPercent must be at least 100."));
    }
    let configuration = configuration.unwrap_or(&Value::Null);
    check_threshold(&configuration["deploymentCircuitBreaker"])?;
    check_early_success(configuration)
}

/// A threshold of the circuit breaker has a type and a value.
fn check_threshold(breaker: &Value) -> Result<(), ApiError> {
    const TYPES: [&str; 3] = ["COUNT", "BOUNDED_PERCENT", "UNBOUNDED_PERCENT"];

    let threshold = &breaker["thresholdConfiguration"];
    if threshold.is_null() {
        return Ok(());
    }
    let has_type = TYPES.iter().any(|word| threshold["type"] == *word);
    if !has_type || threshold["value"].as_u64().is_none_or(|value| value == 0) {
        return Err(invalid("Invalid deployment circuit breaker threshold."));
    }
    Ok(())
}

fn check_early_success(configuration: &Value) -> Result<(), ApiError> {
    let criteria = &configuration["earlySuccessCriteria"];
    if criteria["enable"] != true {
        return Ok(());
    }
    let Some(percent) = criteria["healthyPercent"]
        .as_i64()
        .filter(|percent| (0..=100).contains(percent))
    else {
        return Err(invalid("healthyPercent must be between 0 and 100."));
    };
    if !["BLOCKING", "DEFERRED"]
        .iter()
        .any(|word| criteria["sourceServiceRevisionCleanup"] == *word)
    {
        return Err(invalid(
            "sourceServiceRevisionCleanup must be BLOCKING or DEFERRED.",
        ));
    }
    let minimum = configuration["minimumHealthyPercent"]
        .as_i64()
        .unwrap_or(100);
    if percent < minimum {
        return Err(invalid(
            "healthyPercent must be greater than or equal to minimumHealthyPercent.",
        ));
    }
    Ok(())
}

fn check_launch_type(
    settings: &Map<String, Value>,
    definition: &TaskDefinition,
) -> Result<(), ApiError> {
    match settings.get("launchType").and_then(Value::as_str) {
        None | Some("EC2" | "FARGATE") => {}
        Some(other) => return Err(invalid(format!("Invalid launch type {other}"))),
    }

    let wanted = launch_type(settings);
    let required = definition
        .json
        .get("requiresCompatibilities")
        .and_then(Value::as_array);
    let has = |name: &str| required.is_some_and(|list| list.iter().any(|it| it == name));
    let fits = match wanted {
        "FARGATE" => has("FARGATE"),
        _ => required.is_none_or(Vec::is_empty) || has("EC2"),
    };

    if fits {
        Ok(())
    } else {
        Err(invalid(format!(
            "Task definition does not support launch_type {wanted}."
        )))
    }
}

fn check_load_balancer(
    aws: &Aws,
    balancer: &Value,
    definition: &TaskDefinition,
) -> Result<(), ApiError> {
    match (
        balancer["targetGroupArn"].as_str(),
        balancer["loadBalancerName"].as_str(),
    ) {
        (Some(arn), _) => check_target_group(aws, arn, definition.network_mode())?,
        (None, Some(_)) if definition.network_mode() == "awsvpc" => {
            return Err(invalid(
                "Classic Load Balancers are not supported with the network mode awsvpc.",
            ));
        }
        (None, Some(_)) => {}
        (None, None) => {
            return Err(invalid(
                "loadBalancerName and targetGroupArn cannot both be empty.",
            ));
        }
    }
    let name = balancer["containerName"].as_str().unwrap_or_default();
    service_ports::check_mapped(definition, name, &balancer["containerPort"])
}

/// The target group must have a load balancer and fit the network mode of the tasks.
fn check_target_group(aws: &Aws, arn: &str, network_mode: &str) -> Result<(), ApiError> {
    let group = aws.elb.target_groups.get(arn).ok_or_else(|| {
        invalid(format!(
            "The target group with targetGroupArn {arn} does not exist."
        ))
    })?;
    if aws.elb.load_balancers_of(arn).is_empty() {
        return Err(invalid(format!(
            "The target group with targetGroupArn {arn} does not have an associated load balancer."
        )));
    }

    let needed = if network_mode == "awsvpc" {
        "ip"
    } else {
        "instance"
    };
    if group.target_type() == needed {
        Ok(())
    } else {
        Err(invalid(format!(
            "The provided target group {arn} has target type {}, which is incompatible with the \
             {network_mode} network mode specified in the task definition.",
            group.target_type()
        )))
    }
}
