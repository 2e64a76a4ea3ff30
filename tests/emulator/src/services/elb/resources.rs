//! Creating, changing and deleting what a template declares, in CloudFormation's property names.

use serde_json::{Map, Value, json};

use crate::{ApiError, Aws, ecs, traffic};

use super::{
    Elb, Listener, LoadBalancer, Rule, TargetGroup, actions, hosted_zone, note_use, operations,
};

/// AWS::ElasticLoadBalancingV2::TargetGroup. Returns its attributes.
pub fn create_target_group(aws: &mut Aws, properties: &Value) -> Result<Value, ApiError> {
    let properties = object(properties)?;
    let name = name_of(aws, &properties, "tg")?;
    if aws
        .elb
        .target_groups
        .values()
        .any(|group| group.name == name)
    {
        return Err(ApiError::client(
            "DuplicateTargetGroupName",
            format!(
                "A target group with the same name '{name}' exists, but with different settings"
            ),
        ));
    }

    let hex = aws.hex(16);
    let arn = aws.arn("elasticloadbalancing", &format!("targetgroup/{name}/{hex}"));
    let group = TargetGroup {
        arn: arn.clone(),
        name: name.clone(),
        properties,
        used_since: None,
        targets: Default::default(),
    };
    let full_name = group.full_name().to_owned();

    aws.elb.target_groups.insert(arn.clone(), group);
    Ok(json!({
        "Arn": arn, "FullName": full_name, "Name": name, "TargetGroupArn": arn,
        "TargetGroupFullName": full_name, "TargetGroupName": name,
    }))
}

/// AWS::ElasticLoadBalancingV2::LoadBalancer. Returns its attributes.
pub fn create_load_balancer(aws: &mut Aws, properties: &Value) -> Result<Value, ApiError> {
    let properties = object(properties)?;
    let name = name_of(aws, &properties, "lb")?;
    if aws
        .elb
        .load_balancers
        .values()
        .any(|balancer| balancer.name == name)
    {
        return Err(ApiError::client(
            "DuplicateLoadBalancerName",
            format!(
                "A load balancer with the same name '{name}' exists, but with different settings"
            ),
        ));
    }

    let (hex, number) = (aws.hex(16), aws.rng.u32(100_000_000..2_000_000_000));
    let arn = aws.arn(
        "elasticloadbalancing",
        &format!("loadbalancer/app/{name}/{hex}"),
    );
    let domain = aws.partition().domain;
    let dns_name = format!("{name}-{number}.{}.elb.{domain}", aws.region);
    let balancer = LoadBalancer {
        arn: arn.clone(),
        name: name.clone(),
        dns_name: dns_name.clone(),
        created_at: aws.now,
        properties,
    };
    aws.elb.load_balancers.insert(arn.clone(), balancer);

    let full_name = format!("app/{name}/{hex}");
    Ok(json!({
        "Arn": arn, "FullName": full_name, "Name": name, "DNSName": dns_name,
        "CanonicalHostedZoneID": hosted_zone(&aws.region),
        "LoadBalancerArn": arn, "LoadBalancerFullName": full_name, "LoadBalancerName": name,
    }))
}

/// AWS::ElasticLoadBalancingV2::Listener. Returns its attributes.
pub fn create_listener(aws: &mut Aws, properties: &Value) -> Result<Value, ApiError> {
    traffic::note(aws);
    let mut properties = object(properties)?;
    let load_balancer_arn = required(&properties, "LoadBalancerArn")?;
    let balancer = aws
        .elb
        .load_balancers
        .get(&load_balancer_arn)
        .ok_or_else(operations::load_balancer_not_found)?;
    let actions = actions::checked(
        &aws.elb,
        properties.get("Protocol"),
        properties.get("DefaultActions"),
        None,
    )?;
    properties.insert("DefaultActions".to_owned(), actions);

    let prefix = balancer.arn.replacen(":loadbalancer/", ":listener/", 1);
    let arn = format!("{prefix}/{}", aws.hex(16));
    aws.elb.listeners.insert(
        arn.clone(),
        Listener {
            arn: arn.clone(),
            load_balancer_arn,
            properties,
        },
    );
    note_use(aws);

    Ok(json!({"Arn": arn, "ListenerArn": arn}))
}

