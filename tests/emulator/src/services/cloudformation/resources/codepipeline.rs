//! Pipelines, and the types of their custom actions.

use serde_json::{Value, json};

use super::{Created, Desired, ResourceType, UpdateMethod, answered, gone, iam};
use crate::Aws;
use crate::cloudformation::error::{At, Problem};
use crate::cloudformation::schema;
use crate::cloudformation::stack::{StackResource, changed};
use crate::cloudformation::tags::PROPERTY;
use crate::codepipeline;

pub(super) const TYPES: &[ResourceType] = &[
    ResourceType {
        name: "AWS::CodePipeline::Pipeline",
        create,
        update: UpdateMethod::InPlace(update),
        delete,
    },
    // The new one is made first, so that it needs another version.
    ResourceType {
        name: "AWS::CodePipeline::CustomActionType",
        create: create_action_type,
        update: UpdateMethod::Replace,
        delete: delete_action_type,
    },
];

/// What other operations than CreatePipeline do.
const NOT_MODELLED: [&str; 3] = [
    "ArtifactStores",
    "DisableInboundStageTransitions",
    "RestartExecutionOnUpdate",
];

fn create(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let name = desired.name(aws, "Name");
    let mut input = json!({ "pipeline": declaration(aws, &name, desired)? });
    if let Some(tags) = tags(desired) {
        input["tags"] = tags;
    }

    let answer = codepipeline::call(aws, "CreatePipeline", &input)?;
    made(name, &answer)
}

/// The tags as the API spells them.
fn tags(desired: &Desired) -> Option<Value> {
    let properties = schema::to_api(&desired.properties, schema::of(desired.kind));
    properties.get("tags").cloned()
}

fn update(aws: &mut Aws, old: &StackResource, desired: &Desired) -> Result<Created, Problem> {
    super::refuse_changes(old, desired, &["Name"])?;
    if let Some(pipeline) = aws.codepipeline.pipelines.get_mut(&old.physical_id) {
        pipeline.tags = tags(desired).unwrap_or_else(|| json!([]));
    }
    // UpdatePipeline makes a new version, and cancels what runs.
    if changed(old, desired) == [PROPERTY] {
        return Ok(Created {
            physical_id: old.physical_id.clone(),
            attributes: old.attributes.clone(),
        });
    }

    let input = json!({ "pipeline": declaration(aws, &old.physical_id, desired)? });
    let answer = codepipeline::call(aws, "UpdatePipeline", &input)?;
    made(old.physical_id.clone(), &answer)
}

fn declaration(aws: &Aws, name: &str, desired: &Desired) -> Result<Value, Problem> {
    if let Some(unknown) = NOT_MODELLED.iter().find(|property| {
        desired
            .properties
            .get(**property)
            .is_some_and(|value| *value != false)
    }) {
        return Err(Problem::new("the sandbox does not model this property")).at(unknown);
    }

    iam::check_trust(
        aws,
        desired.text("RoleArn").unwrap_or_default(),
        "codepipeline.amazonaws.com",
    )
    .at("RoleArn")?;
    let mut declaration = schema::to_api(
        &desired.without(&["Tags", NOT_MODELLED[2]]),
        schema::of("AWS::CodePipeline::Pipeline"),
    );
    declaration["name"] = json!(name);

    Ok(declaration)
}

fn made(name: String, answer: &Value) -> Result<Created, Problem> {
    answered(answer, "/pipeline/name")?;
    let version = answer["pipeline"]["version"].to_string();
    Ok(Created::new(name, json!({ "Version": version })))
}

fn delete(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    gone(codepipeline::call(
        aws,
        "DeletePipeline",
        &json!({ "name": old.physical_id }),
    ))
}

fn create_action_type(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let input = schema::to_api(&desired.properties, schema::of(desired.kind));
    let answer = codepipeline::call(aws, "CreateCustomActionType", &input)?;
    let part = |member: &str| answered(&answer, &format!("/actionType/id/{member}"));
    let (category, provider, version) = (part("category")?, part("provider")?, part("version")?);
    let id = format!("Custom:{category}:{provider}:{version}");
    Ok(Created::new(id, json!({})))
}

fn delete_action_type(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    let parts: Vec<&str> = old.physical_id.split(':').collect();
    let [_, category, provider, version] = parts[..] else {
        return Ok(());
    };
    gone(codepipeline::call(
        aws,
        "DeleteCustomActionType",
        &json!({"category": category, "provider": provider, "version": version}),
    ))
}
