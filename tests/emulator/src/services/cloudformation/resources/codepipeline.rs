//! Pipelines.

use serde_json::{Value, json};

use super::{Made, ResourceType, Update, Wish, answered, gone, iam};
use crate::Aws;
use crate::cloudformation::error::{At, Problem};
use crate::cloudformation::schema::Kind::{
    self, Boolean, Integer, List, Map as Entries, Object, Text,
};
use crate::cloudformation::schema::{TAGS, TEXTS, may, need, to_api};
use crate::cloudformation::stack::StackResource;
use crate::codepipeline;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::CodePipeline::Pipeline",
    properties: PIPELINE,
    create,
    update: Update::InPlace(update),
    delete,
}];

const ARTIFACT_STORE: Kind = Object(&[
    may(
        "EncryptionKey",
        Object(&[need("Id", Text), need("Type", Text)]),
    ),
    need("Location", Text),
    need("Type", Text),
]);
const INPUT_ARTIFACTS: Kind = List(&Object(&[need("Name", Text)]));
const ACTION: Kind = Object(&[
    need(
        "ActionTypeId",
        Object(&[
            need("Category", Text),
            need("Owner", Text),
            need("Provider", Text),
            need("Version", Text),
        ]),
    ),
    may("Commands", TEXTS),
    may("Configuration", Entries(&Text)),
    may(
        "EnvironmentVariables",
        List(&Object(&[
            need("Name", Text),
            may("Type", Text),
            need("Value", Text),
        ])),
    ),
    may("InputArtifacts", INPUT_ARTIFACTS),
    need("Name", Text),
    may("Namespace", Text),
    may(
        "OutputArtifacts",
        List(&Object(&[may("Files", TEXTS), need("Name", Text)])),
    ),
    may("OutputVariables", TEXTS),
    may("Region", Text),
    may("RoleArn", Text),
    may("RunOrder", Integer),
    may("TimeoutInMinutes", Integer),
]);
const RULE: Kind = Object(&[
    may("Commands", TEXTS),
    may("Configuration", Entries(&Text)),
    may("InputArtifacts", INPUT_ARTIFACTS),
    need("Name", Text),
    may("Region", Text),
    may("RoleArn", Text),
    need(
        "RuleTypeId",
        Object(&[
            need("Category", Text),
            may("Owner", Text),
            need("Provider", Text),
            may("Version", Text),
        ]),
    ),
    may("TimeoutInMinutes", Integer),
]);
const CONDITIONS: Kind = List(&Object(&[may("Result", Text), may("Rules", List(&RULE))]));
const STAGE: Kind = Object(&[
    need("Actions", List(&ACTION)),
    may("BeforeEntry", Object(&[may("Conditions", CONDITIONS)])),
    may(
        "Blockers",
        List(&Object(&[need("Name", Text), need("Type", Text)])),
    ),
    need("Name", Text),
    may(
        "OnFailure",
        Object(&[
            may("Conditions", CONDITIONS),
            may("Result", Text),
            may("RetryConfiguration", Object(&[may("RetryMode", Text)])),
        ]),
    ),
    may("OnSuccess", Object(&[may("Conditions", CONDITIONS)])),
]);
const FILTER: Kind = Object(&[may("Excludes", TEXTS), may("Includes", TEXTS)]);
const GIT: Kind = Object(&[
    may(
        "PullRequest",
        List(&Object(&[
            may("Branches", FILTER),
            may("Events", TEXTS),
            may("FilePaths", FILTER),
        ])),
    ),
    may(
        "Push",
        List(&Object(&[
            may("Branches", FILTER),
            may("FilePaths", FILTER),
            may("Tags", FILTER),
        ])),
    ),
    need("SourceActionName", Text),
]);
const PIPELINE: Kind = Object(&[
    may("ArtifactStore", ARTIFACT_STORE),
    may(
        "ArtifactStores",
        List(&Object(&[
            need("ArtifactStore", ARTIFACT_STORE),
            need("Region", Text),
        ])),
    ),
    may(
        "DisableInboundStageTransitions",
        List(&Object(&[need("Reason", Text), need("StageName", Text)])),
    ),
    may("ExecutionMode", Text),
    may("Name", Text),
    may("PipelineType", Text),
    may("RestartExecutionOnUpdate", Boolean),
    need("RoleArn", Text),
    need("Stages", List(&STAGE)),
    may("Tags", TAGS),
    may(
        "Triggers",
        List(&Object(&[
            may("GitConfiguration", GIT),
            need("ProviderType", Text),
        ])),
    ),
    may(
        "Variables",
        List(&Object(&[
            may("DefaultValue", Text),
            may("Description", Text),
            need("Name", Text),
        ])),
    ),
]);

/// What other operations than CreatePipeline do.
const NOT_MODELLED: [&str; 3] = [
    "ArtifactStores",
    "DisableInboundStageTransitions",
    "RestartExecutionOnUpdate",
];

fn create(aws: &mut Aws, wish: &Wish) -> Result<Made, Problem> {
    let name = wish.name(aws, "Name");
    let mut input = json!({ "pipeline": declaration(aws, &name, wish)? });
    if let Some(tags) = to_api(&wish.properties, PIPELINE).get("tags") {
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
    let mut declaration = to_api(&wish.without(&["Tags", NOT_MODELLED[2]]), PIPELINE);
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
