//! Stacks are updated in mid-life: weights, counts, task definitions and suspensions that delivery
//! has changed since stay as they are, also when the update fails and is rolled back. What releases
//! change is done here by direct calls, so that nothing depends on which step would have done it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use behaviour::{
    account, image_of, outcome, pass, push, reason, released, service, settled, under_way,
};
use emulator::cloudformation::{StackError, deploy};
use emulator::elb::Elb;
use emulator::{Aws, autoscaling, ecs, elb};
use harness::demo::{CLUSTER, SHOP, WEB};
use harness::driver::{Fault, run};
use serde_json::{Value, json};

/// The colours of the pair, as services.
const COLOURS: [&str; 2] = ["shop-blue", "shop-green"];

/// Changes of `infra/service.yaml` that a team may want while the service lives.
const CHANGES: [(&str, &str); 9] = [
    ("HealthCheckGraceSeconds", "90"),
    ("KeepImages", "50"),
    ("TargetCpuPercent", "40"),
    ("MaxCapacity", "10"),
    (
        "CertificateArn",
        "arn:aws:acm:eu-west-1:111122223333:certificate/1",
    ),
    ("MinimumHealthyPercent", "50"),
    ("DeregistrationDelaySeconds", "60"),
    ("LogRetentionDays", "60"),
    ("AssignPublicIp", "ENABLED"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Deploys a stack again with the parameters that it has, but for one.
fn update(aws: &mut Aws, stack: &str, (name, value): (&str, &str)) -> Result<(), StackError> {
    let old = aws.cloudformation.stack(stack).expect("the story's stack");
    let text = |value: &Value| match value {
        Value::Array(items) => items
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(","),
        other => other.as_str().unwrap_or_default().to_owned(),
    };
    let mut parameters: BTreeMap<String, String> = old
        .parameters
        .iter()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect();
    parameters.insert(name.to_owned(), value.to_owned());

    let template = old.template.clone();
    deploy(aws, stack, &template, &parameters)
}

/// Updates a stack, and back again as CloudFormation does it when a later part of the update fails.
fn update_and_roll_back(aws: &mut Aws, stack: &str, change: (&str, &str)) {
    let before = aws
        .cloudformation
        .stack(stack)
        .expect("the story's stack")
        .parameters[change.0]
        .clone();
    update(aws, stack, change).unwrap_or_else(|error| panic!("{change:?}: {error}"));
    update(aws, stack, (change.0, before.as_str().expect("text")))
        .unwrap_or_else(|error| panic!("{change:?}: {error}"));
}

fn ecs(aws: &mut Aws, operation: &str, input: &Value) -> Value {
    ecs::call(aws, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
}

/// Registers a revision with a real image in the family of that name.
fn register(aws: &mut Aws, family: &str) -> String {
    let mut request = aws
        .ecs
        .request_of(family)
        .expect("the family has a revision")
        .clone();
    request["containerDefinitions"][0]["image"] = json!("public.ecr.aws/nginx/nginx:1");
    let registered = ecs(aws, "RegisterTaskDefinition", &request);

    registered["taskDefinition"]["taskDefinitionArn"]
        .as_str()
        .expect("an ARN")
        .to_owned()
}

fn set(aws: &mut Aws, name: &str, more: Value) {
    let mut input = more;
    input["cluster"] = json!(CLUSTER);
    input["service"] = json!(name);
    ecs(aws, "UpdateService", &input);
}

fn production_rule(aws: &Aws) -> String {
    aws.cloudformation
        .export("shop-ProductionRuleArn")
        .expect("the pair exports its rule")
        .to_owned()
}

fn shift(aws: &mut Aws, weights: [i64; 2]) {
    let rule = production_rule(aws);
    let mut actions = aws.elb.rules[&rule].properties["Actions"].clone();
    for (at, weight) in weights.into_iter().enumerate() {
        actions[0]["ForwardConfig"]["TargetGroups"][at]["Weight"] = json!(weight);
    }
    elb::update_rule(aws, &rule, &json!({ "Actions": actions })).expect("the rule is there");
}

fn suspend_scale_in(aws: &mut Aws, name: &str) {
    let asked = json!({
        "ServiceNamespace": autoscaling::NAMESPACE, "ScalableDimension": autoscaling::DIMENSION,
        "ResourceId": autoscaling::resource_id(CLUSTER, name),
        "SuspendedState": {"DynamicScalingInSuspended": true},
    });
    autoscaling::call(aws, "RegisterScalableTarget", &asked).expect("the target is registered");
}

/// Weights of the production rule; of each colour its task definition and count, and whether its
/// scale-in is suspended.
fn state(aws: &Aws) -> Value {
    let weights = Elb::forwards(
        aws.elb.rules[&production_rule(aws)]
            .properties
            .get("Actions"),
    );
    let colours = COLOURS.map(|name| {
        let seen = service(aws, CLUSTER, name);
        let target = aws
            .autoscaling
            .target_of(CLUSTER, name)
            .expect("the colour scales");

        json!([
            name,
            seen["taskDefinition"],
            seen["desiredCount"],
            target.suspended.dynamic_in
        ])
    });
    json!({"weights": weights, "colours": colours})
}

/// Lets a minute pass, in which whatever an update has set going comes out.
fn a_minute_later(aws: Aws) -> Aws {
    run(aws, Fault::None, async |driver| {
        pass(&driver, Duration::from_secs(60)).await;
        driver.world.snapshot()
    })
}

/// Green is live with three tasks of a release; blue runs the placeholder with no tasks.
fn after_a_release() -> Aws {
    let mut aws = account();
    let revision = register(&mut aws, "shop-green");
    set(
        &mut aws,
        "shop-green",
        json!({"taskDefinition": revision, "desiredCount": 3}),
    );
    shift(&mut aws, [0, 100]);
    set(&mut aws, "shop-blue", json!({"desiredCount": 0}));
    a_minute_later(aws)
}

/// Green has been filled with five tasks and has most of the traffic already; no colour is scaled
/// in.
fn during_a_rollout() -> Aws {
    let mut aws = account();
    COLOURS
        .iter()
        .for_each(|name| suspend_scale_in(&mut aws, name));

    // A registration lets the count be compared with the bounds within seconds.
    aws = a_minute_later(aws);
    let revision = register(&mut aws, "shop-green");
    set(
        &mut aws,
        "shop-green",
        json!({"taskDefinition": revision, "desiredCount": 5}),
    );
    set(&mut aws, "shop-blue", json!({"desiredCount": 5}));
    shift(&mut aws, [40, 60]);
    aws
}

/// Green was filled and given up: it runs its first revision again, and the one of the release is
/// gone.
fn after_a_rollback() -> Aws {
    let mut aws = during_a_rollout();
    let failed = service(&aws, CLUSTER, "shop-green")["taskDefinition"].clone();
    shift(&mut aws, [100, 0]);
    set(
        &mut aws,
        "shop-green",
        json!({"taskDefinition": "shop-green:1", "desiredCount": 0}),
    );
    ecs(
        &mut aws,
        "DeregisterTaskDefinition",
        &json!({"taskDefinition": failed}),
    );
    aws
}

/// Each scene with its name.
fn scenes() -> [(&'static str, Aws); 3] {
    [
        ("after a release", after_a_release()),
        ("during a rollout", during_a_rollout()),
        ("after a rollback", after_a_rollback()),
    ]
}

#[test]
fn an_update_of_the_pair_resets_nothing() {
    for (scene, before) in scenes() {
        for change in CHANGES {
            let mut aws = before.clone();
            update(&mut aws, SHOP, change)
                .unwrap_or_else(|error| panic!("{scene}, {change:?}: {error}"));
            assert_eq!(state(&aws), state(&before), "{scene}, {change:?}");

            // A colour without tasks is brought to MinCapacity by what changes the capacity, and
            // has no traffic to serve.
            if change.0 != "MaxCapacity" {
                assert_eq!(
                    state(&a_minute_later(aws)),
                    state(&before),
                    "{scene}, {change:?}, a minute later"
                );
            }
        }
    }
}

#[test]
fn changed_bounds_move_at_most_the_count_of_a_colour_that_is_below_them() {
    for (scene, before) in scenes() {
        let mut aws = before.clone();
        update(&mut aws, SHOP, ("MaxCapacity", "10")).expect("it scales");
        let after = state(&a_minute_later(aws));

        for (at, seen) in state(&before)["colours"]
            .as_array()
            .expect("two")
            .iter()
            .enumerate()
        {
            let mut expected = seen.clone();
            expected[2] = json!(seen[2].as_i64().expect("a count").max(2));
            let described = &after["colours"][at];
            assert!(
                described == seen || *described == expected,
                "{scene}: {seen} became {described}"
            );
        }
        assert_eq!(after["weights"], state(&before)["weights"], "{scene}");
    }
}

#[test]
fn an_update_that_is_rolled_back_resets_nothing() {
    for (scene, before) in scenes() {
        for change in CHANGES
            .into_iter()
            .filter(|(name, _)| *name != "CertificateArn")
        {
            let mut aws = before.clone();
            update_and_roll_back(&mut aws, SHOP, change);
            assert_eq!(state(&aws), state(&before), "{scene}, {change:?}");
        }

        let mut aws = before.clone();
        let refused = update(&mut aws, SHOP, ("MaxCapacity", "1")).expect_err("below MinCapacity");
        assert!(refused.place.contains("ScalableTarget"), "{refused}");

        let refused = update(&mut aws, SHOP, ("LoadBalanced", "no"))
            .expect_err("a pair needs its load balancer");
        assert_eq!(refused.place, "Rules.PairIsLoadBalanced.Assertions.0");
        assert_eq!(
            state(&a_minute_later(aws)),
            state(&a_minute_later(before)),
            "{scene}"
        );
    }
}

#[test]
fn no_parameter_but_those_that_are_fixed_for_life_reaches_the_production_rule() {
    let before = after_a_release();
    let stack = before
        .cloudformation
        .stack(SHOP)
        .expect("the story's stack");
    let rule = stack
        .resource("ProductionRule")
        .expect("a pair")
        .properties
        .clone();

    for change in CHANGES.into_iter().chain([
        ("ContainerPort", "9090"),
        ("HealthCheckPath", "/health"),
        ("PlaceholderImage", "busybox"),
    ]) {
        let mut aws = before.clone();
        update(&mut aws, SHOP, change).unwrap_or_else(|error| panic!("{change:?}: {error}"));
        let stack = aws.cloudformation.stack(SHOP).expect("the story's stack");

        assert_eq!(
            stack.resource("ProductionRule").expect("a pair").properties,
            rule,
            "{change:?}"
        );
        assert_eq!(
            state(&aws)["weights"],
            state(&before)["weights"],
            "{change:?}"
        );
    }
}

#[test]
fn an_update_of_the_pipeline_of_a_pair_touches_nothing_but_the_pipeline() {
    for (scene, before) in scenes() {
        for change in [
            ("Shift", "all-at-once"),
            ("BakeMinutes", "30"),
            ("Approval", "yes"),
            ("ExecutionMode", "QUEUED"),
        ] {
            let mut aws = before.clone();
            update(&mut aws, "shop-pipeline", change)
                .unwrap_or_else(|error| panic!("{scene}, {change:?}: {error}"));
            assert_eq!(state(&aws), state(&before), "{scene}, {change:?}");
        }
    }
}

/// Updates a stack while a release of `web` rolls out; answers its outcome and reason, and the
/// account at its end.
fn updated_meanwhile(stack: &str, change: (&str, &str)) -> (String, String, Aws) {
    run(released(), Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        let execution = under_way(&driver, &pushed).await;
        let updated = update(&mut driver.world.aws(), stack, change);
        updated.unwrap_or_else(|error| panic!("{change:?}: {error}"));
        driver.world.touch();
        settled(&driver, "slipway-web", &pushed).await;

        (
            outcome(&driver, &execution),
            reason(&driver, &execution),
            driver.world.snapshot(),
        )
    })
}

#[test]
fn a_release_under_way_is_deployed_whatever_is_updated_of_service_and_functions() {
    let of_one_service = |name: &str| !["MaxCapacity", "AssignPublicIp"].contains(&name);
    let changes = CHANGES
        .into_iter()
        .filter(|(name, _)| of_one_service(name))
        .map(|change| (WEB, change));

    for (stack, change) in changes.chain([("slipway", ("LogRetentionDays", "30"))]) {
        let (outcome, reason, aws) = updated_meanwhile(stack, change);
        assert_eq!(outcome, "deployed", "{change:?}: {reason}");
        assert_ne!(
            image_of(&aws, WEB),
            image_of(&released(), WEB),
            "{change:?}"
        );
        assert_eq!(service(&aws, CLUSTER, WEB)["desiredCount"], 2, "{change:?}");
    }
}

#[test]
fn an_update_of_its_pipeline_rolls_a_release_under_way_back() {
    let (outcome, reason, aws) = updated_meanwhile("slipway", ("Strategy", "doubling"));
    assert_eq!(outcome, "rolled-back", "{reason}");
    assert!(reason.contains("the execution was canceled"), "{reason}");

    let [after, before] = [&aws, &released()].map(|aws| service(aws, CLUSTER, WEB));
    for member in [
        "taskDefinition",
        "desiredCount",
        "runningCount",
        "deploymentConfiguration",
    ] {
        assert_eq!(after[member], before[member], "{member}");
    }
}

#[test]
fn the_templates_are_those_that_people_deploy() {
    let aws = account();
    for (stack, template) in [
        (SHOP, "infra/service.yaml"),
        ("shop-pipeline", "infra/pipelines/blue-green.yaml"),
    ] {
        let deployed = &aws
            .cloudformation
            .stack(stack)
            .expect("the story's stack")
            .template;
        let same = deployed.canonicalize().expect("a file")
            == root().join(template).canonicalize().expect("a file");
        assert!(same, "{stack} is {}", deployed.display());
    }
}
