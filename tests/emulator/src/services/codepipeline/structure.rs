//! The rules by which stages, actions, artifacts and variables of a pipeline fit together.

use std::collections::BTreeSet;

use super::declaration::{ActionDeclaration, Declaration, Provider, StageDeclaration};
use super::variables;
use crate::ApiError;

const STAGES: usize = 50;
const ACTIONS_IN_A_STAGE: usize = 50;

/// Namespaces that CodePipeline keeps for itself.
const RESERVED_NAMESPACES: [&str; 2] = ["codepipeline", "variables"];

fn structure(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidStructureException", message)
}

fn stage_error(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidStageDeclarationException", message)
}

fn action_error(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidActionDeclarationException", message)
}

pub(super) fn check(declaration: &Declaration) -> Result<(), ApiError> {
    check_stages(declaration)?;
    let every = || declaration.stages.iter().flat_map(|stage| &stage.actions);
    every().try_for_each(check_action)?;
    if let Some(twice) = repeated(every().filter_map(|action| action.namespace.as_deref())) {
        return Err(action_error(format!(
            "The namespace '{twice}' is used by more than one action"
        )));
    }
    if let Some(twice) = repeated(
        every()
            .flat_map(|action| &action.output_artifacts)
            .map(String::as_str),
    ) {
        return Err(structure(format!(
            "Output artifact name {twice} must be unique within the pipeline"
        )));
    }
    if let Some(twice) = repeated(
        declaration
            .variables
            .iter()
            .map(|variable| variable.name.as_str()),
    ) {
        return Err(structure(format!(
            "Pipeline variable {twice} is declared more than once"
        )));
    }
    check_order(declaration)
}

fn check_stages(declaration: &Declaration) -> Result<(), ApiError> {
    let stages = &declaration.stages;
    if stages.len() < 2 {
        return Err(structure("Pipeline should have at least 2 stages"));
    }
    if stages.len() > STAGES {
        return Err(ApiError::client(
            "LimitExceededException",
            format!("Pipeline has more than {STAGES} stages"),
        ));
    }
    if let Some(twice) = repeated(stages.iter().map(|stage| stage.name.as_str())) {
        return Err(stage_error(format!(
            "Stage name '{twice}' must be unique within the pipeline"
        )));
    }
    if !stages[0]
        .actions
        .iter()
        .all(|action| action.provider.is_source())
    {
        return Err(structure(format!(
            "Pipeline must start with a stage that contains only source actions; stage '{}' \
            contains others",
            stages[0].name
        )));
    }
    if let Some(late) = stages[1..].iter().find(|stage| {
        stage
            .actions
            .iter()
            .any(|action| action.provider.is_source())
    }) {
        return Err(structure(format!(
            "Only the first stage may contain source actions, stage '{}' contains one",
            late.name
        )));
    }
    stages.iter().try_for_each(check_stage)
}

fn check_stage(stage: &StageDeclaration) -> Result<(), ApiError> {
    if stage.actions.is_empty() {
        return Err(stage_error(format!(
            "Stage '{}' must have at least one action",
            stage.name
        )));
    }
    if stage.actions.len() > ACTIONS_IN_A_STAGE {
        return Err(stage_error(format!(
            "Stage '{}' has more than {ACTIONS_IN_A_STAGE} actions",
            stage.name
        )));
    }

    match repeated(stage.actions.iter().map(|action| action.name.as_str())) {
        Some(twice) => Err(stage_error(format!(
            "Action name '{twice}' must be unique within stage '{}'",
            stage.name
        ))),
        None => Ok(()),
    }
}

fn check_action(action: &ActionDeclaration) -> Result<(), ApiError> {
    check_configuration(action)?;
    check_artifact_counts(action)?;

    let name = &action.name;
    if action
        .namespace
        .as_deref()
        .is_some_and(|namespace| RESERVED_NAMESPACES.contains(&namespace))
    {
        return Err(action_error(format!(
            "The namespace of action '{name}' is reserved"
        )));
    }
    check_sources(action)?;
    if action.timeout_minutes.is_some() && action.provider != Provider::Manual {
        return Err(action_error(format!(
            "timeoutInMinutes is supported for manual approval actions only, not for '{name}'"
        )));
    }
    Ok(())
}

