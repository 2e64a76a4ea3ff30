//! The account as a release leaves it, in a rollout and after a rollback, made by direct calls.

use std::time::Duration;

use behaviour::{account, pass, service};
use emulator::elb::Elb;
use emulator::{Aws, autoscaling, ecs, elb};
use harness::demo::CLUSTER;
use harness::driver::{Fault, run};
use serde_json::{Value, json};

/// The colours of the pair, as services.
const COLOURS: [&str; 2] = ["shop-blue", "shop-green"];

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
    let input = json!({
        "ServiceNamespace": autoscaling::NAMESPACE, "ScalableDimension": autoscaling::DIMENSION,
        "ResourceId": autoscaling::resource_id(CLUSTER, name),
        "SuspendedState": {"DynamicScalingInSuspended": true},
    });
    autoscaling::call(aws, "RegisterScalableTarget", &input).expect("the target is registered");
}

/// Weights of the production rule; of each colour its task definition and count, and whether its
/// scale-in is suspended.
pub(super) fn state(aws: &Aws) -> Value {
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
pub(super) fn a_minute_later(aws: Aws) -> Aws {
    run(aws, Fault::None, async |driver| {
        pass(&driver, Duration::from_secs(60)).await;
        driver.world.snapshot()
    })
}

/// Green is live with three tasks of a release; blue runs the placeholder with no tasks.
pub(super) fn after_a_release() -> Aws {
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
pub(super) fn scenes() -> [(&'static str, Aws); 3] {
    [
        ("after a release", after_a_release()),
        ("during a rollout", during_a_rollout()),
        ("after a rollback", after_a_rollback()),
    ]
}
