//! Five ordinary services, each with the names, tags, roles and settings that its tool gives it.
//! The command of the tool's page adopts it by one stack with a pipeline, and a release changes
//! nothing of it but the image.
//!
//! Sources: the console's template as in public repositories (stacks `ECS-Console-V2-Service-…`);
//! `internal/service/ecs/service.go` of hashicorp/terraform-provider-aws; the templates in
//! `internal/pkg/template/templates/workloads` of aws/copilot-cli, without its custom resources and
//! with the ARN of a registry, which the emulator does not make.

use behaviour::found_roles::passed;
use behaviour::{account, outcome, push, reason, service, settled};
use emulator::{Aws, ecs};
use harness::demo::CLUSTER;
use harness::driver::{Fault, run};
use serde_json::{Value, json};

use super::scene::{
    Command, SERVICE, STACK, add_by_cdk, add_repository, deploy, deploy_tagged, printed,
    service_of, settings, stack_seen, steady,
};

const CONSOLE: &str = include_str!("console.template.json");
const CLOUDFORMATION: &str = include_str!("cloudformation.template.json");
const COPILOT: &str = include_str!("copilot.template.json");

/// The stack that the console made of a service.
const OF_CONSOLE: &str = "ECS-Console-V2-Service-portal-apps-8d2f4a1b";
/// The stack that Copilot made of a service.
const OF_COPILOT: &str = "shop-prod-frontend";

/// What releases change in a service, as DescribeServices has it.
const OF_RELEASES: [&str; 4] = ["taskDefinition", "deployments", "events", "taskSets"];

/// A service of a tool, and what its page needs.
struct Made {
    /// The page of the tool, without its folder and its end.
    page: &'static str,
    /// The short name, by which the page calls pipeline and stack.
    name: &'static str,
    repository: &'static str,
    /// The words of the page's command with what stands in their place.
    words: Vec<(&'static str, String)>,
    /// The stack of the service, if it has one, and its logical id in it.
    stack: Option<(&'static str, &'static str)>,
    cluster: String,
    service: String,
    /// Whether the circuit breaker is on, and rolls back.
    breaker: [bool; 2],
    /// How the names of its roles begin.
    roles: &'static [&'static str],
}

impl Made {
    /// A service in the cluster of the demo, in place of `web` of the page.
    fn by(page: &'static str, name: &'static str) -> Self {
        Self {
            page,
            name,
            repository: name,
            words: vec![("web", name.to_owned())],
            stack: None,
            cluster: CLUSTER.to_owned(),
            service: name.to_owned(),
            breaker: [false, false],
            roles: &[],
        }
    }