/// An action has all required configuration keys of its provider, and no unknown ones.
fn check_configuration(action: &ActionDeclaration) -> Result<(), ApiError> {
    let name = &action.name;
    let (required, optional) = action.provider.configuration();
    if let Some(key) = required
        .iter()
        .find(|key| !action.configuration.contains_key(**key))
    {
        return Err(action_error(format!(
            "Action configuration for action '{name}' is missing required configuration '{key}'"
        )));
    }
    let unknown = action
        .configuration
        .keys()
        .find(|key| !required.contains(&key.as_str()) && !optional.contains(&key.as_str()));
    if let Some(key) = unknown {
        return Err(action_error(format!(
            "Action configuration for action '{name}' contains unknown configuration '{key}'"
        )));
    }
    Ok(())
}

/// The refusal of a literal value that is not of the type of its property: what a variable becomes
/// is not known yet.
pub(super) fn mistyped(declaration: &Declaration) -> Option<ApiError> {
    let mut every = declaration.stages.iter().flat_map(|stage| &stage.actions);
    every.find_map(|action| {
        let Provider::Custom(of_type) = &action.provider else {
            return None;
        };
        let wrong = of_type.properties.iter().find(|property| {
            let value = action.configuration.get(&property.name);
            value.is_some_and(|value| !value.contains("#{") && !property.takes(value))
        })?;
        Some(action_error(format!(
            "Action configuration for action '{}' has a value of another type for '{}'",
            action.name, wrong.name
        )))
    })
}

fn check_artifact_counts(action: &ActionDeclaration) -> Result<(), ApiError> {
    let name = &action.name;
    let [inputs, outputs] = action.provider.artifacts();
    let counts = [
        ("input", inputs, action.input_artifacts.len()),
        ("output", outputs, action.output_artifacts.len()),
    ];

    for (kind, (least, most), count) in counts {
        if !(least..=most).contains(&count) {
            return Err(action_error(format!(
                "Action {name} declares {count} {kind} artifacts which is not in the valid \
                range of [{least}, {most}]"
            )));
        }
    }
    Ok(())
}

/// A build of several artifacts states which of them has its build spec.
fn check_sources(action: &ActionDeclaration) -> Result<(), ApiError> {
    if !matches!(action.provider, Provider::Build | Provider::Test) {
        return Ok(());
    }

    let inputs = &action.input_artifacts;
    match action.configuration.get("PrimarySource") {
        Some(primary) if inputs.contains(primary) => Ok(()),
        None if inputs.len() == 1 => Ok(()),
        _ => Err(action_error(format!(
            "The PrimarySource of action '{}' must be the name of one of its input artifacts",
            action.name
        ))),
    }
}

/// Artifacts and variables can only be used after the action that makes them.
fn check_order(declaration: &Declaration) -> Result<(), ApiError> {
    let (mut artifacts, mut namespaces) = (BTreeSet::new(), BTreeSet::from(RESERVED_NAMESPACES));
    for stage in &declaration.stages {
        let orders: BTreeSet<u32> = stage
            .actions
            .iter()
            .map(|action| action.run_order)
            .collect();
        for order in orders {
            let group = || {
                stage
                    .actions
                    .iter()
                    .filter(move |action| action.run_order == order)
            };
            for action in group() {
                if let Some(missing) = action
                    .input_artifacts
                    .iter()
                    .find(|name| !artifacts.contains(name.as_str()))
                {
                    return Err(structure(format!(
                        "Input Artifact Bundle {missing} in action {} is not declared as output \
                        artifact in any of the preceding actions",
                        action.name
                    )));
                }
                check_references(declaration, stage, action, &namespaces)?;
            }

            artifacts.extend(
                group()
                    .flat_map(|action| &action.output_artifacts)
                    .map(String::as_str),
            );
            namespaces.extend(group().filter_map(|action| action.namespace.as_deref()));
        }
    }
    Ok(())
}

fn check_references(
    declaration: &Declaration,
    stage: &StageDeclaration,
    action: &ActionDeclaration,
    namespaces: &BTreeSet<&str>,
) -> Result<(), ApiError> {
    for (key, value) in &action.configuration {
        for reference in variables::references(value) {
            let known = match reference.split_once('.') {
                Some(("variables", name)) => declaration
                    .variables
                    .iter()
                    .any(|variable| variable.name == name),
                Some(("codepipeline", name)) => name == "PipelineExecutionId",
                Some((namespace, _)) => namespaces.contains(namespace),
                None => false,
            };
            if !known {
                return Err(action_error(format!(
                    "Valid format for a pipeline execution variable reference is a namespace and \
                     a key separated by a period (.). The following pipeline execution variables \
                     are referencing a namespace that does not exist. StageName=[{}], \
                     ActionName=[{}], ActionConfigurationKey=[{key}], \
                     VariableReferenceText=[{reference}]",
                    stage.name, action.name
                )));
            }
        }
    }
    Ok(())
}

fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}
