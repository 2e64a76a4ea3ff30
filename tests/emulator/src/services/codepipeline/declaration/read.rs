//! Reads a declaration from JSON, and names what is wrong with it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::ApiError;
use crate::codepipeline::ActionTypes;
use crate::codepipeline::input::{
    self, ActionTypeName, Checks, NAME, NAMESPACE, VARIABLE_NAME, VARIABLE_VALUE, between,
};
use crate::validation::{Quoted, violation};

use super::{ActionDeclaration, Mode, Provider, StageDeclaration, Variable};

const ACTION_MEMBERS: [&str; 10] = [
    "name",
    "actionTypeId",
    "runOrder",
    "configuration",
    "outputArtifacts",
    "inputArtifacts",
    "roleArn",
    "region",
    "namespace",
    "timeoutInMinutes",
];

const MOST_VARIABLES: usize = 50;

/// The artifact store: the only one, or that of this region.
pub(super) fn store<'a>(pipeline: &'a Value, region: &str) -> Result<&'a Value, ApiError> {
    match (&pipeline["artifactStore"], &pipeline["artifactStores"]) {
        (Value::Null, Value::Null) => {
            let message = "Pipeline must have exactly one of artifactStore and artifactStores";
            Err(ApiError::client("InvalidStructureException", message))
        }
        (store, Value::Null) => Ok(store),
        (Value::Null, stores) => Ok(&stores[region]),
        _ => Err(input::invalid(
            "artifactStore and artifactStores cannot both be given",
        )),
    }
}

pub(super) fn mode(checks: &mut Checks, pipeline: &Value) -> Result<Mode, ApiError> {
    let words = ["QUEUED", "SUPERSEDED", "PARALLEL"];
    let mode = match &pipeline["executionMode"] {
        Value::Null => "SUPERSEDED",
        given => checks.one_of(given, "pipeline.executionMode", &words)?,
    };
    let kind = match &pipeline["pipelineType"] {
        Value::Null => "V1",
        given => checks.one_of(given, "pipeline.pipelineType", &["V1", "V2"])?,
    };
    let has_variables = pipeline["variables"]
        .as_array()
        .is_some_and(|variables| !variables.is_empty());
    if kind == "V1" && (mode != "SUPERSEDED" || has_variables) {
        let message = "Pipeline type V1 supports neither pipeline-level variables nor the \
            execution mode; use V2";
        return Err(ApiError::client("InvalidStructureException", message));
    }

    Ok(match mode {
        "QUEUED" => Mode::Queued,
        "PARALLEL" => Mode::Parallel,
        _ => Mode::Superseded,
    })
}

pub(super) fn read_stage(
    checks: &mut Checks,
    stage: &Value,
    types: &ActionTypes,
) -> Result<StageDeclaration, ApiError> {
    input::only(stage, &["name", "actions", "blockers"])?;
    let actions = input::list(&stage["actions"], "pipeline.stages.member.actions")?;

    Ok(StageDeclaration {
        name: checks
            .text(&stage["name"], "pipeline.stages.member.name", &NAME)?
            .to_owned(),
        actions: actions
            .iter()
            .map(|action| read_action(checks, action, types))
            .collect::<Result<_, _>>()?,
    })
}

pub(super) fn check_role(role: &str) -> Result<(), ApiError> {
    if role.starts_with("arn:") && role.contains(":role/") {
        return Ok(());
    }

    Err(input::invalid(violation(
        Quoted::Text(role),
        "pipeline.roleArn",
        "Member must satisfy regular expression pattern: \
         arn:aws(-[\\w]+)*:iam::[0-9]{12}:role/.*",
    )))
}

pub(super) fn read_variables(
    checks: &mut Checks,
    pipeline: &Value,
) -> Result<Vec<Variable>, ApiError> {
    let variables = input::list(&pipeline["variables"], "pipeline.variables")?;
    if variables.len() > MOST_VARIABLES {
        let constraint = format!("Member must have length less than or equal to {MOST_VARIABLES}");
        return Err(input::invalid(violation(
            Quoted::Omitted,
            "pipeline.variables",
            &constraint,
        )));
    }

    variables
        .iter()
        .map(|variable| read_variable(checks, variable))
        .collect()
}

