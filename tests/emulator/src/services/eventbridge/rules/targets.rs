//! The operations on targets: which are accepted, and what they receive of an event.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{optional, rule_mut, text, validation};
use crate::eventbridge::{RuleTarget, TargetInput, transform};
use crate::{ApiError, Aws};

/// The most targets of a rule.
const TARGETS: usize = 5;

pub(super) fn put(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    let name = text(input, "Rule")?;
    let targets = input["Targets"].as_array().into_iter().flatten();
    let targets: Vec<RuleTarget> = targets.map(target).collect::<Result<_, _>>()?;
    let rule = rule_mut(aws, name)?;
    let mut kept = rule.targets.clone();
    kept.retain(|known| targets.iter().all(|target| target.id != known.id));
    kept.extend(targets);
    if kept.len() > TARGETS {
        let message = "The requested resource exceeds the maximum number allowed.";
        return Err(ApiError::client("LimitExceededException", message));
    }
    rule.targets = kept;

    Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
}

fn target(declared: &Value) -> Result<RuleTarget, ApiError> {
    const KNOWN: [&str; 8] = [
        "Id",
        "Arn",
        "Input",
        "InputPath",
        "InputTransformer",
        "RetryPolicy",
        "DeadLetterConfig",
        "RoleArn",
    ];

    let members: &Map<String, Value> = declared
        .as_object()
        .ok_or_else(|| validation("a target is an object"))?;
    if let Some(unknown) = members
        .keys()
        .find(|member| !KNOWN.contains(&member.as_str()))
    {
        return Err(validation(format!(
            "the sandbox does not model the target member {unknown}"
        )));
    }
    let (id, arn) = (
        text(declared, "Id")?.to_owned(),
        text(declared, "Arn")?.to_owned(),
    );
    if !arn.contains(":lambda:") || !arn.contains(":function:") {
        return Err(validation(format!(
            "Parameter {arn} is not valid. Reason: Provided Arn is not in correct format."
        )));
    }

    Ok(RuleTarget {
        input: read_input(declared, &id)?,
        id,
        arn,
        declared: declared.clone(),
    })
}

fn read_input(declared: &Value, id: &str) -> Result<TargetInput, ApiError> {
    let (constant, path) = (
        optional(declared, "Input")?,
        optional(declared, "InputPath")?,
    );
    match (
        constant,
        path,
        declared
            .get("InputTransformer")
            .filter(|value| !value.is_null()),
    ) {
        (None, None, None) => Ok(TargetInput::Event),
        (Some(json), None, None) => serde_json::from_str(json)
            .map(TargetInput::Constant)
            .map_err(|_| validation(format!("JSON syntax error in input for target {id}."))),
        (None, Some(path), None) if transform::steps(path).is_some() => {
            Ok(TargetInput::Path(path.to_owned()))
        }
        (None, Some(_), None) => Err(validation(format!(
            "JSON path syntax error in input path for target {id}."
        ))),
        (None, None, Some(transformer)) => read_transformer(transformer, id),
        _ => Err(validation(format!(
            "Only one of Input, InputPath, or InputTransformer must be provided for target {id}."
        ))),
    }
}

fn read_transformer(transformer: &Value, id: &str) -> Result<TargetInput, ApiError> {
    let template = text(transformer, "InputTemplate")?.to_owned();
    let mut paths = BTreeMap::new();
    for (name, path) in transformer
        .get("InputPathsMap")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let path = path
            .as_str()
            .ok_or_else(|| validation("InputPathsMap holds strings"))?;
        paths.insert(name.clone(), path.to_owned());
    }

    if paths.len() > 100 {
        return Err(validation(format!(
            "Invalid InputTransformer for target {id}: over a limit."
        )));
    }

    transform::check(&paths, &template, id).map_err(validation)?;
    Ok(TargetInput::Transformer { paths, template })
}

pub(super) fn remove(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    let ids: Vec<&str> = input["Ids"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    rule_mut(aws, text(input, "Rule")?)?
        .targets
        .retain(|target| !ids.contains(&target.id.as_str()));
    Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
}
