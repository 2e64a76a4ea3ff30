//! A promotion whose production is in another account.

use std::collections::BTreeMap;
use std::path::Path;

use behaviour::pair::update;
use emulator::cloudformation::deploy;
use emulator::ecs;
use harness::demo::root;
use invariants::ledger_reader::FUNCTIONS_STACK;

use super::*;

const FIRST: &str = "111122223333";
const SECOND: &str = "444455556666";
/// The service in the second account, and its cluster.
const SERVICE: &str = "orders";
const CLUSTER: &str = "live";
/// The roles that the functions may assume.
const ASSUMABLE: &str = "arn:aws:iam::111122223333:role/*,arn:aws:iam::444455556666:role/*";

fn stack(aws: &mut Aws, name: &str, template: &Path, parameters: &[(&str, &str)]) {
    let parameters: BTreeMap<String, String> = parameters
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    deploy(aws, name, template, &parameters).expect("the template deploys");
}

fn exported(aws: &Aws, name: &str) -> String {
    let value = aws.cloudformation.export(name);
    value.expect("a stack exports it").to_owned()
}

/// The second account with the service, and with the role under which it is released.
fn make_production(aws: &mut Aws, functions: &str, repository: &str) -> String {
    let cluster = json!({"clusterName": CLUSTER});
    ecs::call(aws, "CreateCluster", &cluster).expect("legal");
    let service = [
        ("Name", SERVICE),
        ("Cluster", CLUSTER),
        ("VpcId", "vpc-0a1b2c3d"),
        ("Subnets", "subnet-0a1b2c3d,subnet-1b2c3d4e"),
        ("DesiredCount", "2"),
        ("OtherRepositoryArns", repository),
    ];
    stack(aws, SERVICE, &root().join("infra/service.yaml"), &service);

    let roles = exported(aws, "orders-TaskRoleArns");
    let role = [
        ("FunctionsAccount", FIRST),
        ("FunctionRoles", functions),
        (
            "PipelineArn",
            "arn:aws:codepipeline:eu-west-1:111122223333:slipway-orders",
        ),
        ("Cluster", CLUSTER),
        ("Service", SERVICE),
        ("TaskRoleArns", roles.as_str()),
        ("RepositoryArn", repository),
    ];
    let template = root().join("infra/deploy-role.yaml");
    stack(aws, "production-role", &template, &role);
    exported(aws, "production-role-DeployRoleArn")
}

/// The demo's account, whose pipeline releases production in the second account.
fn with_production_abroad() -> Aws {
    let mut aws = opened(1, &[]).expect("it opens");
    update(&mut aws, FUNCTIONS_STACK, &[("DeployRoleArns", ASSUMABLE)]);
    let second = format!("arn:aws:iam::{SECOND}:root");
    let statement = json!({
        "Sid": "Read", "Effect": "Allow", "Principal": {"AWS": second},
        "Action": [
            "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages",
            "ecr:GetDownloadUrlForLayer",
        ],
    });
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let put = json!({"repositoryName": ORDERS, "policyText": policy});
    ecr::call(&mut aws, "SetRepositoryPolicy", &put).expect("legal");

    let functions = exported(&aws, "slipway-FunctionRoles");
    let repository = aws.arn("ecr", &format!("repository/{ORDERS}"));
    aws.add_account(SECOND);
    let role = aws.in_account(SECOND, |aws| make_production(aws, &functions, &repository));
    let changes = [
        ("ProdCluster", CLUSTER),
        ("ProdService", SERVICE),
        ("ProdDeployRoleArn", role.as_str()),
        ("ProdUrl", ""),
    ];
    update(&mut aws, "orders-pipeline", &changes);

    run(aws, Fault::None, async |driver| {
        until(&driver, |aws| {
            let second = aws.of_account(SECOND).expect("it was added");
            let mut services = second.ecs.services.values();
            services.all(|service| !service.is_deploying())
        })
        .await;
        driver.world.snapshot()
    })
}

/// The image of production.
fn production(driver: &Driver) -> String {
    let aws = driver.world.aws();
    let second = aws.of_account(SECOND).expect("it was added");
    let service = second.ecs.service_named(CLUSTER, SERVICE);
    let primary = service.and_then(|service| service.primary());
    let runs = &primary.expect("it has a deployment").task_definition;
    let request = second.ecs.request_of(runs).expect("registered");
    let image = request["containerDefinitions"][0]["image"].as_str();
    image.unwrap_or_default().to_owned()
}

#[test]
fn the_image_goes_to_production_in_another_account_under_a_role_of_that() {
    run(with_production_abroad(), Fault::None, async |driver| {
        let execution = committed(&driver, Behaviour::Healthy, &[]);
        approved(&driver, &execution).await;
        assert_eq!(over(&driver, &execution).await, ExecutionStatus::Succeeded);
        assert_eq!(outcome(&driver, &execution), "deployed");
        let (good, uat) = (
            production(&driver),
            image_of(&driver.world.aws(), "orders-uat"),
        );
        assert_eq!(good, uat);

        let second = committed(&driver, Behaviour::Healthy, &["Production/test"]);
        approved(&driver, &second).await;
        assert_eq!(over(&driver, &second).await, ExecutionStatus::Failed);
        assert_eq!(outcome(&driver, &second), "rolled-back");
        assert_eq!(production(&driver), good, "it is restored");
        assert_ne!(image_of(&driver.world.aws(), "orders-uat"), good);

        let aws = driver.world.aws();
        for account in [FIRST, SECOND] {
            let account = aws.of_account(account).expect("it is there");
            assert_eq!(account.iam.denials, []);
        }
    });
}
