//! Creating, changing and reading pipeline definitions.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::declaration::Declaration;
use super::input::{self, ANY as ARN, Checks, NAME};
use super::state::{Ending, ExecutionStatus, Lane, Pipeline};
use super::{endings, engine, known, structure};
use crate::tags::{TagFault, TagRules};
use crate::{ApiError, Aws, Quirk};

fn parse(aws: &mut Aws, given: &Value) -> Result<Declaration, ApiError> {
    let declaration = Declaration::parse(given, &aws.region, &aws.codepipeline.action_types)?;
    structure::check(&declaration)?;
    match structure::mistyped(&declaration) {
        // Whether values are compared with the types is not documented: drawn once an account.
        Some(refusal) if aws.draw_quirk(Quirk::ChecksPropertyTypes) => Err(refusal),
        _ => Ok(declaration),
    }
}

/// The definition as GetPipeline returns it, with its version and the defaults filled in.
fn stored(given: &Value, declaration: &Declaration, version: usize) -> Value {
    let mut stored = given.clone();
    stored["version"] = json!(version);
    stored["executionMode"] = json!(declaration.mode.as_str());

    if stored["pipelineType"].is_null() {
        stored["pipelineType"] = json!("V1");
    }
    for action in stored["stages"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .flat_map(|stage| stage["actions"].as_array_mut())
        .flatten()
    {
        let defaults = [
            ("runOrder", json!(1)),
            ("configuration", json!({})),
            ("inputArtifacts", json!([])),
            ("outputArtifacts", json!([])),
        ];
        for (member, default) in defaults {
            if action[member].is_null() {
                action[member] = default;
            }
        }
    }
    stored
}

/// Source: <https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_CreatePipeline.html>
const TAGS: TagRules = TagRules {
    key: "key",
    value: "value",
    least_value_chars: 0,
    refuse: |fault| {
        let code = match fault {
            TagFault::TooMany => "TooManyTagsException",
            TagFault::Length(_) => "ValidationException",
            _ => "InvalidTagsException",
        };
        Some(ApiError::client(code, fault.to_string()))
    },
};

pub(super) fn create(aws: &mut Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(given, &["pipeline", "tags"])?;
    let declaration = parse(aws, &given["pipeline"])?;
    TAGS.check(input::list(&given["tags"], "tags")?)?;
    let name = declaration.name.clone();
    if aws.codepipeline.pipelines.contains_key(&name) {
        let message = format!(
            "A pipeline with the name '{name}' already exists in account '{}'",
            aws.account
        );
        return Err(ApiError::client("PipelineNameInUseException", message));
    }
    let most = aws.quotas.pipelines;
    if aws.codepipeline.pipelines.len() >= most {
        let message =
            format!("The account has reached its limit of {most} pipelines in this region");
        return Err(ApiError::client("LimitExceededException", message));
    }

    let stored = stored(&given["pipeline"], &declaration, 1);
    let (variables, missing) = default_variables(&declaration);
    let pipeline = Pipeline {
        name: name.clone(),
        arn: aws.arn("codepipeline", &name),
        lanes: lanes(&declaration, Vec::new()),
        declaration: Arc::new(declaration),
        versions: vec![stored.clone()],
        tags: given.get("tags").cloned().unwrap_or_else(|| json!([])),
        created: aws.now,
        updated: aws.now,
        start_tokens: BTreeMap::new(),
    };
    aws.codepipeline.pipelines.insert(name.clone(), pipeline);

    // A pipeline starts as soon as it exists, unless it has variables without a default.
    if missing.is_none() {
        engine::start(aws, &name, "CreatePipeline", Vec::new(), variables);
    }
    Ok(json!({"pipeline": stored, "tags": given.get("tags").cloned().unwrap_or_else(|| json!([]))}))
}

/// The variables' default values, and a variable that has none.
pub(super) fn default_variables(
    declaration: &Declaration,
) -> (BTreeMap<String, String>, Option<String>) {
    let values = declaration
        .variables
        .iter()
        .filter_map(|known| Some((known.name.clone(), known.default.clone()?)));
    let missing = declaration
        .variables
        .iter()
        .find(|known| known.default.is_none());

    (
        values.collect(),
        missing.map(|variable| variable.name.clone()),
    )
}

/// A lane for every stage; a stage that was there before keeps its lock and its transitions.
fn lanes(declaration: &Declaration, before: Vec<Lane>) -> Vec<Lane> {
    let lane = |name: &String| {
        let known = before.iter().find(|lane| lane.stage == *name).cloned();
        known.unwrap_or_else(|| Lane {
            stage: name.clone(),
            ..Lane::default()
        })
    };
    declaration
        .stages
        .iter()
        .map(|stage| lane(&stage.name))
        .collect()
}

pub(super) fn update(aws: &mut Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(given, &["pipeline"])?;
    let declaration = parse(aws, &given["pipeline"])?;
    let name = declaration.name.clone();
    let version = known(aws, &name)?.versions.len() + 1;
    let stored = stored(&given["pipeline"], &declaration, version);
    let now = aws.now;

    cancel_all(aws, &name);
    if let Some(pipeline) = aws.codepipeline.pipelines.get_mut(&name) {
        pipeline.lanes = lanes(&declaration, std::mem::take(&mut pipeline.lanes));
        pipeline.declaration = Arc::new(declaration);
        pipeline.versions.push(stored.clone());
        pipeline.updated = now;
    }
    Ok(json!({ "pipeline": stored }))
}

/// Executions of an old definition are cancelled. Whether their actions in progress may finish
/// first is not documented: drawn.
fn cancel_all(aws: &mut Aws, pipeline: &str) {
    let abandon = aws.draw_quirk(Quirk::AbandonsActions);
    for id in unfinished(aws, pipeline) {
        endings::end_early(aws, &id, Ending::Cancel, abandon);
    }
}

fn unfinished(aws: &Aws, pipeline: &str) -> Vec<String> {
    let open = aws
        .codepipeline
        .executions
        .iter()
        .filter(|one| one.pipeline == pipeline && !one.is_over());
    // The youngest first, so that an older one's lock does not pass to one that is about to end.
    open.rev().map(|execution| execution.id.clone()).collect()
}

pub(super) fn delete(aws: &mut Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(given, &["name"])?;
    let mut checks = Checks::default();
    let name = checks.text(&given["name"], "name", &NAME)?;
    checks.done()?;

    for id in unfinished(aws, name) {
        endings::end_early(aws, &id, Ending::Cancel, true);
        endings::end(aws, &id, ExecutionStatus::Cancelled);
    }

    // Deleting a pipeline that does not exist succeeds.
    aws.codepipeline.pipelines.remove(name);
    Ok(json!({}))
}

pub(super) fn get(aws: &Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(given, &["name", "version"])?;
    let mut checks = Checks::default();
    let name = checks.text(&given["name"], "name", &NAME)?;
    let version = checks.number(&given["version"], "version", 1, i64::MAX)?;
    checks.done()?;
    let pipeline = known(aws, name)?;
    let version = version.map_or(pipeline.versions.len(), |version| version as usize);
    let definition = pipeline.versions.get(version - 1).ok_or_else(|| {
        let message = format!("Pipeline '{name}' does not have a version '{version}'");
        ApiError::client("PipelineVersionNotFoundException", message)
    })?;

    Ok(
        json!({"pipeline": definition, "metadata": {"pipelineArn": pipeline.arn,
        "created": Aws::seconds(pipeline.created), "updated": Aws::seconds(pipeline.updated)}}),
    )
}

pub(super) fn tags(aws: &Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(given, &["resourceArn", "nextToken", "maxResults"])?;
    let mut checks = Checks::default();
    let arn = checks.text(&given["resourceArn"], "resourceArn", &ARN)?;
    checks.done()?;
    let pipeline = aws
        .codepipeline
        .pipelines
        .values()
        .find(|pipeline| pipeline.arn == arn);
    let tags = pipeline
        .map(|pipeline| pipeline.tags.as_array().cloned().unwrap_or_default())
        .ok_or_else(|| {
            ApiError::client(
                "ResourceNotFoundException",
                format!("Could not find the resource with the ARN {arn}"),
            )
        })?;
    input::page(aws, given, "tags", tags, 100)
}

pub(super) fn list(aws: &Aws, given: &Value) -> Result<Value, ApiError> {
    input::only(given, &["nextToken", "maxResults"])?;
    let summary = |pipeline: &Pipeline| {
        let newest = pipeline.versions.last();
        json!({"name": pipeline.name, "version": pipeline.versions.len(),
            "pipelineType": newest.map(|definition| &definition["pipelineType"]),
            "executionMode": pipeline.declaration.mode.as_str(),
            "created": Aws::seconds(pipeline.created), "updated": Aws::seconds(pipeline.updated)})
    };

    input::page(
        aws,
        given,
        "pipelines",
        aws.codepipeline.pipelines.values().map(summary).collect(),
        1000,
    )
}
