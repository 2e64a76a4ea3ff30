//! A service is adopted that a stack made which knows nothing of Slipway: one stack with a pipeline
//! is all that it takes, and what made the service stays as it is and goes on working.
//!
//! The template is of the form that the CDK gives to an `ApplicationLoadBalancedFargateService`:
//! names that are made up, no tags, roles of the default path, and no circuit breaker.

mod overtaken;
mod pair;
mod scene;
mod stack_updates;
mod tools;

use std::time::Duration;

use behaviour::found_roles::passed;
use behaviour::{ends, failure, jobs, newest, outcome, pass, push, reason, settled, until, writes};
use emulator::cloudformation::delete;
use emulator::codepipeline::ExecutionStatus;
use emulator::ecr::{self, Behaviour};
use emulator::{Aws, ecs};
use harness::demo::CLUSTER;
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use scene::{
    ASSETS, Command, IMAGE, REPOSITORY, SERVICE, TASK_DEFINITION, by_cdk, by_cdk_with_asset,
    definition, deployments, image, printed, seen, service, steady, template, update,
};

const PIPELINE: &str = "slipway-storefront";
const PAGE: &str = "docs/adopt/cdk.md";
/// The stack of the pipeline.
const PIPELINE_STACK: &str = "storefront-pipeline";

/// The account with the service of the CDK adopted, and nothing released yet.
fn adopted() -> Aws {
    adopted_with(&[])
}

/// The same with other parameters of the pipeline.
fn adopted_with(parameters: &[(&str, &str)]) -> Aws {
    let mut aws = by_cdk();
    let command = Command::of(PAGE, &printed(&aws));
    let command = parameters
        .iter()
        .fold(command, |command, (name, value)| command.with(name, value));
    command.run(&mut aws);
    steady(aws)
}

/// Pushes an image and lets its release end, which must be deployed; returns the digest.
async fn deployed(driver: &Driver, tag: &str) -> String {
    let pushed = push(driver, REPOSITORY, tag);
    ends(driver, PIPELINE, &pushed, "deployed").await;
    pushed
}

/// The CDK deploys its stack, and the service becomes steady.
async fn update_by_cdk(driver: &Driver, template: &Value) {
    update(&mut driver.world.aws(), template);
    driver.world.touch();
    until(driver, |aws| {
        let mut services = aws.ecs.services.values();
        services.all(|service| !service.is_deploying())
    })
    .await;
    pass(driver, Duration::from_secs(60)).await;
}

fn assert_runs(driver: &Driver, digest: &str) {
    let image = image(&driver.world.aws());
    assert!(image.ends_with(digest), "{image} is not {digest}");
}

fn assert_runs_image_of_cdk(driver: &Driver) {
    assert_runs(driver, IMAGE);
}

fn property<'a>(template: &'a mut Value, logical_id: &str, name: &str) -> &'a mut Value {
    &mut template["Resources"][logical_id]["Properties"][name]
}

#[test]
fn a_service_of_the_cdk_is_adopted_by_one_stack_that_names_no_role_and_its_own_stays_as_it_is() {
    let before = by_cdk();
    let mut aws = before.clone();
    let since = aws.calls.len();
    Command::of(PAGE, &printed(&aws)).run(&mut aws);
    assert_eq!(
        writes(&aws, since),
        [
            "CreateChangeSet of operator",
            "ExecuteChangeSet of operator"
        ]
    );

    let aws = steady(aws);
    let service = service(&aws);
    let definition = definition(&aws, &service);
    let mut roles = [&definition["taskRoleArn"], &definition["executionRoleArn"]]
        .map(|role| role.as_str().expect("an ARN").to_owned());
    roles.sort_unstable();
    assert_eq!(passed(&aws, PIPELINE_STACK), roles);

    run(aws, Fault::None, async |driver| {
        assert_runs_image_of_cdk(&driver);
        let pushed = deployed(&driver, "1.0.0").await;
        assert_runs(&driver, &pushed);

        let aws = driver.world.snapshot();
        assert!(aws.iam.denials.is_empty(), "{:?}", aws.iam.denials);
        assert_eq!(seen(&aws), seen(&before));
    });
}

#[test]
fn a_new_pipeline_releases_no_image_that_was_there_before() {
    let mut aws = by_cdk();
    let latest = ecr::push(&mut aws, REPOSITORY, "latest", Behaviour::Healthy);
    latest.expect("the repository is there");
    let before = deployments(&aws);
    Command::of(PAGE, &printed(&aws)).run(&mut aws);

    let aws = steady(aws);
    let first = newest(&aws, PIPELINE);
    assert_eq!(first.status, ExecutionStatus::Failed);
    assert!(first.stage("Release").is_none(), "its source stage fails");
    assert_eq!(deployments(&aws), before);
}