/// AWS::ElasticLoadBalancingV2::ListenerRule. Returns its attributes.
pub fn create_rule(aws: &mut Aws, properties: &Value) -> Result<Value, ApiError> {
    traffic::note(aws);
    let mut properties = object(properties)?;
    let listener_arn = required(&properties, "ListenerArn")?;
    let listener = aws
        .elb
        .listeners
        .get(&listener_arn)
        .ok_or_else(operations::listener_not_found)?;
    let actions = actions::checked(
        &aws.elb,
        listener.properties.get("Protocol"),
        properties.get("Actions"),
        None,
    )?;
    properties.insert("Actions".to_owned(), actions);

    let priority = |rule: &Map<String, Value>| rule.get("Priority").map(text);
    if aws.elb.rules.values().any(|rule| {
        rule.listener_arn == listener_arn && priority(&rule.properties) == priority(&properties)
    }) {
        return Err(ApiError::client(
            "PriorityInUse",
            format!(
                "Priority '{}' is currently in use",
                priority(&properties).unwrap_or_default()
            ),
        ));
    }

    let prefix = listener.arn.replacen(":listener/", ":listener-rule/", 1);
    let arn = format!("{prefix}/{}", aws.hex(16));
    aws.elb.rules.insert(
        arn.clone(),
        Rule {
            arn: arn.clone(),
            listener_arn,
            properties,
        },
    );
    note_use(aws);

    Ok(json!({"Arn": arn, "RuleArn": arn, "IsDefault": false}))
}

/// Replaces properties of a target group.
pub fn update_target_group(aws: &mut Aws, arn: &str, properties: &Value) -> Result<(), ApiError> {
    traffic::note(aws);
    let group = aws
        .elb
        .target_groups
        .get_mut(arn)
        .ok_or_else(operations::target_group_not_found)?;
    group.properties.extend(object(properties)?);

    Ok(())
}

/// Replaces properties of a listener; lists are replaced whole.
pub fn update_listener(aws: &mut Aws, arn: &str, properties: &Value) -> Result<(), ApiError> {
    let mut properties = object(properties)?;
    let listener = aws
        .elb
        .listeners
        .get(arn)
        .ok_or_else(operations::listener_not_found)?;

    if let Some(given) = properties.get("DefaultActions") {
        let protocol = properties
            .get("Protocol")
            .or(listener.properties.get("Protocol"));
        let actions = actions::checked(
            &aws.elb,
            protocol,
            Some(given),
            listener.properties.get("DefaultActions"),
        )?;
        properties.insert("DefaultActions".to_owned(), actions);
    }

    traffic::before_change(aws, arn);
    if let Some(listener) = aws.elb.listeners.get_mut(arn) {
        listener.properties.extend(properties);
    }

    note_use(aws);
    ecs::meet_traffic(aws);
    Ok(())
}

/// Replaces properties of a rule; lists are replaced whole. A default rule is its listener's and
/// changed there.
pub fn update_rule(aws: &mut Aws, arn: &str, properties: &Value) -> Result<(), ApiError> {
    let mut properties = object(properties)?;
    if aws
        .elb
        .listeners
        .keys()
        .any(|listener| default_rule(listener) == arn)
    {
        return Err(ApiError::client(
            "OperationNotPermitted",
            format!("Default rule '{arn}' cannot be modified"),
        ));
    }

    let rule = aws
        .elb
        .rules
        .get(arn)
        .ok_or_else(operations::rule_not_found)?;
    if let Some(given) = properties.get("Actions") {
        let listener = aws.elb.listeners.get(&rule.listener_arn);
        let protocol = listener.and_then(|listener| listener.properties.get("Protocol"));
        let actions = actions::checked(
            &aws.elb,
            protocol,
            Some(given),
            rule.properties.get("Actions"),
        )?;
        properties.insert("Actions".to_owned(), actions);
    }

    traffic::before_change(aws, arn);
    if let Some(rule) = aws.elb.rules.get_mut(arn) {
        rule.properties.extend(properties);
    }

    note_use(aws);
    ecs::meet_traffic(aws);
    Ok(())
}

