//! The operations that describe load balancers, listeners, rules, target groups and their health.

use serde_json::{Value, json};

use super::operations::{
    listener_not_found, load_balancer_not_found, members, page, rule_not_found,
    target_group_not_found, validation, wanted,
};
use super::resources::{default_rule, text};
use super::{
    Listener, LoadBalancer, Rule, TargetGroup, TargetState, actions, health, hosted_zone, zones,
};
use crate::protocol::query::Parameters;
use crate::{ApiError, Aws};

pub(super) fn target_health(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let arn = parameters
        .get("TargetGroupArn")
        .ok_or_else(|| validation("A target group ARN must be specified"))?;
    let group = aws
        .elb
        .target_groups
        .get(arn)
        .ok_or_else(target_group_not_found)?;
    let mut descriptions = Vec::new();
    let wanted_ids = members(parameters, "Targets", ".Id");

    for ((id, port), target) in &group.targets {
        let Some(state) = health::state_of(group, target, aws.now) else {
            continue;
        };
        if wanted_ids.is_empty() || wanted_ids.contains(id) {
            let reason = match state {
                TargetState::Unused if !target.in_enabled_zone => OTHER_ZONE,
                _ => reason(state),
            };
            descriptions.push(health_description(id, *port, state, reason));
        }
    }

    let known: Vec<&String> = group.targets.keys().map(|(id, _)| id).collect();
    for id in wanted_ids.iter().filter(|id| !known.contains(id)) {
        let port = u16::try_from(group.number("Port", 80)).unwrap_or(80);
        descriptions.push(health_description(
            id,
            port,
            TargetState::Unused,
            (
                "Target.NotRegistered",
                "Target is not registered to the target group",
            ),
        ));
    }
    Ok(json!({"TargetHealthDescriptions": descriptions}))
}

fn health_description(
    id: &str,
    port: u16,
    state: TargetState,
    (reason, description): (&str, &str),
) -> Value {
    let mut health = json!({"State": state.name()});
    if state != TargetState::Healthy {
        health["Reason"] = reason.into();
        health["Description"] = description.into();
    }

    json!({
        "HealthCheckPort": port.to_string(), "TargetHealth": health,
        "Target": {"Port": port, "Id": id},
    })
}

/// Reason and description of a target that its load balancer cannot reach.
const OTHER_ZONE: (&str, &str) = (
    "Target.NotInUse",
    "Target is in an Availability Zone that is not enabled for the load balancer",
);

fn reason(state: TargetState) -> (&'static str, &'static str) {
    match state {
        TargetState::Healthy => ("", ""),
        TargetState::Initial => (
            "Elb.RegistrationInProgress",
            "Target registration is in progress",
        ),
        TargetState::Unhealthy => ("Target.FailedHealthChecks", "Health checks failed"),
        TargetState::Unused => (
            "Target.NotInUse",
            "Target group is not configured to receive traffic from the load balancer",
        ),
        TargetState::Draining => (
            "Target.DeregistrationInProgress",
            "Target deregistration is in progress",
        ),
    }
}

pub(super) fn target_groups(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let (arns, names) = (
        members(parameters, "TargetGroupArns", ""),
        members(parameters, "Names", ""),
    );
    let all = aws.elb.target_groups.values();
    let found: Vec<&TargetGroup> = match parameters.get("LoadBalancerArn") {
        Some(balancer) if !aws.elb.load_balancers.contains_key(balancer) => {
            return Err(load_balancer_not_found());
        }
        Some(balancer) => all
            .filter(|group| aws.elb.load_balancers_of(&group.arn).contains(balancer))
            .collect(),
        None => all
            .filter(|group| wanted(&arns, &group.arn) && wanted(&names, &group.name))
            .collect(),
    };
    if found.len() < arns.len().max(names.len()) {
        return Err(target_group_not_found());
    }

    let found = found
        .into_iter()
        .map(|group| describe_group(aws, group))
        .collect();
    page(aws, "TargetGroups", found, parameters)
}

fn describe_group(aws: &Aws, group: &TargetGroup) -> Value {
    let property =
        |name: &str, default: Value| group.properties.get(name).cloned().unwrap_or(default);
    let protocol = property("Protocol", "HTTP".into());

    json!({
        "TargetGroupArn": group.arn, "TargetGroupName": group.name, "Protocol": protocol,
        "Port": property("Port", 80.into()), "VpcId": property("VpcId", Value::Null),
        "HealthCheckProtocol": property("HealthCheckProtocol", protocol.clone()),
        "HealthCheckPort": property("HealthCheckPort", "traffic-port".into()),
        "HealthCheckEnabled": property("HealthCheckEnabled", true.into()),
        "HealthCheckIntervalSeconds": group.number("HealthCheckIntervalSeconds", 30),
        "HealthCheckTimeoutSeconds": group.number("HealthCheckTimeoutSeconds", 5),
        "HealthyThresholdCount": group.number("HealthyThresholdCount", 5),
        "UnhealthyThresholdCount": group.number("UnhealthyThresholdCount", 2),
        "HealthCheckPath": property("HealthCheckPath", "/".into()),
        "Matcher": property("Matcher", json!({"HttpCode": "200"})),
        "LoadBalancerArns": aws.elb.load_balancers_of(&group.arn),
        "TargetType": group.target_type(),
        "ProtocolVersion": property("ProtocolVersion", "HTTP1".into()),
        "IpAddressType": property("IpAddressType", "ipv4".into()),
    })
}

