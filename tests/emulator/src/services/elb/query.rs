//! The operations that read, as the query protocol asks them.

use serde_json::{Map, Value, json};

use crate::stale::Change;
use crate::{ApiError, Aws};

use super::resources::{default_rule, text};
use super::{Listener, LoadBalancer, Rule, TargetGroup, TargetState, actions, change, health};
use crate::protocol::query::Parameters;

/// The most items of one page.
const MOST_PAGE_SIZE: usize = 400;
/// The most resources of one DescribeTags.
const MOST_TAGGED: usize = 20;

pub(crate) const NAMESPACE: &str = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/";

/// One action by its API name with the parameters of the form; answers the members of its result.
pub fn answer(aws: &mut Aws, action: &str, parameters: &Parameters) -> Result<Value, ApiError> {
    match action {
        "DescribeTargetHealth" => aws.behind(&[Change::Service, Change::Routing], |aws| {
            target_health(aws, parameters)
        }),
        "DescribeTargetGroups" => target_groups(aws, parameters),
        "DescribeLoadBalancers" => load_balancers(aws, parameters),
        "DescribeListeners" => aws.behind(&[Change::Routing], |aws| listeners(aws, parameters)),
        "DescribeRules" => aws.behind(&[Change::Routing], |aws| rules(aws, parameters)),
        "DescribeTags" => tags(aws, parameters),
        "DescribeTargetGroupAttributes" => attributes(aws, parameters, "TargetGroupArn"),
        "DescribeLoadBalancerAttributes" => attributes(aws, parameters, "LoadBalancerArn"),
        "ModifyRule" => {
            aws.keep_before(Change::Routing);
            let arn = change::rule(aws, parameters)?;
            rules(aws, &only("RuleArns.member.1", arn))
        }
        "ModifyListener" => {
            aws.keep_before(Change::Routing);
            let arn = change::listener(aws, parameters)?;
            listeners(aws, &only("ListenerArns.member.1", arn))
        }
        "RegisterTargets" => change::register(aws, parameters),
        "DeregisterTargets" => change::deregister(aws, parameters),
        _ => Err(ApiError::unknown_operation(action)),
    }
}

fn only(name: &str, value: String) -> Parameters {
    [(name.to_owned(), value)].into()
}

/// The properties of a thing that has tags or attributes.
fn properties<'a>(aws: &'a Aws, arn: &str) -> Result<&'a Map<String, Value>, ApiError> {
    let elb = &aws.elb;
    let kind = arn
        .rsplit(':')
        .next()
        .and_then(|resource| resource.split('/').next())
        .unwrap_or_default();
    match kind {
        "loadbalancer" => elb
            .load_balancers
            .get(arn)
            .map(|it| &it.properties)
            .ok_or_else(load_balancer_not_found),
        "listener" => elb
            .listeners
            .get(arn)
            .map(|it| &it.properties)
            .ok_or_else(listener_not_found),
        "listener-rule" => elb
            .rules
            .get(arn)
            .map(|it| &it.properties)
            .ok_or_else(rule_not_found),
        "targetgroup" => elb
            .target_groups
            .get(arn)
            .map(|it| &it.properties)
            .ok_or_else(target_group_not_found),
        _ => Err(validation(&format!("'{arn}' is not a valid ARN"))),
    }
}

fn tags(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let arns = members(parameters, "ResourceArns", "");
    if !(1..=MOST_TAGGED).contains(&arns.len()) {
        return Err(validation(
            "Between 1 and 20 resource ARNs must be specified",
        ));
    }
    let mut descriptions = Vec::new();
    for arn in &arns {
        let tags = properties(aws, arn)?
            .get("Tags")
            .cloned()
            .unwrap_or(json!([]));
        descriptions.push(json!({"ResourceArn": arn, "Tags": tags}));
    }
    Ok(json!({ "TagDescriptions": descriptions }))
}

/// The attributes that were set; those with their default value are left out.
fn attributes(aws: &Aws, parameters: &Parameters, member: &str) -> Result<Value, ApiError> {
    let arn = parameters
        .get(member)
        .ok_or_else(|| validation(&format!("{member} must be specified")))?;
    let properties = properties(aws, arn)?;
    let set = properties
        .get("TargetGroupAttributes")
        .or(properties.get("LoadBalancerAttributes"));
    Ok(json!({ "Attributes": set.cloned().unwrap_or(json!([])) }))
}

pub(super) fn target_group_not_found() -> ApiError {
    ApiError::client("TargetGroupNotFound", "One or more target groups not found")
}

pub(super) fn load_balancer_not_found() -> ApiError {
    ApiError::client(
        "LoadBalancerNotFound",
        "One or more load balancers not found",
    )
}

pub(super) fn listener_not_found() -> ApiError {
    ApiError::client("ListenerNotFound", "One or more listeners not found")
}

pub(super) fn rule_not_found() -> ApiError {
    ApiError::client("RuleNotFound", "One or more rules not found")
}

