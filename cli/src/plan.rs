//! `slipway plan`: whether a release could begin and what it would change, as a tree of checks.

use clap::Args;
use serde_json::{Map, Value, json};
use slipway::aws::Repositories;
use slipway::observed::pipeline::DeclaredAction;
use slipway::release::role_arn;

use crate::decide::call;
use crate::pipeline::{ImageSource, Pipeline};
use crate::{Answer, Block, Exit, Failed, Session};

/// The output with the function whose dry run makes the checks, and how its name ends.
const FUNCTION: &str = "BeginReleaseFunctionArn";
const NAME: &str = "-begin-release";

/// How variables of CodePipeline begin, which only an execution resolves.
const VARIABLE: &str = "#{";

/// Makes every check of a release and shows them as a tree, without a change.
///
/// It is the dry run of `begin-release`, with the parameters of the pipeline. With IMAGE it lists
/// what the task definition would change. It ends with 1 if a check is NG.
#[derive(Debug, Args)]
pub struct Plan {
    /// The name of the pipeline, or a service that it has released.
    #[arg(value_name = "SERVICE|PIPELINE")]
    pub target: String,
    /// A tag or a digest of the pipeline's repository, or a whole reference.
    pub image: Option<String>,
}

impl Plan {
    /// # Errors
    /// If there is no such pipeline or image, or a call fails.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        let pipeline = Pipeline::find(session, &self.target).await?;
        self.of(session, &pipeline).await
    }

    /// The plan of a pipeline that was read already.
    ///
    /// # Errors
    /// If there is no such image, or a call fails.
    pub(crate) async fn of(
        &self,
        session: &Session,
        pipeline: &Pipeline,
    ) -> Result<Answer, Failed> {
        let image = match &self.image {
            Some(image) => Some(reference(session, pipeline.source()?, image).await?),
            None => None,
        };
        let function = session.output(FUNCTION)?.to_owned();

        let mut warnings = Vec::new();
        let mut blocks = Vec::new();
        let mut responses = Vec::new();
        let mut exit = Exit::Done;
        for action in pipeline.actions.iter().filter(|it| begins_release(it)) {
            let (parameters, removed) = parameters(action, image.as_deref(), &function)?;
            warnings.extend(removed);
            let response = call(session, FUNCTION, &json!({ "parameters": parameters })).await?;
            let text = response["text"].as_str().or(response["message"].as_str());
            blocks.push(Block::Text(text.unwrap_or_default().trim_end().to_owned()));
            if response["status"] == "failed" {
                exit = Exit::NotDeployed;
            }
            responses.push(response);
        }

        if responses.is_empty() {
            return Err(Failed::Refused(format!(
                "pipeline `{}` has no Lambda invoke action of begin-release; expected one, whose \
                 parameters the checks take",
                pipeline.name
            )));
        }
        let json = json!({"pipeline": pipeline.name, "image": image, "releases": responses});
        Ok(Answer::new(blocks, json).warning(warnings).ending(exit))
    }
}

fn begins_release(action: &DeclaredAction) -> bool {
    let function = action.configuration.get("FunctionName");
    action.provider == "Lambda" && function.is_some_and(|name| name.ends_with(NAME))
}

/// The image as a whole reference by its digest.
async fn reference(
    session: &Session,
    source: ImageSource<'_>,
    image: &str,
) -> Result<String, Failed> {
    let digest = source.digest(session, image).await?;
    let uri = Repositories::new(&session.sdk)
        .uri(source.repository)
        .await?;
    Ok(format!("{uri}@{digest}"))
}

/// The parameters of a dry run by hand, from those of the action, and what they lack of them.
/// `function`: an ARN of the account in which the pipeline is.
fn parameters(
    action: &DeclaredAction,
    image: Option<&str>,
    function: &str,
) -> Result<(Map<String, Value>, Vec<String>), Failed> {
    let text = action.configuration.get("UserParameters");
    let mut given: Map<String, Value> = serde_json::from_str(text.map_or("", String::as_str))
        .map_err(|error| {
            Failed::Unknown(format!(
                "the UserParameters of action {} are not a JSON object: {error}",
                action.name
            ))
        })?;
    given.insert("execution".to_owned(), json!("dry-run"));
    given.insert("dry_run".to_owned(), json!(true));
    for name in ["digest", "image"] {
        given.remove(name);
    }
    given.extend(image.map(|image| ("image".to_owned(), json!(image))));
    if let Some(role) = given.get("pipeline_role").and_then(Value::as_str) {
        let role = role_arn(role, function);
        given.insert("pipeline_role".to_owned(), json!(role));
    }

    let mut removed = Vec::new();
    given.retain(|name, value| {
        let is_kept = !is_of_execution(name, value);
        if !is_kept {
            removed.push(format!(
                "`{name}` is {value}, which is read in the pipeline only; the checks are made \
                 without it"
            ));
        }
        is_kept
    });
    Ok((given, removed))
}

/// Whether only an execution knows a parameter: a file of an artifact, or what an action put out.
fn is_of_execution(name: &str, value: &Value) -> bool {
    name == "taskdef" || value.as_str().is_some_and(|text| text.contains(VARIABLE))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:lambda:eu-west-1:111122223333:function:slipway-begin-release";

    fn action(parameters: &Value) -> DeclaredAction {
        DeclaredAction {
            stage: "Release".to_owned(),
            name: "begin-release".to_owned(),
            provider: "Lambda".to_owned(),
            configuration: [
                (
                    "FunctionName".to_owned(),
                    "slipway-begin-release".to_owned(),
                ),
                ("UserParameters".to_owned(), parameters.to_string()),
            ]
            .into(),
        }
    }

    #[test]
    fn the_parameters_are_those_of_the_action_without_what_only_an_execution_knows() {
        let declared = action(&json!({
            "pipeline": "slipway-web", "execution": "#{codepipeline.PipelineExecutionId}",
            "cluster": "apps", "service": "web", "digest": "#{Image.ImageDigest}",
            "taskdef": "Config::taskdef.json", "strategy": "rolling",
            "pipeline_role": "/slipway/web",
        }));
        assert!(begins_release(&declared));

        let (given, removed) = parameters(&declared, Some("web:1"), ARN).expect("an object");
        let expected = json!({
            "pipeline": "slipway-web", "execution": "dry-run", "cluster": "apps", "service": "web",
            "strategy": "rolling", "dry_run": true, "image": "web:1",
            "pipeline_role": "arn:aws:iam::111122223333:role/slipway/web",
        });
        assert_eq!(Value::from(given), expected);
        assert_eq!(removed.len(), 1);
        assert!(
            removed[0].starts_with("`taskdef` is \"Config::taskdef.json\""),
            "{removed:?}"
        );
    }

    #[test]
    fn what_is_not_an_object_is_an_error_that_names_the_action() {
        let mut broken = action(&json!({}));
        broken.configuration.remove("UserParameters");
        let error = parameters(&broken, None, ARN).expect_err("no object");
        assert!(
            error.to_string().contains("action begin-release"),
            "{error}"
        );
    }
}
