//! The pipeline of promotion, end to end: a commit is built once, and its image goes from Dev by
//! way of CI and UAT to production.

use std::collections::BTreeMap;

use serde_json::json;
use slipway::release::Outcome;

use super::stacks::{CLUSTER, exported, root, stack, task_roles};
use super::{Chapter, Image, Operator, deployed, steady_and_ended};
use emulator::codepipeline::{self, Build, Built};
use emulator::ecr::{self, Behaviour};
use emulator::{ApiError, Aws};
use invariants::ledger_reader::FUNCTIONS_STACK;

/// The application, its repository and its pipeline.
pub const ORDERS: &str = "orders";
/// The services of the environments, in order.
pub const SERVICES: [&str; 4] = ["orders-dev", "orders-ci", "orders-uat", "orders-prod"];
/// The name of the pipeline.
pub const PIPELINE: &str = "slipway-orders";

/// The stages of the environments.
pub const STAGES: [&str; 4] = ["Dev", "CI", "UAT", "Production"];

/// How the parameters of each environment begin.
const PREFIXES: [&str; 4] = ["Dev", "Ci", "Uat", "Prod"];
/// The source repository, and the branch that is delivered.
const BRANCH: (&str, &str) = ("example/orders", "main");
const CONNECTION: &str = "arn:aws:codeconnections:eu-west-1:111122223333:connection/0a1b2c3d";

/// The chapters, in order.
pub const CHAPTERS: [Chapter; 3] = [
    Chapter {
        title: "a commit goes from Dev to production",
        application: ORDERS,
        tag: "first",
        image: Image::Commit(Behaviour::Healthy, &[]),
        operator: Operator::Approves,
        outcome: Outcome::Deployed,
        reason: "it ran orders-prod:1 before",
    },
    Chapter {
        title: "one whose tests fail in UAT",
        application: ORDERS,
        tag: "second",
        image: Image::Commit(Behaviour::Healthy, &["UAT/test"]),
        operator: Operator::Watches,
        outcome: Outcome::RolledBack,
        reason: "orders-uat:2 serves again",
    },
    Chapter {
        title: "one that never becomes healthy stops in Dev",
        application: ORDERS,
        tag: "third",
        image: Image::Commit(Behaviour::NeverHealthy, &[]),
        operator: Operator::Watches,
        outcome: Outcome::RolledBack,
        reason: "orders-dev:3 serves again",
    },
];

/// The demo's account with the services of four environments, and the pipeline of their
/// application. `changes` are parameters of the pipeline.
///
/// # Errors
/// What a template refused, or what did not become steady.
pub fn opened(seed: u64, changes: &[(&str, &str)]) -> Result<Aws, String> {
    let mut aws = deployed(seed)?;
    ecr::call(
        &mut aws,
        "CreateRepository",
        &json!({"repositoryName": ORDERS}),
    )
    .map_err(|e| e.to_string())?;
    for service in SERVICES {
        deploy_environment(&mut aws, service)?;
    }
    deploy_pipeline(&mut aws, changes)?;
    steady_and_ended(aws)
}

/// A service with the role under which the pipeline releases it.
fn deploy_environment(aws: &mut Aws, name: &str) -> Result<(), String> {
    let service = [
        ("Name", name),
        ("Cluster", CLUSTER),
        ("VpcId", "vpc-0a1b2c3d"),
        ("Subnets", "subnet-0a1b2c3d,subnet-1b2c3d4e"),
        ("RepositoryName", ORDERS),
        ("DesiredCount", "2"),
    ];
    stack(aws, name, &root().join("infra/service.yaml"), &service)?;

    let functions = exported(aws, &format!("{FUNCTIONS_STACK}-FunctionRoles"))?;
    let (roles, account) = (task_roles(aws, name)?, aws.account.clone());
    let pipeline = aws.arn("codepipeline", PIPELINE);
    let repository = aws.arn("ecr", &format!("repository/{ORDERS}"));
    let role = [
        ("FunctionsAccount", account.as_str()),
        ("FunctionRoles", functions.as_str()),
        ("PipelineArn", pipeline.as_str()),
        ("Cluster", CLUSTER),
        ("Service", name),
        ("TaskRoleArns", roles.as_str()),
        ("RepositoryArn", repository.as_str()),
    ];
    let template = root().join("infra/deploy-role.yaml");
    stack(aws, &format!("{name}-deploy-role"), &template, &role)
}