#[test]
fn a_stack_that_is_deleted_leaves_the_service_as_it_runs_and_the_cdk_takes_its_image_back() {
    run(adopted(), Fault::None, async |driver| {
        let pushed = deployed(&driver, "1.0.0").await;
        let (before, role) = {
            let aws = driver.world.aws();
            let stack = aws.cloudformation.stack(PIPELINE_STACK).expect("deployed");
            let role = stack.resource("DeployRole").expect("a role");
            (deployments(&aws), role.physical_id.clone())
        };
        delete(&mut driver.world.aws(), PIPELINE_STACK).expect("nothing imports from it");
        driver.world.touch();
        until(&driver, |aws| {
            aws.cloudformation.stack(PIPELINE_STACK).is_none()
        })
        .await;

        let runs = {
            let aws = driver.world.aws();
            assert_eq!(deployments(&aws), before);
            assert!(aws.cloudformation.iam.role(&role).is_none());
            assert!(!aws.codepipeline.pipelines.contains_key(PIPELINE));
            image(&aws)
        };
        let mut given_back = template();
        property(&mut given_back, TASK_DEFINITION, "ContainerDefinitions")[0]["Image"] =
            json!(runs);
        update_by_cdk(&driver, &given_back).await;
        assert_ne!(deployments(&driver.world.aws()), before);
        assert_runs(&driver, &pushed);
    });
}

#[test]
fn a_broken_first_image_is_rolled_back_to_the_revision_of_the_cdk() {
    run(adopted(), Fault::None, async |driver| {
        let before = service(&driver.world.aws());
        let pushed = ecr::push(
            &mut driver.world.aws(),
            REPOSITORY,
            "1.0.0",
            Behaviour::NeverHealthy,
        );
        driver.world.touch();

        ends(
            &driver,
            PIPELINE,
            &pushed.expect("it is there"),
            "rolled-back",
        )
        .await;
        let after = service(&driver.world.aws());
        assert_eq!(after["taskDefinition"], before["taskDefinition"]);
    });
}

/// Lets the execution role of the service pull from the repository of the releases.
fn let_role_pull(aws: &mut Aws) {
    let role = &definition(aws, &service(aws))["executionRoleArn"];
    let actions = [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
    ];
    let statement = json!({"Effect": "Allow", "Principal": {"AWS": role}, "Action": actions});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let policy = json!({"repositoryName": REPOSITORY, "policyText": policy});
    ecr::call(aws, "SetRepositoryPolicy", &policy).expect("legal");
}

/// How a release ends of a service with an image that the CDK built, and why.
fn released_with_asset(other_repositories: &str, may_pull: bool) -> (String, String) {
    let mut aws = by_cdk_with_asset();
    let command = Command::of(PAGE, &printed(&aws));
    command
        .with("OtherRepositoryArns", other_repositories)
        .run(&mut aws);
    if may_pull {
        let_role_pull(&mut aws);
    }

    run(steady(aws), Fault::None, async |driver| {
        let pushed = push(&driver, REPOSITORY, "1.0.0");
        let execution = settled(&driver, PIPELINE, &pushed).await;
        let ended = outcome(&driver, &execution);
        let why = reason(&driver, &execution);

        let aws = driver.world.aws();
        let begun = jobs(&aws, &execution, "begin-release");
        let refusal = begun.into_iter().find_map(failure);
        (
            ended,
            refusal.map_or(why, |(_, message)| message.to_owned()),
        )
    })
}

#[test]
fn the_role_of_a_service_with_an_asset_pulls_other_images_if_their_repository_lets_it() {
    let assets = format!("arn:aws:ecr:eu-west-1:111122223333:repository/{ASSETS}");
    let (outcome, why) = released_with_asset(&assets, true);
    assert_eq!(outcome, "deployed", "{why}");
    let (outcome, why) = released_with_asset(&assets, false);
    assert_eq!(outcome, "rolled-back", "{why}");
}

#[test]
fn the_first_release_reads_the_asset_to_which_it_would_return() {
    let (outcome, why) = released_with_asset("", true);
    assert_eq!(outcome, "failed", "{why}");
    for part in ["ecr:DescribeImages", ASSETS] {
        assert!(why.contains(part), "no {part} in: {why}");
    }
}

#[test]
fn an_update_of_something_else_in_the_stack_of_the_cdk_leaves_the_release() {
    run(adopted(), Fault::None, async |driver| {
        let pushed = deployed(&driver, "1.0.0").await;
        let before = deployments(&driver.world.aws());

        let mut changed = template();
        let group = property(
            &mut changed,
            "WebLBPublicListenerECSGroup1F7E95B0",
            "TargetGroupAttributes",
        );
        let delay = json!({"Key": "deregistration_delay.timeout_seconds", "Value": "30"});
        group.as_array_mut().expect("a list").push(delay);
        *property(&mut changed, "CDKMetadata", "Analytics") = json!("v2:deflate64:another");
        update_by_cdk(&driver, &changed).await;

        assert_runs(&driver, &pushed);
        assert_eq!(deployments(&driver.world.aws()), before);
    });
}