/// Replaces the tags of a load balancer, a target group or a rule.
pub fn set_tags(aws: &mut Aws, arn: &str, tags: &[Value]) {
    let elb = &mut aws.elb;
    let balancer = elb.load_balancers.get_mut(arn);
    let group = elb.target_groups.get_mut(arn);
    let rule = elb.rules.get_mut(arn);
    let properties = balancer
        .map(|it| &mut it.properties)
        .or(group.map(|it| &mut it.properties))
        .or(rule.map(|it| &mut it.properties));
    if let Some(properties) = properties {
        properties.insert("Tags".to_owned(), tags.into());
    }
}

/// The ARN of the rule that stands for the default actions of a listener.
pub(super) fn default_rule(listener: &str) -> String {
    format!(
        "{}/default",
        listener.replacen(":listener/", ":listener-rule/", 1)
    )
}

/// Deletes a target group, unless a listener or rule still forwards to it.
pub fn delete_target_group(aws: &mut Aws, arn: &str) -> Result<(), ApiError> {
    if aws.elb.all_forwards().any(|(_, group, _)| group == arn) {
        return Err(ApiError::client(
            "ResourceInUse",
            format!("Target group '{arn}' is currently in use by a listener or a rule"),
        ));
    }
    aws.elb.target_groups.remove(arn);
    Ok(())
}

pub fn delete_rule(aws: &mut Aws, arn: &str) -> Result<(), ApiError> {
    traffic::note(aws);
    aws.elb
        .rules
        .remove(arn)
        .ok_or_else(operations::rule_not_found)?;
    note_use(aws);
    Ok(())
}

/// Deletes a listener with its rules.
pub fn delete_listener(aws: &mut Aws, arn: &str) -> Result<(), ApiError> {
    traffic::note(aws);
    aws.elb
        .listeners
        .remove(arn)
        .ok_or_else(operations::listener_not_found)?;
    aws.elb.rules.retain(|_, rule| rule.listener_arn != arn);
    note_use(aws);

    Ok(())
}

/// Deletes a load balancer with its listeners and rules; one that does not exist counts as deleted.
pub fn delete_load_balancer(aws: &mut Aws, arn: &str) -> Result<(), ApiError> {
    traffic::note(aws);
    aws.elb.load_balancers.remove(arn);
    aws.elb
        .listeners
        .retain(|_, listener| listener.load_balancer_arn != arn);
    let Elb {
        listeners, rules, ..
    } = &mut aws.elb;

    rules.retain(|_, rule| listeners.contains_key(&rule.listener_arn));
    note_use(aws);
    Ok(())
}

fn validation(message: String) -> ApiError {
    ApiError::client("ValidationError", message)
}

fn object(properties: &Value) -> Result<Map<String, Value>, ApiError> {
    properties
        .as_object()
        .cloned()
        .ok_or_else(|| validation("properties must be an object".to_owned()))
}

fn required(properties: &Map<String, Value>, name: &str) -> Result<String, ApiError> {
    let value = properties.get(name).and_then(Value::as_str);
    value
        .map(str::to_owned)
        .ok_or_else(|| validation(format!("{name} must be specified")))
}

/// The given name, or one that CloudFormation would make up.
fn name_of(
    aws: &mut Aws,
    properties: &Map<String, Value>,
    prefix: &str,
) -> Result<String, ApiError> {
    let Some(name) = properties.get("Name").and_then(Value::as_str) else {
        return Ok(format!("{prefix}-{}", aws.hex(12)));
    };
    let is_valid = name
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if !is_valid || name.is_empty() || name.len() > 32 {
        return Err(validation(format!(
            "The name '{name}' must have 1 to 32 characters, only alphanumeric characters or \
             hyphens, and must not begin or end with a hyphen"
        )));
    }
    Ok(name.to_owned())
}

/// A scalar as text: templates write numbers and booleans either way.
pub(super) fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
