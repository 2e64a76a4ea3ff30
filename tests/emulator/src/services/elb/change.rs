//! The operations that change what sends traffic where, as the query protocol has them.

use serde_json::{Map, Value, json};

use super::{health, iam, operations, resources};
use crate::protocol::query::{Parameters, tree};
use crate::{ApiError, Aws};

/// ModifyRule: the lists that are given replace the old ones. Returns the rule's ARN.
pub(super) fn rule(aws: &mut Aws, parameters: &Parameters) -> Result<String, ApiError> {
    let (arn, changes) = changes(parameters, "RuleArn", &["Actions", "Conditions"])?;
    iam::check_caller(aws, &changes["Actions"])?;
    resources::update_rule(aws, &arn, &changes)?;
    Ok(arn)
}

/// ModifyListener: the lists that are given replace the old ones. Returns the listener's ARN.
pub(super) fn listener(aws: &mut Aws, parameters: &Parameters) -> Result<String, ApiError> {
    let (arn, changes) = changes(
        parameters,
        "ListenerArn",
        &["DefaultActions", "Port", "Protocol"],
    )?;
    iam::check_caller(aws, &changes["DefaultActions"])?;
    resources::update_listener(aws, &arn, &changes)?;
    Ok(arn)
}

/// The ARN of what is changed, and the changes, which are refused unless the sandbox knows them
/// all.
fn changes(
    parameters: &Parameters,
    arn: &str,
    known: &[&str],
) -> Result<(String, Value), ApiError> {
    let mut changes = tree(parameters);
    let missing = || operations::validation(&format!("{arn} must be specified"));
    let found = changes
        .shift_remove(arn)
        .and_then(|found| found.as_str().map(str::to_owned))
        .ok_or_else(missing)?;

    match changes.keys().find(|name| !known.contains(&name.as_str())) {
        Some(unknown) => Err(operations::validation(&format!(
            "the sandbox does not serve the member {unknown}"
        ))),
        None => Ok((found, Value::Object(changes))),
    }
}

pub(super) fn register(aws: &mut Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let (group, targets) = targets(aws, parameters)?;
    for (id, port) in targets {
        health::register(aws, &group, &id, port)?;
    }
    Ok(json!({}))
}

pub(super) fn deregister(aws: &mut Aws, parameters: &Parameters) -> Result<Value, ApiError> {
    let (group, targets) = targets(aws, parameters)?;
    for (id, port) in targets {
        health::deregister(aws, &group, &id, port);
    }
    Ok(json!({}))
}

/// The group and the targets that a request names; the port is the group's unless it is given.
fn targets(aws: &Aws, parameters: &Parameters) -> Result<(String, Vec<(String, u16)>), ApiError> {
    let given = tree(parameters);
    let arn = given
        .get("TargetGroupArn")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let group = aws
        .elb
        .target_groups
        .get(arn)
        .ok_or_else(operations::target_group_not_found)?;
    let own_port = group.number("Port", 80).to_string();
    let target = |target: &Value| {
        let target = target.as_object().cloned().unwrap_or_else(Map::new);
        let text = |name: &str| target.get(name).and_then(Value::as_str).map(str::to_owned);
        let port = text("Port")
            .unwrap_or_else(|| own_port.clone())
            .parse()
            .ok()?;
        Some((text("Id")?, port))
    };
    let targets = given.get("Targets").and_then(Value::as_array);
    let targets =
        targets.and_then(|targets| targets.iter().map(target).collect::<Option<Vec<_>>>());
    let targets = targets.ok_or_else(|| {
        operations::validation("A target must have an Id, and a Port from 1 to 65535")
    })?;

    Ok((arn.to_owned(), targets))
}