#[test]
fn a_change_of_a_service_that_names_an_exact_revision_deploys_its_image_until_the_next_release() {
    let aws = adopted_with(&[("ReleaseAfterStackUpdate", "no")]);
    run(aws, Fault::None, async |driver| {
        deployed(&driver, "1.0.0").await;
        let mut changed = template();
        *property(&mut changed, SERVICE, "HealthCheckGracePeriodSeconds") = json!(90);
        update_by_cdk(&driver, &changed).await;
        assert_runs_image_of_cdk(&driver);

        let pushed = deployed(&driver, "1.1.0").await;
        assert_runs(&driver, &pushed);

        *property(&mut changed, TASK_DEFINITION, "Memory") = json!("1024");
        update_by_cdk(&driver, &changed).await;
        assert_runs_image_of_cdk(&driver);

        let pushed = deployed(&driver, "1.2.0").await;
        assert_runs(&driver, &pushed);
        let aws = driver.world.aws();
        assert_eq!(definition(&aws, &service(&aws))["memory"], "1024");
    });
}

/// The lines of the page: the service names the family, and comes after the task definition.
fn naming_the_family() -> Value {
    let mut template = template();
    name_family(&mut template, SERVICE, TASK_DEFINITION);
    template
}

fn name_family(template: &mut Value, service: &str, task_definition: &str) {
    let family = property(template, task_definition, "Family").clone();
    *property(template, service, "TaskDefinition") = family;

    let service = &mut template["Resources"][service];
    let depends = service["DependsOn"].as_array_mut().expect("a list");
    depends.push(json!(task_definition));
}

#[test]
fn a_service_that_names_its_family_keeps_the_release_whatever_the_cdk_updates() {
    let mut aws = by_cdk();
    let before = deployments(&aws);
    let mut named = naming_the_family();
    update(&mut aws, &named);
    assert_eq!(deployments(&aws), before);
    let command = Command::of(PAGE, &printed(&aws)).with("Base", "newest");
    command.run(&mut aws);

    run(steady(aws), Fault::None, async |driver| {
        let pushed = deployed(&driver, "1.0.0").await;
        *property(&mut named, SERVICE, "HealthCheckGracePeriodSeconds") = json!(90);
        update_by_cdk(&driver, &named).await;
        assert_runs(&driver, &pushed);

        *property(&mut named, TASK_DEFINITION, "Memory") = json!("1024");
        update_by_cdk(&driver, &named).await;
        assert_runs(&driver, &pushed);

        let pushed = deployed(&driver, "1.1.0").await;
        assert_runs(&driver, &pushed);
        let aws = driver.world.aws();
        assert_eq!(definition(&aws, &service(&aws))["memory"], "1024");
    });
}

/// A service as the console makes it, with the execution role that it makes once for an account.
fn by_console() -> Aws {
    let mut aws = behaviour::account();
    let repository = json!({"repositoryName": "api"});
    ecr::call(&mut aws, "CreateRepository", &repository).expect("a new repository");
    ecr::push(&mut aws, "api", "first", Behaviour::Healthy).expect("the repository is there");

    let definition = json!({
        "family": "api", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "cpu": "1024", "memory": "3072",
        "executionRoleArn": "arn:aws:iam::111122223333:role/ecsTaskExecutionRole",
        "containerDefinitions": [{
            "name": "api", "image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/api:first",
            "essential": true,
            "portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
        }],
    });
    ecs::call(&mut aws, "RegisterTaskDefinition", &definition).expect("legal");
    let service = json!({
        "cluster": CLUSTER, "serviceName": "api", "taskDefinition": "api:1", "desiredCount": 1,
        "launchType": "FARGATE", "enableECSManagedTags": true,
        "deploymentConfiguration": {
            "maximumPercent": 200, "minimumHealthyPercent": 100,
            "deploymentCircuitBreaker": {"enable": true, "rollback": true},
        },
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": ["subnet-0a1b2c3d"], "securityGroups": ["sg-0a1b2c3d"],
            "assignPublicIp": "ENABLED",
        }},
    });
    ecs::call(&mut aws, "CreateService", &service).expect("legal");
    steady(aws)
}

#[test]
fn a_service_of_the_console_is_adopted_under_the_execution_role_that_it_shares() {
    let mut aws = by_console();
    let command = Command::of("docs/adopt/console.md", &[("web", "api".to_owned())]);
    command.run(&mut aws);

    run(steady(aws), Fault::None, async |driver| {
        let pushed = push(&driver, "api", "1.0.0");
        ends(&driver, "slipway-api", &pushed, "deployed").await;

        let aws = driver.world.aws();
        assert!(aws.iam.denials.is_empty(), "{:?}", aws.iam.denials);
        let service = behaviour::service(&aws, CLUSTER, "api");
        let image = &definition(&aws, &service)["containerDefinitions"][0]["image"];
        assert!(image.as_str().expect("an image").ends_with(&pushed));
    });
}