/// Deploys the pipeline for services and deploy roles of this account, or updates it.
///
/// # Errors
/// What the template refused.
pub fn deploy_pipeline(aws: &mut Aws, changes: &[(&str, &str)]) -> Result<(), String> {
    let mut parameters = own_parameters();
    for (prefix, name) in PREFIXES.into_iter().zip(SERVICES) {
        let role = exported(aws, &format!("{name}-deploy-role-DeployRoleArn"))?;
        let balancer = exported(aws, &format!("{name}-LoadBalancerDnsName"))?;
        let environment = [
            ("Cluster", CLUSTER.to_owned()),
            ("Service", name.to_owned()),
            ("DeployRoleArn", role),
            ("Url", format!("http://{balancer}/")),
        ];
        parameters.extend(environment.map(|(key, value)| (format!("{prefix}{key}"), value)));
    }
    let changes = changes.iter();
    parameters.extend(changes.map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    deploy_with(aws, &parameters)
}

/// The parameters of the pipeline that belong to no environment.
#[must_use]
pub fn own_parameters() -> BTreeMap<String, String> {
    let own = [
        ("PipelineName", PIPELINE),
        ("ConnectionArn", CONNECTION),
        ("SourceRepository", BRANCH.0),
        ("Branch", BRANCH.1),
        ("Repository", ORDERS),
        ("ContainerName", "web"),
        ("TestSpec", "testspec.yml"),
        ("SoakMinutes", "10"),
    ];
    own.map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// Deploys the pipeline with these parameters, and what its build spec does.
///
/// # Errors
/// What the template refused.
pub fn deploy_with(aws: &mut Aws, parameters: &BTreeMap<String, String>) -> Result<(), String> {
    let commands = &mut aws.codepipeline.commands;
    commands.insert("buildspec.yml".to_owned(), build);
    let given: Vec<(&str, &str)> = parameters
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    let template = root().join("infra/pipelines/promotion.yaml");
    stack(aws, "orders-pipeline", &template, &given)
}

/// What the commands of infra/buildspec.yml do: a commit has one image, with its id as the tag.
fn build(aws: &mut Aws, build: &Build) -> Result<Built, String> {
    let uri = &build.environment["REPOSITORY_URI"];
    let (_, repository) = uri
        .split_once('/')
        .ok_or("REPOSITORY_URI is not a repository")?;
    let tag = &build.commit.id;
    let digest = match codepipeline::find_image(aws, build, repository, tag)? {
        Some(built_before) => built_before,
        None => codepipeline::push(aws, build, repository, tag)?,
    };

    let image = format!("{uri}@{digest}");
    let variables = [
        ("IMAGE_DIGEST", digest),
        ("IMAGE_TAG", tag.clone()),
        ("IMAGE_URI", image.clone()),
    ];
    Ok(Built {
        variables: variables
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        files: vec![("imageDetail.json".to_owned(), json!({ "ImageURI": image }))],
    })
}

/// Commits to the branch and starts the pipeline with that, as the webhook of the connection does;
/// returns the id of the commit.
///
/// # Errors
/// What CodePipeline refused.
pub fn commit(aws: &mut Aws, behaviour: Behaviour, fails: &[&str]) -> Result<String, ApiError> {
    let commit = codepipeline::commit(aws, BRANCH, behaviour, fails);
    let revision = json!({
        "actionName": "Source", "revisionType": "COMMIT_ID", "revisionValue": commit,
    });
    let start = json!({"name": PIPELINE, "sourceRevisions": [revision]});
    codepipeline::call(aws, "StartPipelineExecution", &start)?;
    Ok(commit)
}