pub(super) fn load_balancers(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let (arns, names) = (
        members(parameters, "LoadBalancerArns", ""),
        members(parameters, "Names", ""),
    );
    let all = aws.elb.load_balancers.values();
    let found: Vec<&LoadBalancer> = all
        .filter(|balancer| wanted(&arns, &balancer.arn) && wanted(&names, &balancer.name))
        .collect();
    if found.len() < arns.len().max(names.len()) {
        return Err(load_balancer_not_found());
    }

    let describe = |balancer: &LoadBalancer| {
        let property = |name: &str, default: &str| {
            balancer
                .properties
                .get(name)
                .cloned()
                .unwrap_or(default.into())
        };
        let created = time::OffsetDateTime::from_unix_timestamp(balancer.created_at / 1000).ok();

        json!({
            "LoadBalancerArn": balancer.arn, "DNSName": balancer.dns_name,
            "CanonicalHostedZoneId": hosted_zone(&aws.region),
            "CreatedTime": created
                .and_then(|at| at.format(&time::format_description::well_known::Rfc3339).ok()),
            "LoadBalancerName": balancer.name,
            "Scheme": property("Scheme", "internet-facing"),
            "State": {"Code": "active"}, "Type": property("Type", "application"),
            "SecurityGroups": balancer.properties.get("SecurityGroups"),
            "IpAddressType": property("IpAddressType", "ipv4"),
            "AvailabilityZones": zones(&aws.region, balancer)
                .into_iter()
                .map(|zone| json!({"ZoneName": zone}))
                .collect::<Vec<_>>(),
        })
    };
    page(
        aws,
        "LoadBalancers",
        found.into_iter().map(describe).collect(),
        parameters,
    )
}

pub(super) fn listeners(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let arns = members(parameters, "ListenerArns", "");
    let balancer = parameters.get("LoadBalancerArn");
    if balancer.is_none() && arns.is_empty() {
        return Err(validation(
            "Either listener ARNs or a load balancer ARN must be specified",
        ));
    }
    if balancer.is_some_and(|arn| !aws.elb.load_balancers.contains_key(arn)) {
        return Err(load_balancer_not_found());
    }

    let all = aws.elb.listeners.values();
    let found: Vec<&Listener> = all
        .filter(|it| {
            wanted(&arns, &it.arn) && balancer.is_none_or(|arn| *arn == it.load_balancer_arn)
        })
        .collect();
    if found.len() < arns.len() {
        return Err(listener_not_found());
    }

    let describe = |listener: &Listener| {
        json!({
            "ListenerArn": listener.arn,
            "LoadBalancerArn": listener.load_balancer_arn,
            "Port": listener.properties.get("Port"),
            "Protocol": listener.properties.get("Protocol"),
            "DefaultActions": actions::described(listener.properties.get("DefaultActions")),
        })
    };
    page(
        aws,
        "Listeners",
        found.into_iter().map(describe).collect(),
        parameters,
    )
}

pub(super) fn rules(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let arns = members(parameters, "RuleArns", "");
    let listener = parameters.get("ListenerArn");
    if listener.is_none() == arns.is_empty() {
        return Err(validation(
            "You must specify either a listener ARN or one or more rule ARNs",
        ));
    }
    let mut found: Vec<&Rule> = aws
        .elb
        .rules
        .values()
        .filter(|rule| {
            wanted(&arns, &rule.arn) && listener.is_none_or(|arn| *arn == rule.listener_arn)
        })
        .collect();
    if found.len() < arns.len() {
        return Err(rule_not_found());
    }

    let priority = |rule: &Rule| rule.properties.get("Priority").map(text);
    found.sort_by_key(|rule| priority(rule).and_then(|priority| priority.parse::<u32>().ok()));
    let describe = |rule: &Rule| {
        json!({
            "RuleArn": rule.arn, "Priority": priority(rule),
            "Conditions": rule.properties.get("Conditions").cloned().unwrap_or(json!([])),
            "Actions": actions::described(rule.properties.get("Actions")),
            "IsDefault": false,
        })
    };

    let mut described: Vec<Value> = found.into_iter().map(describe).collect();
    if let Some(arn) = listener {
        let listener = aws.elb.listeners.get(arn).ok_or_else(listener_not_found)?;
        described.push(json!({
            "RuleArn": default_rule(arn), "Priority": "default", "Conditions": [],
            "Actions": actions::described(listener.properties.get("DefaultActions")),
            "IsDefault": true,
        }));
    }
    page(aws, "Rules", described, parameters)
}
