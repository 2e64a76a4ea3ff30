//! The stack that a request for a change describes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::api::{as_given, required, validation};
use super::tags::Tags;
use super::{Stack, format, tags};
use crate::ApiError;
use crate::protocol::query::{Parameters, tree};

/// The members of a request for a change; the last ones have no effect where stacks change at one
/// instant.
const MEMBERS: [&str; 9] = [
    "StackName",
    "TemplateBody",
    "Parameters",
    "Tags",
    "Capabilities",
    "ClientRequestToken",
    "DisableRollback",
    "OnFailure",
    "TimeoutInMinutes",
];

/// The stack that a request creates or updates.
pub(super) struct DesiredStack<'a> {
    pub(super) name: &'a str,
    pub(super) body: &'a str,
    pub(super) given: BTreeMap<String, String>,
    /// None if the stack keeps those that it has.
    pub(super) tags: Option<Tags>,
    pub(super) capabilities: Vec<String>,
}

impl<'a> DesiredStack<'a> {
    pub(super) fn read(
        parameters: &'a Parameters,
        before: Option<&Stack>,
    ) -> Result<Self, ApiError> {
        let mut tree = tree(parameters);
        let tags = tree.get("Tags").map(tags::given).transpose()?;

        // Clients write an empty list as an empty text.
        tree.retain(|_, value| value != "");
        if let Some(unknown) = tree.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            return Err(validation(format!(
                "the sandbox does not serve the member {unknown}"
            )));
        }

        let name = required(parameters, "StackName")?;
        let body = parameters
            .get("TemplateBody")
            .ok_or_else(|| validation("Either Template URL or Template Body must be specified."))?;
        format::check_name(name).map_err(validation)?;
        format::check(body).map_err(validation)?;

        let given = given_parameters(tree.get("Parameters"), before)?;
        let capabilities = tree.get("Capabilities").and_then(Value::as_array);
        let capabilities = capabilities.into_iter().flatten().map(as_given).collect();
        Ok(Self {
            name,
            body,
            given,
            tags,
            capabilities,
        })
    }
}

/// The parameters of a request, with the values of `before` where it wants the previous ones.
fn given_parameters(
    list: Option<&Value>,
    before: Option<&Stack>,
) -> Result<BTreeMap<String, String>, ApiError> {
    let mut given = BTreeMap::new();
    for parameter in list.and_then(Value::as_array).into_iter().flatten() {
        let key = parameter["ParameterKey"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let value = given_value(parameter, &key, before).map_err(|problem| {
            validation(format!("Invalid input for parameter key {key}. {problem}"))
        })?;
        given.insert(key, value);
    }
    Ok(given)
}

/// The value of one parameter, or what is wrong with its input.
fn given_value(
    parameter: &Value,
    key: &str,
    before: Option<&Stack>,
) -> Result<String, &'static str> {
    let value = parameter["ParameterValue"].as_str();
    let (true, Some(before)) = (parameter["UsePreviousValue"] == "true", before) else {
        return value.map(str::to_owned).ok_or("A value is required");
    };
    if value.is_some_and(|value| !value.is_empty()) {
        return Err("Cannot specify usePreviousValue as true and non empty value for a parameter");
    }
    let previous = before.parameters.get(key).map(as_given);
    previous.ok_or(
        "Cannot specify usePreviousValue as true for a parameter key not in the previous template",
    )
}
