//! A pair whose services are not named after it, as those that CloudFormation or the CDK name: each
//! step finds them by the names that the pipeline gives, and later ones by those in the lease.

use std::collections::BTreeMap;
use std::fs;

use emulator::cloudformation::{deploy, deploy_text};
use emulator::ecr::{self, Behaviour};
use emulator::{Aws, elb};
use harness::demo::{CLUSTER, root, scalable_targets, task_roles};
use harness::driver::{Driver, Fault, run};
use invariants::Invariants;
use invariants::ledger_reader::{item, text};
use serde_json::json;

use behaviour::pair::{SHORT, weights_at};
use behaviour::{account, ends, image_of, push, service, until};

/// The pair, and its repository.
const KIOSK: &str = "kiosk";
/// Its stack, after which CloudFormation names the services.
const STACK: &str = "Kiosk";
const PIPELINE: &str = "slipway-kiosk";

fn given(parameters: &[(&str, &str)]) -> BTreeMap<String, String> {
    parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

/// The pair from the template without the names of its services, and its pipeline.
fn with_kiosk() -> Aws {
    let mut aws = account();
    let path = root().join("infra/service.yaml");
    let template = fs::read_to_string(&path).expect("the template");
    let unnamed: Vec<&str> = template
        .lines()
        .filter(|line| !line.contains("ServiceName: !Sub"))
        .collect();
    let pair = given(&[
        ("Name", KIOSK),
        ("VpcId", "vpc-0a1b2c3d"),
        ("Subnets", "subnet-0a1b2c3d,subnet-1b2c3d4e"),
        ("Cluster", CLUSTER),
        ("BlueGreen", "yes"),
        ("MinCapacity", "2"),
        ("MaxCapacity", "4"),
    ]);
    deploy_text(&mut aws, STACK, &path, &unnamed.join("\n"), &pair).expect("the pair deploys");

    let rule = exported(&aws, "ProductionRuleArn");
    let roles = task_roles(&aws, STACK).expect("the pair exports them");
    let [blue, green] = services(&aws);
    let targets = scalable_targets(&aws, CLUSTER, [&blue, &green]);
    let pipeline = [
        ("PipelineName", PIPELINE),
        ("Cluster", CLUSTER),
        ("Service", KIOSK),
        ("BlueService", blue.as_str()),
        ("GreenService", green.as_str()),
        ("Rule", rule.as_str()),
        ("Repository", KIOSK),
        ("ContainerName", "web"),
        ("TaskRoleArns", roles.as_str()),
        ("ScalableTargetArns", targets.as_str()),
    ];
    let parameters = given(&[&pipeline[..], &SHORT[..]].concat());
    let template = root().join("infra/pipelines/blue-green.yaml");
    deploy(&mut aws, "kiosk-pipeline", &template, &parameters).expect("the pipeline deploys");
    aws
}

fn exported(aws: &Aws, output: &str) -> String {
    let value = aws.cloudformation.export(&format!("{STACK}-{output}"));
    value.expect("the pair exports it").to_owned()
}

/// The names of its services, blue first.
fn services(aws: &Aws) -> [String; 2] {
    ["BlueServiceName", "GreenServiceName"].map(|output| exported(aws, output))
}

fn weights(aws: &Aws) -> [i64; 2] {
    weights_at(aws, &exported(aws, "ProductionRuleArn"))
}

/// Sets the weights back to those of the template, as a stack update does.
fn reset(aws: &mut Aws) {
    let rule = exported(aws, "ProductionRuleArn");
    let mut actions = aws.elb.rules[&rule].properties["Actions"].clone();
    let groups = &mut actions[0]["ForwardConfig"]["TargetGroups"];
    groups[0]["Weight"] = json!(100);
    groups[1]["Weight"] = json!(0);
    elb::update_rule(aws, &rule, &json!({ "Actions": actions })).expect("the rule is there");
}

/// Lets the release of an image end.
async fn released(driver: &Driver, pushed: &str, expected: &str) {
    ends(driver, PIPELINE, pushed, expected).await;
}

/// Green serves this image, blue has no tasks, and both may be scaled in.
fn assert_green_serves(aws: &Aws, pushed: &str) {
    let [blue, green] = services(aws);
    assert_eq!(weights(aws), [0, 100]);
    assert!(image_of(aws, &green).ends_with(pushed), "{green}");
    assert_eq!(service(aws, CLUSTER, &blue)["desiredCount"], 0);

    for name in [blue, green] {
        let target = aws.autoscaling.target_of(CLUSTER, &name);
        assert!(!target.expect("it scales").suspended.dynamic_in, "{name}");
    }
}

/// Whether a revision with this image is ACTIVE.
fn is_registered(aws: &Aws, pushed: &str) -> bool {
    let mut active = aws
        .ecs
        .definition_arns()
        .filter(|arn| aws.ecs.is_active(arn));
    active.any(|arn| {
        let request = aws.ecs.request_of(arn).expect("registered");
        request.to_string().contains(pushed)
    })
}

#[test]
fn a_pair_with_given_names_is_released_retired_repaired_and_rolled_back() {
    run(with_kiosk(), Fault::None, async |driver| {
        let good = push(&driver, KIOSK, "1.0.0");
        released(&driver, &good, "deployed").await;
        let aws = driver.world.snapshot();
        let names = services(&aws);
        assert!(names[0].starts_with("Kiosk-BlueService-"), "{names:?}");
        assert_green_serves(&aws, &good);

        let key = json!({"pk": {"S": "lease"}, "sk": {"S": format!("{CLUSTER}/{KIOSK}")}});
        let lease = item(&aws, &key).expect("a lease");
        let known = ["blue", "green"].map(|colour| {
            let known = text(&lease, &format!("settled.rule.services.{colour}"));
            known.map(ToOwned::to_owned)
        });
        assert_eq!(known, names.map(Some));

        reset(&mut driver.world.aws());
        driver.world.touch();
        until(&driver, |aws| weights(aws) == [0, 100]).await;

        let bad = ecr::push(
            &mut driver.world.aws(),
            KIOSK,
            "2.0.0",
            Behaviour::NeverHealthy,
        );
        driver.world.touch();
        let bad = bad.expect("the repository is there");
        released(&driver, &bad, "rolled-back").await;
        let aws = driver.world.snapshot();
        assert_green_serves(&aws, &good);
        assert!(is_registered(&aws, &good) && !is_registered(&aws, &bad));

        let better = push(&driver, KIOSK, "3.0.0");
        released(&driver, &better, "deployed").await;
        let aws = driver.world.snapshot();
        let [blue, green] = services(&aws);
        assert_eq!(weights(&aws), [100, 0]);
        assert!(image_of(&aws, &blue).ends_with(&better), "{blue}");
        assert_eq!(service(&aws, CLUSTER, &green)["desiredCount"], 0);
        Invariants::default()
            .at_end(&aws)
            .expect("ledger and account agree");
    });
}
