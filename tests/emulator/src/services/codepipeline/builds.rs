//! Builds and tests by CodeBuild. Their commands are not run: what a build spec does is given as a
//! function, and on which actions the commands fail is up to the commit.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::declaration::ActionDeclaration;
use super::engine::{self, Done};
use super::state::{ActionExecution, ActionStatus, Artifact, ErrorDetails, Execution};
use super::{CodePipelineEvent, permissions, source};
use crate::ecr::{self, Behaviour};
use crate::iam::Demand;
use crate::{ApiError, Aws};

/// What `docker push` needs beside the login. Source:
/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html>
const PUSH: [&str; 6] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
];

/// A project of CodeBuild.
#[derive(Clone, Debug, Default)]
pub struct Project {
    pub name: String,
    /// The ARN of the role that its builds have.
    pub role: String,
    /// The path of its build spec in the primary source.
    pub build_spec: String,
    /// Whether its builds can run Docker.
    pub privileged: bool,
    pub environment: BTreeMap<String, String>,
    pub log_group: Option<String>,
}

/// A commit of a repository that a connection leads to.
#[derive(Clone, Debug)]
pub struct Commit {
    pub id: String,
    /// How the image behaves that is built from it.
    pub behaviour: Behaviour,
    /// The actions whose commands fail on it, each after its stage, as in `Build/build`.
    pub fails: Vec<String>,
}

/// A build whose commands run.
#[derive(Clone, Debug)]
pub struct Build {
    pub project: Project,
    /// The variables of the project, and those of the action, which win.
    pub environment: BTreeMap<String, String>,
    pub commit: Commit,
}

/// What the commands of a build leave.
#[derive(Clone, Debug, Default)]
pub struct Built {
    /// The exported variables.
    pub variables: BTreeMap<String, String>,
    /// Of each output artifact its only file: the name and a JSON document.
    pub files: Vec<(String, Value)>,
}

/// What the commands of a build spec do.
pub type Commands = fn(&mut Aws, &Build) -> Result<Built, String>;

/// A commit to a branch; returns its id. It starts no pipeline.
pub fn commit(
    aws: &mut Aws,
    (repository, branch): (&str, &str),
    behaviour: Behaviour,
    fails: &[&str],
) -> String {
    let id = aws.hex(40);
    let commits = &mut aws.codepipeline.branches;
    let commits = commits.entry((repository.to_owned(), branch.to_owned()));
    commits.or_default().push(Commit {
        id: id.clone(),
        behaviour,
        fails: fails.iter().map(|action| (*action).to_owned()).collect(),
    });
    id
}

/// What commands do with an image: log in, and push it. Returns its digest; the same image is
/// pushed again without an effect.
pub fn push(aws: &mut Aws, build: &Build, repository: &str, tag: &str) -> Result<String, String> {
    docker(aws, build, repository)?;
    let text = |error: ApiError| error.to_string();
    match ecr::push(aws, repository, tag, build.commit.behaviour) {
        Err(error) if error.code == "ImageAlreadyExistsException" => {
            digest_of(aws, repository, tag).map_err(text)
        }
        pushed => pushed.map_err(text),
    }
}