fn read_variable(checks: &mut Checks, variable: &Value) -> Result<Variable, ApiError> {
    input::only(variable, &["name", "defaultValue", "description"])?;
    checks.optional(
        &variable["description"],
        "pipeline.variables.member.description",
        &between(0, 200),
    )?;
    let default = checks.optional(
        &variable["defaultValue"],
        "pipeline.variables.member.defaultValue",
        &VARIABLE_VALUE,
    )?;

    Ok(Variable {
        name: checks
            .text(
                &variable["name"],
                "pipeline.variables.member.name",
                &VARIABLE_NAME,
            )?
            .to_owned(),
        default: default.map(str::to_owned),
    })
}

fn read_action(
    checks: &mut Checks,
    action: &Value,
    types: &ActionTypes,
) -> Result<ActionDeclaration, ApiError> {
    const AT: &str = "pipeline.stages.member.actions.member";

    input::only(action, &ACTION_MEMBERS)?;
    let name = checks
        .text(&action["name"], &format!("{AT}.name"), &NAME)?
        .to_owned();
    let run_order = checks
        .number(&action["runOrder"], &format!("{AT}.runOrder"), 1, 999)?
        .unwrap_or(1);
    let timeout = checks.number(
        &action["timeoutInMinutes"],
        &format!("{AT}.timeoutInMinutes"),
        5,
        86_400,
    )?;
    let namespace =
        checks.optional(&action["namespace"], &format!("{AT}.namespace"), &NAMESPACE)?;
    let region = checks.optional(&action["region"], &format!("{AT}.region"), &between(4, 30))?;
    let mut artifacts = |member: &str| -> Result<Vec<String>, ApiError> {
        let path = format!("{AT}.{member}");
        let list = input::list(&action[member], &path)?;

        list.iter()
            .map(|artifact| {
                Ok(checks
                    .text(&artifact["name"], &path, &between(1, 100))?
                    .to_owned())
            })
            .collect()
    };

    Ok(ActionDeclaration {
        provider: provider(&action["actionTypeId"], &name, types)?,
        run_order: run_order as u32,
        input_artifacts: artifacts("inputArtifacts")?,
        output_artifacts: artifacts("outputArtifacts")?,
        configuration: configuration(checks, &action["configuration"])?,
        namespace: namespace.map(str::to_owned),
        region: region.map(str::to_owned),
        timeout_minutes: timeout.map(|minutes| minutes as u64),
        name,
    })
}

pub(super) fn provider(
    id: &Value,
    action: &str,
    types: &ActionTypes,
) -> Result<Provider, ApiError> {
    let word = |member: &str| id[member].as_str().unwrap_or_default();
    let [category, owner, provider, version] =
        ["category", "owner", "provider", "version"].map(word);

    let of_type = ActionTypeName {
        category,
        owner,
        provider,
        version,
    };
    Provider::of(&of_type, types).ok_or_else(|| {
        let message = format!(
            "ActionType (Category: '{category}', Provider: '{provider}', Owner: '{owner}', \
             Version: '{version}') in action '{action}' is not available"
        );
        ApiError::client("InvalidActionDeclarationException", message)
    })
}

pub(super) fn configuration(
    checks: &mut Checks,
    given: &Value,
) -> Result<BTreeMap<String, String>, ApiError> {
    let mut configuration = BTreeMap::new();
    for (key, value) in given.as_object().into_iter().flatten() {
        let path = format!("pipeline.stages.member.actions.member.configuration.{key}");
        configuration.insert(
            key.clone(),
            checks.text(value, &path, &between(1, 1000))?.to_owned(),
        );
    }
    Ok(configuration)
}