    /// The same with the names that its stack gave it.
    fn in_stack(self, aws: &Aws, stack: &'static str, logical_id: &'static str) -> Self {
        let seen = service_of(aws, stack, logical_id);
        Self {
            stack: Some((stack, logical_id)),
            cluster: last(&seen["clusterArn"]),
            service: text(&seen["serviceName"]),
            ..self
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// The last part of an ARN.
fn last(arn: &Value) -> String {
    text(arn).rsplit('/').next().unwrap_or_default().to_owned()
}

fn register(aws: &mut Aws, definition: &Value) {
    ecs::call(aws, "RegisterTaskDefinition", definition).expect("legal");
}

/// The task definition is registered first. The service is in a stack that no operator updates.
fn add_by_console(aws: &mut Aws) {
    add_repository(aws, "portal");
    let options = json!({
        "awslogs-group": "/ecs/portal", "mode": "non-blocking", "awslogs-create-group": "true",
        "max-buffer-size": "25m", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "ecs",
    });
    let definition = json!({
        "family": "portal", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "cpu": "1024", "memory": "3072",
        "executionRoleArn": "arn:aws:iam::111122223333:role/ecsTaskExecutionRole",
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "containerDefinitions": [{
            "name": "portal", "essential": true,
            "image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/portal:0.9.0",
            "portMappings": [{
                "name": "portal-80-tcp", "containerPort": 80, "hostPort": 80, "protocol": "tcp",
                "appProtocol": "http",
            }],
            "logConfiguration": {"logDriver": "awslogs", "options": options},
        }],
    });
    register(aws, &definition);
    deploy(aws, OF_CONSOLE, CONSOLE, &[]);
}

fn add_by_cloudformation(aws: &mut Aws) {
    add_repository(aws, "orders");
    deploy(aws, "orders", CLOUDFORMATION, &[]);
}

/// CreateService without the circuit breaker, which the provider sends only if its block is there.
fn add_by_terraform(aws: &mut Aws) {
    add_repository(aws, "billing");
    let tags = json!([{"key": "Environment", "value": "production"}]);
    let definition = json!({
        "family": "billing", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"],
        "cpu": "256", "memory": "512", "tags": tags,
        "executionRoleArn": "arn:aws:iam::111122223333:role/billing-execution",
        "taskRoleArn": "arn:aws:iam::111122223333:role/billing-task",
        "containerDefinitions": [{
            "name": "billing", "essential": true,
            "image": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/billing:0.9.0",
            "portMappings": [{"containerPort": 8080, "hostPort": 8080}],
        }],
    });
    register(aws, &definition);

    let service = json!({
        "cluster": "arn:aws:ecs:eu-west-1:111122223333:cluster/apps", "serviceName": "billing",
        "clientToken": "terraform-20260105090000000000000001",
        "taskDefinition": "arn:aws:ecs:eu-west-1:111122223333:task-definition/billing:1",
        "desiredCount": 2, "launchType": "FARGATE", "schedulingStrategy": "REPLICA",
        "availabilityZoneRebalancing": "DISABLED",
        "enableECSManagedTags": false, "enableExecuteCommand": false, "tags": tags,
        "deploymentConfiguration": {"maximumPercent": 200, "minimumHealthyPercent": 100},
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": ["subnet-0a1b2c3d"], "securityGroups": ["sg-0a1b2c3d"],
            "assignPublicIp": "DISABLED",
        }},
    });
    ecs::call(aws, "CreateService", &service).expect("legal");
}

/// The environment with the cluster, and the service, whose definition has the names of its roles.
fn add_by_copilot(aws: &mut Aws) {
    let tags = [
        ("copilot-application", "shop"),
        ("copilot-environment", "prod"),
    ];
    let exported = |name: &str, value: Value| {
        let name = format!("shop-prod-{name}");
        json!({"Value": value, "Export": {"Name": name}})
    };
    let environment = json!({
        "Resources": {"Cluster": {"Type": "AWS::ECS::Cluster"}},
        "Outputs": {
            "ClusterId": exported("ClusterId", json!({"Ref": "Cluster"})),
            "PublicSubnets": exported("PublicSubnets", json!("subnet-0a1b2c3d,subnet-1b2c3d4e")),
            "Group": exported("EnvironmentSecurityGroup", json!("sg-0a1b2c3d")),
        },
    });
    deploy_tagged(aws, "shop-prod", &environment.to_string(), &[], &tags);

    add_repository(aws, "shop/frontend");
    let parameters = [
        ("AppName", "shop"),
        ("EnvName", "prod"),
        ("WorkloadName", "frontend"),
        (
            "ContainerImage",
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop/frontend:0.9.0",
        ),
        ("ContainerPort", "8080"),
        ("TaskCPU", "256"),
        ("TaskMemory", "512"),
        ("TaskCount", "2"),
    ];
    let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let tags = [&tags[..], &[("copilot-service", "frontend")]].concat();
    deploy_tagged(aws, OF_COPILOT, COPILOT, &parameters, &tags);
}

/// An account with a service of each tool, all steady.
fn made_by_tools() -> Aws {
    let mut aws = account();
    add_by_console(&mut aws);
    add_by_cloudformation(&mut aws);
    add_by_cdk(&mut aws);
    add_by_terraform(&mut aws);
    add_by_copilot(&mut aws);
    steady(aws)
}

fn tools(aws: &Aws) -> [Made; 5] {
    let console = Made::by("console", "portal").in_stack(aws, OF_CONSOLE, "ECSService");
    let cloudformation = Made::by("cloudformation", "orders").in_stack(aws, "orders", "Service");
    let cdk = Made::by("cdk", "storefront").in_stack(aws, STACK, SERVICE);
    let terraform = Made::by("terraform", "billing");
    let copilot = Made::by("copilot", "frontend").in_stack(aws, OF_COPILOT, "Service");
    [
        Made {
            breaker: [true, true],
            roles: &["ecsTaskExecutionRole"],
            ..console
        },
        Made {
            roles: &["orders-ExecutionRole-", "orders-TaskRole-"],
            ..cloudformation
        },
        Made {
            words: printed(aws),
            roles: &[
                "Storefront-WebTaskDefExecutio",
                "Storefront-WebTaskDefTaskRole",
            ],
            ..cdk
        },
        Made {
            roles: &["billing-execution", "billing-task"],
            ..terraform
        },
        Made {
            words: vec![
                ("<cluster>", copilot.cluster.clone()),
                ("<service>", copilot.service.clone()),
                ("<repository>", "shop/frontend".to_owned()),
            ],
            repository: "shop/frontend",
            breaker: [true, true],
            roles: &[
                "shop-prod-frontend-ExecutionRole-",
                "shop-prod-frontend-TaskRole-",
            ],
            ..copilot
        },
    ]
}

/// The service without what releases change, and its stack as an operator sees it.
fn seen(aws: &Aws, made: &Made) -> Value {
    let found = service(aws, &made.cluster, &made.service);
    let stack = made.stack.map(|(stack, _)| stack_seen(aws, stack));
    json!({"service": settings(aws, found, &OF_RELEASES), "stack": stack})
}

/// The revision that the service runs, as DescribeTaskDefinition has it, without what differs in
/// each revision and without the tags of releases.
fn runs(aws: &Aws, made: &Made) -> Value {
    let found = service(aws, &made.cluster, &made.service);
    let input = json!({"taskDefinition": found["taskDefinition"], "include": ["TAGS"]});
    let answer = ecs::call(&mut aws.clone(), "DescribeTaskDefinition", &input).expect("registered");

    let mut definition = answer["taskDefinition"].clone();
    let members = definition.as_object_mut().expect("an object");
    let of_each = [
        "taskDefinitionArn",
        "revision",
        "registeredAt",
        "registeredBy",
    ];
    members.retain(|name, _| !of_each.contains(&name.as_str()));
    let tags = answer["tags"].as_array().into_iter().flatten();
    let is_own = |tag: &&Value| {
        tag["key"]
            .as_str()
            .is_some_and(|key| key.starts_with("slipway:"))
    };
    let tags: Vec<&Value> = tags.filter(|tag| !is_own(tag)).collect();
    json!({"definition": definition, "tags": tags})
}

fn image(runs: &mut Value) -> &mut Value {
    &mut runs["definition"]["containerDefinitions"][0]["image"]
}

fn assert_only_image_differs(before: &Aws, after: &Aws, made: &Made, pushed: &str) {
    let page = made.page;
    let (mut old, mut new) = (runs(before, made), runs(after, made));
    let repository = format!(
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com/{}",
        made.repository
    );
    let made_with = json!(format!("{repository}:0.9.0"));
    assert_eq!(image(&mut old).take(), made_with, "{page}");
    let released = json!(format!("{repository}@{pushed}"));
    assert_eq!(image(&mut new).take(), released, "{page}");
    assert_eq!(new, old, "{page}");
}

/// That the stack of the pipeline found the roles of the service.
fn assert_roles(aws: &Aws, made: &Made) {
    let arns = passed(aws, &format!("{}-pipeline", made.name));
    assert_eq!(arns.len(), made.roles.len(), "{}: {arns:?}", made.page);
    for (arn, expected) in arns.iter().zip(made.roles) {
        let name = last(&json!(arn));
        assert!(name.starts_with(expected), "{}: {name}", made.page);
    }
}

#[test]
fn five_tools_make_services_with_their_own_names_tags_roles_and_breakers() {
    let aws = made_by_tools();
    for made in tools(&aws) {
        let found = service(&aws, &made.cluster, &made.service);
        let breaker = &found["deploymentConfiguration"]["deploymentCircuitBreaker"];
        let [enable, rollback] = made.breaker;
        let expected = json!({"enable": enable, "rollback": rollback});
        assert_eq!(*breaker, expected, "{}", made.page);
        let has_own_tag = found["tags"].to_string().contains("slipway");
        assert!(!has_own_tag, "{}: {}", made.page, found["tags"]);
    }
}

#[test]
fn a_service_of_each_tool_is_adopted_by_one_stack_and_a_release_changes_its_image_only() {
    let before = made_by_tools();
    let tools = tools(&before);
    let mut aws = before.clone();
    for made in &tools {
        let page = format!("docs/adopt/{}.md", made.page);
        Command::of(&page, &made.words).run(&mut aws);
    }

    run(steady(aws), Fault::None, async |driver| {
        let mut pushed = Vec::new();
        for made in &tools {
            pushed.push(push(&driver, made.repository, "1.0.0"));
        }
        for (made, pushed) in tools.iter().zip(&pushed) {
            let execution = settled(&driver, &format!("slipway-{}", made.name), pushed).await;
            let why = reason(&driver, &execution);
            assert_eq!(
                outcome(&driver, &execution),
                "deployed",
                "{}: {why}",
                made.page
            );
        }

        let aws = driver.world.snapshot();
        assert!(aws.iam.denials.is_empty(), "{:?}", aws.iam.denials);
        for (made, pushed) in tools.iter().zip(&pushed) {
            assert_eq!(seen(&aws, made), seen(&before, made), "{}", made.page);
            assert_only_image_differs(&before, &aws, made, pushed);
            assert_roles(&aws, made);
        }
    });
}