/// How commands look for an image: by BatchGetImage, which reports a missing image as a failure in
/// the response and not as an error. Returns the digest, if there is one with the tag.
pub fn find_image(
    aws: &mut Aws,
    build: &Build,
    repository: &str,
    tag: &str,
) -> Result<Option<String>, String> {
    let arn = aws.arn("ecr", &format!("repository/{repository}"));
    let demands = [Demand::new("ecr:BatchGetImage", &*arn)];
    allowed(aws, &build.project, "Amazon ECR repository", &demands)?;
    match digest_of(aws, repository, tag) {
        Ok(digest) => Ok(Some(digest)),
        Err(error) if error.code == "ImageNotFoundException" => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether a build can push to a repository by Docker.
fn docker(aws: &mut Aws, build: &Build, repository: &str) -> Result<(), String> {
    if !build.project.privileged {
        return Err("Cannot connect to the Docker daemon".to_owned());
    }
    let arn = aws.arn("ecr", &format!("repository/{repository}"));
    let mut demands = vec![Demand::anywhere("ecr:GetAuthorizationToken")];
    demands.extend(PUSH.iter().map(|&action| Demand::new(action, &*arn)));
    allowed(aws, &build.project, "Amazon ECR repository", &demands)
}

fn digest_of(aws: &Aws, repository: &str, tag: &str) -> Result<String, ApiError> {
    let found = ecr::image(aws, repository, &json!({ "imageTag": tag }))?;
    Ok(found["imageDigest"].as_str().unwrap_or_default().to_owned())
}

/// Starts the build of an action; it ends some time later.
pub(super) fn start(
    aws: &mut Aws,
    execution: &Execution,
    action_id: &str,
    configuration: &BTreeMap<String, String>,
) {
    let name = &configuration["ProjectName"];
    let started = permissions::project(aws, execution, name).and_then(|()| {
        if aws.codepipeline.projects.contains_key(name) {
            return Ok(());
        }
        let arn = aws.arn("codebuild", &format!("project/{name}"));
        let message = format!("Error calling startBuild: Project cannot be found: {arn}");
        Err(ErrorDetails::new("JobFailed", message))
    });

    match started {
        Ok(()) => {
            let ends = CodePipelineEvent::BuildEnds {
                execution: execution.id.clone(),
                action: action_id.to_owned(),
            };
            let takes = Duration::from_secs(aws.rng.u64(30..=180));
            aws.schedule(takes, ends);
        }
        Err(error) => engine::finish_action(aws, &execution.id, action_id, Err(error)),
    }
}

/// Ends the build of an action that is still in progress.
pub(super) fn end(aws: &mut Aws, execution_id: &str, action_id: &str) {
    let execution = aws.codepipeline.execution_mut(execution_id).clone();
    let Some((stage, action)) = execution.action(action_id) else {
        return;
    };
    let declared = execution.declaration.action(&stage.name, &action.name);
    let Some(declared) = declared.filter(|_| action.status == ActionStatus::InProgress) else {
        return;
    };

    let place = format!("{}/{}", stage.name, action.name);
    let ended = run(aws, &execution, declared, action, &place).map_err(|why| {
        let message = format!("Build terminated with state: FAILED. {why}");
        ErrorDetails::new("JobFailed", message)
    });
    engine::finish_action(aws, execution_id, action_id, ended);
}

fn run(
    aws: &mut Aws,
    execution: &Execution,
    declared: &ActionDeclaration,
    action: &ActionExecution,
    place: &str,
) -> Result<Done, String> {
    let (inputs, configuration) = (&action.input_artifacts, &action.resolved);
    let project = &configuration["ProjectName"];
    let project = aws.codepipeline.projects.get(project).cloned();
    let project = project.ok_or("the project was deleted")?;
    let mut environment = project.environment.clone();
    environment.extend(variables_of(configuration)?);
    let build = Build {
        commit: commit_of(aws, inputs, configuration.get("PrimarySource")),
        environment,
        project,
    };

    read_sources(aws, &build.project, inputs)?;
    if build.commit.fails.iter().any(|failing| failing == place) {
        return Err("Phase: BUILD, Code: COMMAND_EXECUTION_ERROR".to_owned());
    }
    let commands = aws.codepipeline.commands.get(&build.project.build_spec);
    let built = match commands.copied() {
        Some(commands) => commands(aws, &build)?,
        None => Built::default(),
    };
    Ok(Done {
        artifacts: upload(aws, execution, declared, &build, built.files)?,
        outputs: built.variables,
    })
}

/// The commit that the primary source is of.
fn commit_of(aws: &Aws, inputs: &[(String, Artifact)], primary: Option<&String>) -> Commit {
    let is_primary = |(name, _): &&(String, Artifact)| primary.is_none_or(|given| given == name);
    let source = inputs.iter().find(is_primary);
    let id = source.and_then(|(_, artifact)| artifact.revision.clone());
    let id = id.unwrap_or_default();

    let mut commits = aws.codepipeline.branches.values().flatten();
    commits
        .find(|commit| commit.id == id)
        .cloned()
        .unwrap_or(Commit {
            id,
            behaviour: Behaviour::Healthy,
            fails: Vec::new(),
        })
}

/// The environment variables of an action.
fn variables_of(
    configuration: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, String> {
    let Some(given) = configuration.get("EnvironmentVariables") else {
        return Ok(BTreeMap::new());
    };
    let read = serde_json::from_str::<Vec<BTreeMap<String, String>>>(given);
    let read = read.map_err(|error| format!("EnvironmentVariables: {error}"))?;
    let variables = read.into_iter().map(|mut variable| {
        let named = variable.remove("name").zip(variable.remove("value"));
        named.ok_or_else(|| format!("EnvironmentVariables: {given}"))
    });
    variables.collect()
}

/// Reads the input artifacts, and writes the log.
///
/// Source: <https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html>
fn read_sources(
    aws: &mut Aws,
    project: &Project,
    inputs: &[(String, Artifact)],
) -> Result<(), String> {
    let partition = aws.partition();
    let mut demands = Vec::new();
    for (_, Artifact { bucket, key, .. }) in inputs {
        let bucket = partition.arn("s3", "", bucket);
        let object = format!("{bucket}/{key}");
        let on_bucket = ["s3:GetBucketAcl", "s3:GetBucketLocation"];
        demands.extend(on_bucket.map(|action| Demand::new(action, &*bucket)));
        let on_object = ["s3:GetObject", "s3:GetObjectVersion"];
        demands.extend(on_object.map(|action| Demand::new(action, &*object)));
    }
    if let Some(group) = &project.log_group {
        let stream = aws.arn("logs", &format!("log-group:{group}:log-stream:1"));
        let write = ["logs:CreateLogStream", "logs:PutLogEvents"];
        demands.extend(write.map(|action| Demand::new(action, stream.as_str())));
    }
    allowed(aws, project, "artifacts and logs", &demands)
}

/// Stores the output artifacts, each with one file.
fn upload(
    aws: &mut Aws,
    execution: &Execution,
    declared: &ActionDeclaration,
    build: &Build,
    files: Vec<(String, Value)>,
) -> Result<Vec<(String, Artifact)>, String> {
    if files.len() < declared.output_artifacts.len() {
        return Err("Phase: UPLOAD_ARTIFACTS, no matching artifact paths found".to_owned());
    }

    let mut stored = Vec::new();
    for (name, (file, content)) in declared.output_artifacts.iter().zip(files) {
        let place = source::location(aws, execution, name);
        let object = format!("{}/{}", place.bucket, place.key);
        let put = Demand::new("s3:PutObject", aws.partition().arn("s3", "", &object));
        allowed(aws, &build.project, "artifacts", &[put])?;

        let archive = source::archive(&file, &content).map_err(|error| error.message)?;
        let put = aws.s3.put(&place.bucket, &place.key, archive);
        put.map_err(|error| error.to_string())?;
        stored.push((name.clone(), place));
    }
    Ok(stored)
}

fn allowed(
    aws: &mut Aws,
    project: &Project,
    place: &str,
    demands: &[Demand],
) -> Result<(), String> {
    permissions::check(aws, &project.role, place, demands).map_err(|error| error.message)
}
