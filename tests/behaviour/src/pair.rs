//! The shop, a blue/green pair: its rule, its colours and its pipeline, looked at and changed as an
//! operator would.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use emulator::cloudformation::deploy;
use emulator::codepipeline::ActionStatus;
use emulator::elb::{self, Elb};
use emulator::{Aws, autoscaling, ecs};
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::digest;
use serde_json::{Value, json};

use super::{LIMIT, account, newest, outcome, push, reason, settled};

pub const PIPELINE: &str = "slipway-shop";
/// The colours, as services.
pub const COLOURS: [&str; 2] = ["shop-blue", "shop-green"];

/// What the pipeline's stack is given so that a release takes minutes.
pub const SHORT: [(&str, &str); 3] = [
    ("Shift", "all-at-once"),
    ("BakeMinutes", "1"),
    ("DrainMinutes", "0"),
];

/// The same so that half of the traffic bakes for a while, then all of it.
pub const HALVES: [(&str, &str); 5] = [
    ("Shift", "listed"),
    ("Steps", "50,100"),
    ("StepMinutes", "3"),
    ("BakeMinutes", "2"),
    ("DrainMinutes", "0"),
];

/// ARN of the production rule.
pub fn rule(aws: &Aws) -> String {
    aws.cloudformation
        .export("shop-ProductionRuleArn")
        .expect("the pair exports its rule")
        .to_owned()
}

/// ARN of the listener that the production rule belongs to.
pub fn listener(aws: &Aws) -> String {
    aws.elb.rules[&rule(aws)].listener_arn.clone()
}

fn numbers(actions: Option<&Value>) -> [i64; 2] {
    let weights: Vec<i64> = Elb::forwards(actions)
        .into_iter()
        .map(|(_, weight)| weight)
        .collect();
    weights
        .try_into()
        .expect("a rule of a pair names two groups")
}

/// Weights of blue and green in the production rule, or in the listener's default action.
pub fn weights_at(aws: &Aws, arn: &str) -> [i64; 2] {
    numbers(aws.elb.actions_of(arn))
}

pub fn weights(aws: &Aws) -> [i64; 2] {
    weights_at(aws, &rule(aws))
}

/// The target groups of blue and green.
pub fn groups(aws: &Aws) -> [String; 2] {
    let groups: Vec<String> = Elb::forwards(aws.elb.actions_of(&rule(aws)))
        .into_iter()
        .map(|(group, _)| group)
        .collect();
    groups
        .try_into()
        .expect("a rule of a pair names two groups")
}

/// The production rule's actions with other weights.
pub fn actions(aws: &Aws, weights: [i64; 2]) -> Value {
    let mut actions = aws.elb.rules[&rule(aws)].properties["Actions"].clone();
    let forward = actions
        .as_array_mut()
        .expect("a list")
        .iter_mut()
        .find(|action| action["Type"] == "forward");
    let groups = &mut forward.expect("it forwards")["ForwardConfig"]["TargetGroups"];

    for (at, weight) in weights.into_iter().enumerate() {
        groups[at]["Weight"] = json!(weight);
    }
    actions
}

/// An operator sets the weights.
pub fn set_weights(aws: &mut Aws, weights: [i64; 2]) {
    let (rule, actions) = (rule(aws), actions(aws, weights));
    elb::update_rule(aws, &rule, &json!({ "Actions": actions })).expect("the rule is there");
}

/// An operator updates a colour.
pub fn set(aws: &mut Aws, name: &str, more: Value) {
    let mut input = more;
    input["cluster"] = json!(CLUSTER);
    input["service"] = json!(name);
    ecs::call(aws, "UpdateService", &input).unwrap_or_else(|error| panic!("{input}: {error}"));
}

/// An operator suspends scale-in and scheduled scaling of a colour, or enables them again.
pub fn suspend(aws: &mut Aws, name: &str, suspended: bool) {
    let input = json!({
        "ServiceNamespace": autoscaling::NAMESPACE, "ScalableDimension": autoscaling::DIMENSION,
        "ResourceId": autoscaling::resource_id(CLUSTER, name),
        "SuspendedState": {
            "DynamicScalingInSuspended": suspended, "ScheduledScalingSuspended": suspended,
        },
    });
    autoscaling::call(aws, "RegisterScalableTarget", &input).expect("the colour scales");
}

/// Bounds the tasks that automatic scaling gives a colour.
pub fn bound(aws: &mut Aws, name: &str, most: u32) {
    let input = json!({
        "ServiceNamespace": autoscaling::NAMESPACE, "ScalableDimension": autoscaling::DIMENSION,
        "ResourceId": autoscaling::resource_id(CLUSTER, name), "MaxCapacity": most,
    });
    autoscaling::call(aws, "RegisterScalableTarget", &input).expect("the colour scales");
}

/// Whether scale-in of each colour is suspended, after a check that scheduled scaling is if it is.
pub fn suspensions(aws: &Aws) -> [bool; 2] {
    COLOURS.map(|name| {
        let target = aws.autoscaling.target_of(CLUSTER, name);
        let suspended = target.expect("the colour scales").suspended;
        assert_eq!(suspended.dynamic_in, suspended.scheduled, "{name}");
        suspended.dynamic_in
    })
}

