//! Policy documents of any kind, refused as IAM refuses them.

use std::fmt::Display;

use serde_json::{Map, Value};

use crate::cloudformation::error::{At, Problem, found};
use crate::cloudformation::iam::items;
use crate::iam::check_statement as check_evaluable;

/// Checks the shape of a policy document: IAM refuses misspelt elements too.
pub(super) fn check_document(document: &Value, of_resource: bool) -> Result<(), Problem> {
    let entries = document.as_object().ok_or_else(|| {
        Problem::new(format!(
            "a policy document is a map, found {}",
            found(document)
        ))
    })?;
    if let Some(unknown) = entries
        .keys()
        .find(|key| !["Version", "Id", "Statement"].contains(&key.as_str()))
    {
        return Err(Problem::new("MalformedPolicyDocument: unknown element")).at(unknown);
    }
    if items(&document["Statement"]).is_empty() {
        return Err(Problem::new("MalformedPolicyDocument: no statement"));
    }

    items(&document["Statement"])
        .iter()
        .enumerate()
        .try_for_each(|(at, statement)| {
            check_statement(statement, of_resource)
                .at(at)
                .at("Statement")
        })
}

pub(super) fn malformed(what: impl Display) -> Problem {
    Problem::new(format!("MalformedPolicyDocument: {what}"))
}

fn check_statement(statement: &Value, of_resource: bool) -> Result<(), Problem> {
    let entries = statement
        .as_object()
        .ok_or_else(|| Problem::new("a statement is a map"))?;
    check_elements(entries)?;
    check_actions(statement)?;

    let has = |one: &str| entries.contains_key(one);
    if of_resource != has("Principal") {
        return Err(malformed(if of_resource {
            "Principal is missing"
        } else {
            "a policy of a role has no Principal"
        }));
    }
    if !of_resource && has("Resource") == has("NotResource") {
        return Err(malformed("a statement has either Resource or NotResource"));
    }
    check_resources(statement)?;

    // Resource policies are evaluated by their own services.
    if of_resource {
        return Ok(());
    }
    check_evaluable(statement).map_err(|unsupported| Problem::new(unsupported.to_string()))
}

/// Checks that the elements are known, that there is an effect, and that there is one element for
/// the actions.
fn check_elements(entries: &Map<String, Value>) -> Result<(), Problem> {
    const ELEMENTS: [&str; 8] = [
        "Sid",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
        "Principal",
    ];

    if let Some(unknown) = entries.keys().find(|key| !ELEMENTS.contains(&key.as_str())) {
        return Err(malformed(format!(
            "unknown element {unknown}; known are {}",
            ELEMENTS.join(", ")
        )));
    }

    let effect = entries.get("Effect").unwrap_or(&Value::Null);
    if effect != "Allow" && effect != "Deny" {
        return Err(malformed(format!(
            "Effect is Allow or Deny, found {effect}"
        )));
    }
    if entries.contains_key("Action") == entries.contains_key("NotAction") {
        return Err(malformed("a statement has either Action or NotAction"));
    }
    Ok(())
}

fn check_actions(statement: &Value) -> Result<(), Problem> {
    for action in items(&statement["Action"])
        .iter()
        .chain(items(&statement["NotAction"]))
    {
        let text = action.as_str().unwrap_or_default();
        if text != "*"
            && !text
                .split_once(':')
                .is_some_and(|(service, name)| !service.is_empty() && !name.is_empty())
        {
            return Err(malformed(format!(
                "an action is service:Operation, found {action}"
            )));
        }
    }
    Ok(())
}

fn check_resources(statement: &Value) -> Result<(), Problem> {
    let resources = items(&statement["Resource"])
        .iter()
        .chain(items(&statement["NotResource"]));
    for resource in resources {
        let text = resource.as_str().unwrap_or_default();
        if text != "*" && text.splitn(6, ':').count() != 6 {
            return Err(malformed(format!(
                "a resource is an ARN or *, found {resource}"
            )));
        }
    }
    Ok(())
}
