//! Pipelines.

use serde_json::{Value, json};

use super::{Made, ResourceType, Update, Wish, answered, gone, iam};
use crate::Aws;
use crate::cloudformation::error::{At, Problem};
use crate::cloudformation::schema;
use crate::cloudformation::stack::StackResource;
use crate::codepipeline;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::CodePipeline::Pipeline",
    create,
    update: Update::InPlace(update),
    delete,
}];

/// What other operations than CreatePipeline do.
const NOT_MODELLED: [&str; 3] = [
    "ArtifactStores",
    "DisableInboundStageTransitions",
    "RestartExecutionOnUpdate",
];

fn create(aws: &mut Aws, wish: &Wish) -> Result<Made, Problem> {
    let name = wish.name(aws, "Name");
    let mut input = json!({ "pipeline": declaration(aws, &name, wish)? });
    if let Some(tags) =
        schema::to_api(&wish.properties, schema::of("AWS::CodePipeline::Pipeline")).get("tags")
    {
        input["tags"] = tags.clone();
    }

    let answer = codepipeline::call(aws, "CreatePipeline", &input)?;
    made(name, &answer)
}

fn update(aws: &mut Aws, old: &StackResource, wish: &Wish) -> Result<Made, Problem> {
    super::refuse_changes(old, wish, &["Name", "Tags"])?;
    let input = json!({ "pipeline": declaration(aws, &old.physical_id, wish)? });
    let answer = codepipeline::call(aws, "UpdatePipeline", &input)?;
    made(old.physical_id.clone(), &answer)
}

fn declaration(aws: &Aws, name: &str, wish: &Wish) -> Result<Value, Problem> {
    if let Some(unknown) = NOT_MODELLED.iter().find(|property| {
        wish.properties
            .get(**property)
            .is_some_and(|value| *value != false)
    }) {
        return Err(Problem::new("the sandbox does not model this property")).at(unknown);
    }

    iam::check_trust(
        aws,
        wish.text("RoleArn").unwrap_or_default(),
        "codepipeline.amazonaws.com",
    )
    .at("RoleArn")?;
    let mut declaration = schema::to_api(
        &wish.without(&["Tags", NOT_MODELLED[2]]),
        schema::of("AWS::CodePipeline::Pipeline"),
    );
    declaration["name"] = json!(name);

    Ok(declaration)
}

fn made(name: String, answer: &Value) -> Result<Made, Problem> {
    answered(answer, "/pipeline/name")?;
    let version = answer["pipeline"]["version"].to_string();
    Ok(Made::new(name, json!({ "Version": version })))
}

fn delete(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    gone(codepipeline::call(
        aws,
        "DeletePipeline",
        &json!({ "name": old.physical_id }),
    ))
}