/// A colour as ECS has it. Tests look at it at every instant.
fn colour<'a>(aws: &'a Aws, name: &str) -> &'a ecs::Service {
    let found = aws.ecs.service_named(CLUSTER, name);
    found.expect("the pair has both colours")
}

/// What each colour runs.
pub fn definitions(aws: &Aws) -> [String; 2] {
    COLOURS.map(|name| {
        let colour = colour(aws, name);
        let runs = colour.primary().or(colour.last_completed.as_ref());
        runs.expect("a deployment").task_definition.clone()
    })
}

pub fn counts(aws: &Aws) -> [i64; 2] {
    COLOURS.map(|name| i64::from(colour(aws, name).desired_count))
}

/// The same with numbers and words as text, as CloudFormation, the API or the SDK.
pub fn as_text(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(as_text).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), as_text(value)))
            .collect(),
        Value::String(_) | Value::Null => value.clone(),
        other => json!(other.to_string()),
    }
}

/// Weights, definitions, counts and suspensions: what a rollback restores.
pub fn state(aws: &Aws) -> Value {
    json!({
        "rule": aws.elb.actions_of(&rule(aws)).map(as_text), "definitions": definitions(aws),
        "counts": counts(aws),
        "suspensions": suspensions(aws),
    })
}

/// The parameters that a stack was given.
pub fn parameters(aws: &Aws, stack: &str) -> BTreeMap<String, String> {
    let stack = aws.cloudformation.stack(stack).expect("the demo's stack");
    let text = |value: &Value| match value {
        Value::Array(items) => items
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(","),
        other => other
            .as_str()
            .map_or_else(|| other.to_string(), ToOwned::to_owned),
    };

    let given = stack.parameters.iter();
    given
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

/// Deploys a stack again with the parameters that it has, except for these.
pub fn update(aws: &mut Aws, stack: &str, changes: &[(&str, &str)]) {
    let mut parameters = parameters(aws, stack);
    parameters.extend(
        changes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );

    let old = aws.cloudformation.stack(stack).expect("the demo's stack");
    let template = old.template.clone();
    deploy(aws, stack, &template, &parameters)
        .unwrap_or_else(|error| panic!("{changes:?}: {error}"));
}

/// Changes the shop's pipeline.
pub fn configure(aws: &mut Aws, changes: &[(&str, &str)]) {
    update(aws, "shop-pipeline", changes);
}

/// The shop after one release with these parameters of its pipeline: green is live, blue was
/// retired. Each is played once.
pub fn shop(changes: &[(&str, &str)]) -> Aws {
    static SHOPS: Mutex<BTreeMap<String, Aws>> = Mutex::new(BTreeMap::new());
    let shops = || SHOPS.lock().unwrap_or_else(PoisonError::into_inner);

    let parameters = format!("{changes:?}");
    if let Some(known) = shops().get(&parameters) {
        return known.clone();
    }
    let made = released(changes);
    shops().insert(parameters, made.clone());
    made
}

/// Plays the release of a shop.
fn released(changes: &[(&str, &str)]) -> Aws {
    let mut aws = account();
    configure(&mut aws, changes);

    run(aws, Fault::None, async |driver| {
        let execution = release(&driver, "1.0.0").await;
        assert_eq!(
            outcome(&driver, &execution),
            "deployed",
            "{}",
            reason(&driver, &execution)
        );

        driver.world.snapshot()
    })
}

/// Pushes a healthy image and lets its release end; returns its execution.
pub async fn release(driver: &Driver, tag: &str) -> String {
    let pushed = push(driver, SHOP, tag);
    settled(driver, PIPELINE, &pushed).await
}

/// Lets time pass until an action of a push's release is in progress and has reported this at
/// least; returns the execution.
pub async fn until_action(
    driver: &Driver,
    pushed: &str,
    action: &str,
    percent: u8,
) -> Result<String, String> {
    let is_there = |aws: &Aws| {
        let execution = newest(aws, PIPELINE);
        let found = execution.latest_action("Release", action);
        digest(execution) == Some(pushed)
            && found.is_some_and(|found| {
                found.status == ActionStatus::InProgress
                    && (percent == 0 || found.percent >= Some(percent))
            })
    };
    driver.until(LIMIT, &mut |_| Ok(()), is_there).await?;
    Ok(newest(&driver.world.aws(), PIPELINE).id.clone())
}

/// Lets time pass until the new colour of a release has this much of the traffic; blue and green by
/// their weights.
pub async fn until_weights(driver: &Driver, wanted: [i64; 2]) {
    driver
        .until(LIMIT, &mut |_| Ok(()), |aws| weights(aws) == wanted)
        .await
        .expect("the traffic is shifted");
}

/// An operator stops an execution at once.
pub fn stop(driver: &Driver, execution: &str) {
    crate::stop(driver, PIPELINE, execution);
}

/// Seconds, for `pass`.
pub const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}
