//! Projects of CodeBuild, as far as a pipeline's actions use them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Created, Desired, ResourceType, UpdateMethod, iam};
use crate::Aws;
use crate::cloudformation::error::{At, Problem};
use crate::cloudformation::iam::items;
use crate::cloudformation::stack::StackResource;
use crate::codepipeline::Project;

pub(super) const TYPES: &[ResourceType] = &[ResourceType {
    name: "AWS::CodeBuild::Project",
    create,
    update: UpdateMethod::InPlace(update),
    delete,
}];

/// The build spec of a project that names none.
const BUILD_SPEC: &str = "buildspec.yml";

fn create(aws: &mut Aws, desired: &Desired) -> Result<Created, Problem> {
    let name = desired.name(aws, "Name");
    if aws.codepipeline.projects.contains_key(&name) {
        let arn = aws.arn("codebuild", &format!("project/{name}"));
        return Err(Problem::new(format!("Project already exists: {arn}"))).at("Name");
    }
    put(aws, name, desired)
}

fn update(aws: &mut Aws, old: &StackResource, desired: &Desired) -> Result<Created, Problem> {
    super::refuse_changes(old, desired, &["Name"])?;
    put(aws, old.physical_id.clone(), desired)
}

/// Only what an action of a pipeline builds is modelled: both ends of it are the pipeline's.
fn put(aws: &mut Aws, name: String, desired: &Desired) -> Result<Created, Problem> {
    for end in ["Source", "Artifacts"] {
        if desired.properties[end]["Type"] != "CODEPIPELINE" {
            let message = "the sandbox models the type CODEPIPELINE only";
            return Err(Problem::new(message)).at("Type").at(end);
        }
    }
    let role = desired.text("ServiceRole").unwrap_or_default().to_owned();
    iam::check_trust(aws, &role, "codebuild.amazonaws.com").at("ServiceRole")?;

    let text = |value: &Value| value.as_str().map(str::to_owned);
    let environment = &desired.properties["Environment"];
    let variables: BTreeMap<String, String> = items(&environment["EnvironmentVariables"])
        .iter()
        .filter_map(|variable| Some((text(&variable["Name"])?, text(&variable["Value"])?)))
        .collect();
    let build_spec = text(&desired.properties["Source"]["BuildSpec"]);
    let logs = &desired.properties["LogsConfig"]["CloudWatchLogs"];
    let project = Project {
        name: name.clone(),
        role,
        build_spec: build_spec.unwrap_or_else(|| BUILD_SPEC.to_owned()),
        privileged: environment["PrivilegedMode"] == true,
        environment: variables,
        log_group: text(&logs["GroupName"]),
    };
    aws.codepipeline.projects.insert(name.clone(), project);

    let arn = aws.arn("codebuild", &format!("project/{name}"));
    Ok(Created::new(name, json!({ "Arn": arn })))
}

fn delete(aws: &mut Aws, old: &StackResource) -> Result<(), Problem> {
    aws.codepipeline.projects.remove(&old.physical_id);
    Ok(())
}