fn target_health(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let arn = parameters
        .get("TargetGroupArn")
        .ok_or_else(|| validation("A target group ARN must be specified"))?;
    let group = aws
        .elb
        .target_groups
        .get(arn)
        .ok_or_else(target_group_not_found)?;
    let mut descriptions = Vec::new();
    let asked = members(parameters, "Targets", ".Id");
    for ((id, port), target) in &group.targets {
        let Some(state) = health::state_of(group, target, aws.now) else {
            continue;
        };
        if asked.is_empty() || asked.contains(id) {
            descriptions.push(health_description(id, *port, state, reason(state)));
        }
    }
    let known: Vec<&String> = group.targets.keys().map(|(id, _)| id).collect();
    for id in asked.iter().filter(|id| !known.contains(id)) {
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
    json!({"HealthCheckPort": port.to_string(), "TargetHealth": health, "Target": {"Port": port, "Id": id}})
}

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

fn target_groups(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
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
        "TargetGroupArn": group.arn, "TargetGroupName": group.name, "Protocol": protocol, "Port": property("Port", 80.into()),
        "VpcId": property("VpcId", Value::Null), "HealthCheckProtocol": property("HealthCheckProtocol", protocol.clone()),
        "HealthCheckPort": property("HealthCheckPort", "traffic-port".into()), "HealthCheckEnabled": property("HealthCheckEnabled", true.into()),
        "HealthCheckIntervalSeconds": group.number("HealthCheckIntervalSeconds", 30),
        "HealthCheckTimeoutSeconds": group.number("HealthCheckTimeoutSeconds", 5),
        "HealthyThresholdCount": group.number("HealthyThresholdCount", 5),
        "UnhealthyThresholdCount": group.number("UnhealthyThresholdCount", 2),
        "HealthCheckPath": property("HealthCheckPath", "/".into()), "Matcher": property("Matcher", json!({"HttpCode": "200"})),
        "LoadBalancerArns": aws.elb.load_balancers_of(&group.arn), "TargetType": group.target_type(),
        "ProtocolVersion": property("ProtocolVersion", "HTTP1".into()), "IpAddressType": property("IpAddressType", "ipv4".into()),
    })
}

fn load_balancers(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
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
            "LoadBalancerArn": balancer.arn, "DNSName": balancer.dns_name, "CanonicalHostedZoneId": "Z32O12XQLNTSW2",
            "CreatedTime": created.and_then(|at| at.format(&time::format_description::well_known::Rfc3339).ok()),
            "LoadBalancerName": balancer.name, "Scheme": property("Scheme", "internet-facing"), "State": {"Code": "active"},
            "Type": property("Type", "application"), "SecurityGroups": balancer.properties.get("SecurityGroups"),
            "IpAddressType": property("IpAddressType", "ipv4"),
        })
    };
    page(
        aws,
        "LoadBalancers",
        found.into_iter().map(describe).collect(),
        parameters,
    )
}

fn listeners(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
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
            "ListenerArn": listener.arn, "LoadBalancerArn": listener.load_balancer_arn, "Port": listener.properties.get("Port"),
            "Protocol": listener.properties.get("Protocol"), "DefaultActions": actions::described(listener.properties.get("DefaultActions")),
        })
    };
    page(
        aws,
        "Listeners",
        found.into_iter().map(describe).collect(),
        parameters,
    )
}

fn rules(aws: &Aws, parameters: &Parameters) -> Result<Value, ApiError> {
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
            "RuleArn": rule.arn, "Priority": priority(rule), "Conditions": rule.properties.get("Conditions").cloned().unwrap_or(json!([])),
            "Actions": actions::described(rule.properties.get("Actions")), "IsDefault": false,
        })
    };
    let mut described: Vec<Value> = found.into_iter().map(describe).collect();
    if let Some(arn) = listener {
        let listener = aws.elb.listeners.get(arn).ok_or_else(listener_not_found)?;
        described.push(json!({
            "RuleArn": default_rule(arn), "Priority": "default", "Conditions": [],
            "Actions": actions::described(listener.properties.get("DefaultActions")), "IsDefault": true,
        }));
    }
    page(aws, "Rules", described, parameters)
}

pub(super) fn validation(message: &str) -> ApiError {
    ApiError::client("ValidationError", message)
}

fn wanted(asked: &[String], value: &String) -> bool {
    asked.is_empty() || asked.contains(value)
}

/// The values of `<list>.member.1<suffix>`, `<list>.member.2<suffix>` and so on.
fn members(parameters: &Parameters, list: &str, suffix: &str) -> Vec<String> {
    (1..)
        .map_while(|number| {
            parameters
                .get(&format!("{list}.member.{number}{suffix}"))
                .cloned()
        })
        .collect()
}

/// One page of a list; the marker is the position at which the next page starts.
fn page(
    aws: &Aws,
    name: &str,
    mut items: Vec<Value>,
    parameters: &Parameters,
) -> Result<Value, ApiError> {
    let size = parameters
        .get("PageSize")
        .map_or(Ok(MOST_PAGE_SIZE), |size| size.parse())
        .ok()
        .filter(|size| (1..=MOST_PAGE_SIZE).contains(size));
    let size = size.ok_or_else(|| validation("PageSize must be between 1 and 400"))?;
    let start = parameters
        .get("Marker")
        .map_or(Ok(0), |marker| marker.parse())
        .ok()
        .filter(|start| *start <= items.len());
    let start = start.ok_or_else(|| validation("The marker is not valid"))?;
    let end = (start + aws.page_size(size)).min(items.len());
    let next = (end < items.len()).then(|| end.to_string());
    let items: Vec<Value> = items.drain(start..end).collect();
    Ok(json!({name: items, "NextMarker": next}))
}
