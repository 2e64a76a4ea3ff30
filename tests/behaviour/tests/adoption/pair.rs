//! A pair is adopted that the CDK made: two services with names that are made up, roles of the
//! default path, and one listener rule that forwards to both target groups.

use std::time::Duration;

use behaviour::pair::{SHORT, weights_at};
use behaviour::{ends, pass, push, until, writes};
use emulator::Aws;
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::scene::{
    Command, definition, deploy, deployed_by_cdk, service_of, settings, stack_seen, steady,
};
use super::{PAGE, name_family, property};

const STACK: &str = "Checkout";
const REPOSITORY: &str = "checkout";
const PIPELINE: &str = "slipway-checkout";

/// Logical ids of the template: of both colours, blue first.
const SERVICES: [&str; 2] = ["BlueService0B718DBC", "GreenService82F1A1A6"];
const TASK_DEFINITIONS: [&str; 2] = ["BlueTask92FE8235", "GreenTask78C116AC"];
const RULE: &str = "LBListenerProductionRule6989EB14";
const LIVE_GROUP: &str = "GreenGroupE3725268";

const TEMPLATE: &str = include_str!("checkout.template.json");

/// What releases of a pair change in a service, as DescribeServices has it.
const OF_RELEASES: [&str; 7] = [
    "taskDefinition",
    "deployments",
    "events",
    "taskSets",
    "desiredCount",
    "runningCount",
    "pendingCount",
];

fn template() -> Value {
    serde_json::from_str(TEMPLATE).expect("JSON")
}

/// An account in which the CDK has deployed the pair, its services steady.
fn by_cdk() -> Aws {
    deployed_by_cdk(STACK, REPOSITORY, TEMPLATE)
}

/// Both services as DescribeServices has them, blue first.
fn colours(aws: &Aws) -> [Value; 2] {
    SERVICES.map(|logical_id| service_of(aws, STACK, logical_id))
}

/// The ARN of the listener rule.
fn rule(aws: &Aws) -> String {
    let stack = aws.cloudformation.stack(STACK).expect("the stack");
    stack.resource(RULE).expect("a rule").physical_id.clone()
}

fn deployments(aws: &Aws) -> [Vec<Value>; 2] {
    colours(aws).map(|colour| {
        let deployments = colour["deployments"].as_array().expect("a list").iter();
        deployments.map(|one| one["id"].clone()).collect()
    })
}

/// The command of the page, with what the other commands print, and a short release.
fn command(aws: &Aws) -> Command {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let colours = colours(aws);
    let cluster = text(&colours[0]["clusterArn"]);
    let [blue, green] = [0, 1].map(|at| text(&colours[at]["serviceName"]));

    let words = [
        (
            "<cluster>",
            cluster.rsplit('/').next().unwrap_or_default().to_owned(),
        ),
        ("<blueService>", blue),
        ("<greenService>", green),
        ("<rule>", rule(aws)),
        ("<container>", "web".to_owned()),
    ];
    let command = Command::of_pair(PAGE, &words);
    SHORT
        .into_iter()
        .fold(command, |command, (name, value)| command.with(name, value))
}

/// What an operator sees of the stack of the CDK, and of what a release does not change in it.
fn seen(aws: &Aws) -> Value {
    let stack = stack_seen(aws, STACK);
    assert_eq!(
        stack["roles"].as_array().map(Vec::len),
        Some(4),
        "the task role and the execution role of each colour"
    );
    let services = colours(aws).map(|colour| settings(aws, colour, &OF_RELEASES));
    json!({"stack": stack, "services": services})
}

/// Pushes an image and lets its release end, which must be deployed; returns the digest.
async fn deployed(driver: &Driver, tag: &str) -> String {
    let pushed = push(driver, REPOSITORY, tag);
    ends(driver, PIPELINE, &pushed, "deployed").await;
    pushed
}

/// The CDK deploys its stack, and the pair becomes steady.
async fn update_by_cdk(driver: &Driver, template: &Value) {
    let body = serde_json::to_string_pretty(template).expect("JSON");
    deploy(&mut driver.world.aws(), STACK, &body, &[]);
    driver.world.touch();
    until(driver, |aws| {
        let mut services = aws.ecs.services.values();
        services.all(|service| !service.is_deploying())
    })
    .await;
    pass(driver, Duration::from_secs(60)).await;
}

/// That a colour, 0 for blue or 1 for green, has all traffic and runs an image, and that the other
/// one has no tasks.
fn assert_serves(aws: &Aws, live: usize, digest: &str) {
    let mut weights = [0, 0];
    weights[live] = 100;
    assert_eq!(weights_at(aws, &rule(aws)), weights);

    let colours = colours(aws);
    let image = &definition(aws, &colours[live])["containerDefinitions"][0]["image"];
    let image = image.as_str().expect("an image");
    assert!(image.ends_with(digest), "{image} is not {digest}");
    assert_eq!(colours[1 - live]["desiredCount"], 0);
}

#[test]
fn a_pair_of_the_cdk_is_adopted_by_one_stack_and_an_update_of_its_own_leaves_the_release() {
    let before = by_cdk();
    let mut aws = before.clone();
    let since = aws.calls.len();
    command(&aws).run(&mut aws);
    assert_eq!(
        writes(&aws, since),
        [
            "CreateChangeSet of operator",
            "ExecuteChangeSet of operator"
        ]
    );

    run(steady(aws), Fault::None, async |driver| {
        let pushed = deployed(&driver, "1.0.0").await;
        let aws = driver.world.snapshot();
        assert_serves(&aws, 1, &pushed);
        assert!(aws.iam.denials.is_empty(), "{:?}", aws.iam.denials);
        assert_eq!(seen(&aws), seen(&before));

        let mut changed = template();
        let group = property(&mut changed, LIVE_GROUP, "TargetGroupAttributes");
        let delay = json!({"Key": "deregistration_delay.timeout_seconds", "Value": "30"});
        group.as_array_mut().expect("a list").push(delay);
        *property(&mut changed, "CDKMetadata", "Analytics") = json!("v2:deflate64:another");
        update_by_cdk(&driver, &changed).await;

        let after = driver.world.snapshot();
        assert_serves(&after, 1, &pushed);
        assert_eq!(deployments(&after), deployments(&aws));
    });
}

/// The template after what the page advises: the services name their families.
fn naming_the_families() -> Value {
    let mut template = template();
    for (service, definition) in SERVICES.into_iter().zip(TASK_DEFINITIONS) {
        name_family(&mut template, service, definition);
    }
    template
}

#[test]
fn a_pair_that_names_its_families_keeps_the_release_when_the_cdk_updates_both_services() {
    let mut aws = by_cdk();
    let before = deployments(&aws);
    let mut named = naming_the_families();
    let body = serde_json::to_string_pretty(&named).expect("JSON");
    deploy(&mut aws, STACK, &body, &[]);
    assert_eq!(deployments(&aws), before);
    command(&aws).run(&mut aws);

    run(steady(aws), Fault::None, async |driver| {
        let pushed = deployed(&driver, "1.0.0").await;
        for service in SERVICES {
            *property(&mut named, service, "HealthCheckGracePeriodSeconds") = json!(90);
        }
        update_by_cdk(&driver, &named).await;

        let aws = driver.world.snapshot();
        assert_serves(&aws, 1, &pushed);
        let grace = colours(&aws).map(|colour| colour["healthCheckGracePeriodSeconds"].clone());
        assert_eq!(grace, [json!(90), json!(90)]);

        let pushed = deployed(&driver, "1.1.0").await;
        assert_serves(&driver.world.snapshot(), 0, &pushed);
    });
}
