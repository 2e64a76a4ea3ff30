//! The actions of listeners and rules: what is accepted, what is kept, and how it is described.
//!
//! Source: <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html>

use serde_json::{Map, Value, json};

use super::resources::text;
use super::{Elb, operations};
use crate::ApiError;

/// The largest weight and the most target groups of one forward action.
const MOST_WEIGHT: i64 = 999;
const MOST_TARGET_GROUPS: usize = 5;
const MOST_ORDER: i64 = 50_000;
/// Seven days.
const MOST_STICKINESS_SECS: i64 = 604_800;

/// Actions that decide what becomes of a request: one of them comes last, and none before.
const LAST: [&str; 3] = ["forward", "redirect", "fixed-response"];
/// Actions that let a request pass or not, with their configuration.
const BEFORE: [(&str, &str); 3] = [
    ("authenticate-oidc", "AuthenticateOidcConfig"),
    ("authenticate-cognito", "AuthenticateCognitoConfig"),
    ("jwt-validation", "JwtValidationConfig"),
];
const OIDC: &str = "AuthenticateOidcConfig";
/// A map among the members of an authentication, which the query protocol spells as entries.
const PARAMETERS: &str = "AuthenticationRequestExtraParams";

/// The actions to keep for those that were given, in their order, or why they are refused. Secrets
/// that are to stay come from the `old` actions.
pub(super) fn checked(
    elb: &Elb,
    protocol: Option<&Value>,
    given: Option<&Value>,
    old: Option<&Value>,
) -> Result<Value, ApiError> {
    let mut actions = given.and_then(Value::as_array).cloned().unwrap_or_default();
    if actions.is_empty() {
        return Err(operations::validation(
            "A listener or rule must have at least one action",
        ));
    }

    check_orders(&actions)?;
    actions.sort_by_key(order);
    let (last, before) = actions.split_last().expect("there is at least one");
    let is_last = |action: &Value| LAST.iter().any(|kind| action["Type"] == *kind);
    if !is_last(last) || before.iter().any(is_last) {
        return Err(invalid(
            "The last action, and only the last, must be of type forward, redirect or \
             fixed-response",
        ));
    }

    for action in before {
        check_authentication(action, protocol)?;
    }
    if last["Type"] == "forward" {
        check_forward(elb, last)?;
    }

    actions
        .iter_mut()
        .try_for_each(|action| keep_secret(action, old))?;
    actions.iter_mut().for_each(plain_parameters);
    Ok(actions.into())
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn order(action: &Value) -> i64 {
    number(&action["Order"]).unwrap_or(0)
}

/// Several actions need an order each, and no two the same.
fn check_orders(actions: &[Value]) -> Result<(), ApiError> {
    let mut orders: Vec<i64> = actions.iter().map(order).collect();
    let given = |order: &i64| (1..=MOST_ORDER).contains(order);
    let absent = actions.len() == 1 && actions[0]["Order"].is_null();
    orders.sort_unstable();
    if !absent && (!orders.iter().all(given) || orders.windows(2).any(|pair| pair[0] == pair[1])) {
        return Err(invalid(
            "Each of several actions must have an order of its own, from 1 to 50000",
        ));
    }
    Ok(())
}

fn check_authentication(action: &Value, protocol: Option<&Value>) -> Result<(), ApiError> {
    let kind = action["Type"].as_str().unwrap_or_default();
    let Some((_, config)) = BEFORE.iter().find(|(known, _)| *known == kind) else {
        return Err(operations::validation(&format!(
            "'{kind}' is not a valid action type"
        )));
    };
    if !action[*config].is_object() {
        return Err(operations::validation(&format!(
            "{config} must be specified for an action of type '{kind}'"
        )));
    }
    if protocol.is_none_or(|protocol| protocol != "HTTPS") {
        return Err(invalid(format!(
            "Actions of type '{kind}' are supported only on HTTPS listeners"
        )));
    }
    Ok(())
}

fn check_forward(elb: &Elb, action: &Value) -> Result<(), ApiError> {
    let forwards = Elb::forwards(Some(&json!([action])));
    let plain = action["TargetGroupArn"].as_str();
    if forwards.is_empty() {
        return Err(operations::validation(
            "A target group ARN must be specified",
        ));
    }
    if plain.is_some_and(|plain| forwards.iter().any(|(group, _)| group != plain)) {
        return Err(operations::validation(
            "TargetGroupArn and ForwardConfig must name the same single target group",
        ));
    }
    if forwards
        .iter()
        .any(|(group, _)| !elb.target_groups.contains_key(group))
    {
        return Err(operations::target_group_not_found());
    }
    if let Some((_, weight)) = forwards
        .iter()
        .find(|(_, weight)| !(0..=MOST_WEIGHT).contains(weight))
    {
        return Err(operations::validation(&format!(
            "The weight '{weight}' must be between 0 and {MOST_WEIGHT}"
        )));
    }
    if forwards.len() > MOST_TARGET_GROUPS {
        let message = format!(
            "You have reached the maximum number of target groups that you can specify for a \
             forward action: {MOST_TARGET_GROUPS}"
        );
        return Err(ApiError::client(
            "TooManyUniqueTargetGroupsPerLoadBalancer",
            message,
        ));
    }

    check_stickiness(elb, action, &forwards)
}

/// Several groups need the stickiness of the rule if one of them binds clients to its targets.
fn check_stickiness(elb: &Elb, action: &Value, forwards: &[(String, i64)]) -> Result<(), ApiError> {
    let stickiness = &action["ForwardConfig"]["TargetGroupStickinessConfig"];
    let is_on = is_true(&stickiness["Enabled"]);
    let secs = number(&stickiness["DurationSeconds"]);
    let is_valid = |secs: i64| (1..=MOST_STICKINESS_SECS).contains(&secs);
    if secs.is_some_and(|secs| !is_valid(secs)) || (is_on && secs.is_none()) {
        return Err(operations::validation(
            "The stickiness duration must be between 1 and 604800 seconds",
        ));
    }

    let mut groups = forwards
        .iter()
        .filter_map(|(arn, _)| elb.target_groups.get(arn));
    let binds = groups.any(|group| group.attribute("stickiness.enabled") == Some("true"));
    if binds && forwards.len() > 1 && !is_on {
        return Err(invalid(
            "You must enable group stickiness on a rule if you enabled target stickiness on one of \
             its target groups",
        ));
    }
    Ok(())
}

fn is_true(value: &Value) -> bool {
    !value.is_null() && text(value) == "true"
}

/// A modified authentication has its client secret again, or keeps the one that is there.
fn keep_secret(action: &mut Value, old: Option<&Value>) -> Result<(), ApiError> {
    let Some(config) = action.get_mut(OIDC).and_then(Value::as_object_mut) else {
        return Ok(());
    };

    let stays = config
        .shift_remove("UseExistingClientSecret")
        .is_some_and(|value| is_true(&value));
    match (config.contains_key("ClientSecret"), stays) {
        (true, false) => Ok(()),
        (true, true) => Err(invalid(
            "You cannot both specify a client secret and set UseExistingClientSecret to true",
        )),
        (false, true) => {
            let mut configs = old
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .map(|action| &action[OIDC]);
            let secret = configs.find_map(|config| config.get("ClientSecret"));
            let secret =
                secret.ok_or_else(|| invalid("There is no existing client secret to use"))?;
            config.insert("ClientSecret".to_owned(), secret.clone());

            Ok(())
        }
        (false, false) => Err(invalid(
            "ClientSecret must be specified unless UseExistingClientSecret is true",
        )),
    }
}

/// Entries of a map become the map.
fn plain_parameters(action: &mut Value) {
    for (_, config) in BEFORE {
        let Some(parameters) = action
            .get_mut(config)
            .and_then(|config| config.get_mut(PARAMETERS))
        else {
            continue;
        };
        let Some(entries) = parameters.get("entry").and_then(Value::as_object) else {
            continue;
        };

        let pair =
            |entry: &Value| Some((entry["key"].as_str()?.to_owned(), entry["value"].clone()));
        let plain: Map<String, Value> = entries.values().filter_map(pair).collect();
        *parameters = Value::Object(plain);
    }
}

/// Actions as AWS returns them: a forward to one group is also a forward configuration with weight
/// 1, and secrets are omitted.
pub(super) fn described(actions: Option<&Value>) -> Value {
    actions
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(describe)
        .collect()
}

fn describe(action: &Value) -> Value {
    let mut action = action.as_object().cloned().unwrap_or_default();
    if action.get("Type").is_some_and(|kind| kind == "forward") {
        complete_forward(&mut action);
    }
    for (_, name) in BEFORE {
        let Some(config) = action.get_mut(name).and_then(Value::as_object_mut) else {
            continue;
        };

        config.shift_remove("ClientSecret");
        if let Some(Value::Object(parameters)) = config.get(PARAMETERS) {
            let entries: Value = parameters
                .iter()
                .map(|(key, value)| json!({"key": key, "value": value}))
                .collect();
            config.insert(PARAMETERS.to_owned(), json!({ "entry": entries }));
        }
    }
    Value::Object(action)
}

fn complete_forward(action: &mut Map<String, Value>) {
    let groups = Elb::forwards(Some(&json!([action])));
    if let [(only, _)] = groups.as_slice() {
        action.insert("TargetGroupArn".to_owned(), only.clone().into());
    }

    let config = action
        .entry("ForwardConfig")
        .or_insert_with(|| Map::new().into());
    config["TargetGroups"] = groups
        .into_iter()
        .map(|(arn, weight)| json!({"TargetGroupArn": arn, "Weight": weight}))
        .collect();

    if config.get("TargetGroupStickinessConfig").is_none() {
        config["TargetGroupStickinessConfig"] = json!({"Enabled": false});
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidLoadBalancerAction", message)
}
