//! What a release and a rollback leave as they found it: other target groups of the rule,
//! stickiness, and suspensions of scaling that are not about scale-in.

use emulator::autoscaling::{self, Suspended};
use emulator::elb::{self, Elb};
use emulator::{Aws, Millis};
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::{holder, record};
use serde_json::{Value, json};

use super::{
    EXECUTION, begins, definitions, fill, free, look, plain, retire, through, to_all, to_half,
};
use behaviour::pair::{self, COLOURS, as_text, rule, secs};
use behaviour::{invoke, pass};

/// The rule with a third group at weight 3 that no colour registers with, and clients bound for
/// five minutes.
fn third(aws: &mut Aws) -> String {
    let properties = json!({"Name": "third", "Port": 80, "Protocol": "HTTP", "TargetType": "ip"});
    let group =
        elb::create_target_group(aws, &properties).expect("legal")["TargetGroupArn"].clone();
    let (rule, mut actions) = (rule(aws), pair::actions(aws, [0, 100]));
    let config = &mut actions[0]["ForwardConfig"];
    config["TargetGroups"]
        .as_array_mut()
        .expect("a list")
        .insert(1, json!({"TargetGroupArn": group, "Weight": 3}));
    config["TargetGroupStickinessConfig"] = json!({"Enabled": true, "DurationSeconds": 300});
    elb::update_rule(aws, &rule, &json!({ "Actions": actions })).expect("legal");
    group.as_str().expect("an ARN").to_owned()
}

/// Every kind of scaling but scale-in is suspended for both colours, by hand.
fn suspended(aws: &mut Aws) {
    for name in COLOURS {
        let input = json!({
            "ServiceNamespace": autoscaling::NAMESPACE, "ScalableDimension": autoscaling::DIMENSION,
            "ResourceId": autoscaling::resource_id(CLUSTER, name),
            "SuspendedState": {
                "DynamicScalingOutSuspended": true,
                "ScheduledScalingSuspended": true,
            },
        });
        autoscaling::call(aws, "RegisterScalableTarget", &input).expect("the colour scales");
    }
}

fn suspensions(aws: &Aws) -> [Suspended; 2] {
    COLOURS.map(|name| {
        aws.autoscaling
            .target_of(CLUSTER, name)
            .expect("the colour scales")
            .suspended
    })
}

fn bounds(aws: &Aws) -> [(u32, u32); 2] {
    COLOURS.map(|name| {
        aws.autoscaling
            .target_of(CLUSTER, name)
            .map(|target| (target.min, target.max))
            .expect("it scales")
    })
}

fn state(dynamic_in: bool) -> [Suspended; 2] {
    [Suspended {
        dynamic_in,
        dynamic_out: true,
        scheduled: true,
    }; 2]
}

/// Groups of the rule with their weights, in their order.
fn groups(aws: &Aws) -> Vec<(String, i64)> {
    Elb::forwards(aws.elb.actions_of(&rule(aws)))
}

/// The rule's actions with all weights as nothing.
fn beside_weights(aws: &Aws) -> Value {
    let mut actions = as_text(aws.elb.actions_of(&rule(aws)).expect("the rule is there"));
    for group in actions[0]["ForwardConfig"]["TargetGroups"]
        .as_array_mut()
        .expect("a list")
    {
        group["Weight"] = json!(null);
    }
    actions
}

/// The account with all of it, and the rule's groups in their order.
fn unusual() -> (Aws, [String; 3]) {
    let mut aws = free();
    let [blue, green] = pair::groups(&aws);
    let third = third(&mut aws);
    suspended(&mut aws);
    (aws, [blue, third, green])
}

fn weighted([blue, third, green]: &[String; 3], weights: [i64; 2]) -> Vec<(String, i64)> {
    vec![
        (blue.clone(), weights[0]),
        (third.clone(), 3),
        (green.clone(), weights[1]),
    ]
}

async fn released(driver: &Driver) -> [String; 2] {
    begins(driver).await;
    let [new, old] = definitions(&driver.world.aws());
    through(driver, "update-service", fill(&new)).await;
    assert_eq!(suspensions(&driver.world.aws()), state(true));
    pass(driver, secs(61)).await;
    [new, old]
}

#[test]
fn a_release_leaves_what_is_not_its_own_as_it_was() {
    let (before, named) = unusual();
    run(before.clone(), Fault::None, async |driver| {
        let [new, _] = released(&driver).await;
        let began: Millis = driver.world.clock.now();
        through(&driver, "swap-target-groups", to_all(&new)).await;

        assert_eq!(groups(&driver.world.aws()), weighted(&named, [100, 0]));

        through(&driver, "update-service", retire(&new)).await;
        assert!(
            driver.world.clock.now() - began >= 300_000,
            "clients are bound to the old colour for five minutes"
        );

        pass(&driver, secs(61)).await;
        let finished = through(&driver, "finish-release", json!({ "task_definition": new })).await;
        assert_eq!(finished["outputVariables"]["Outcome"], "deployed");

        let aws = driver.world.snapshot();
        assert_eq!(groups(&aws), weighted(&named, [100, 0]));
        assert_eq!(
            (suspensions(&aws), bounds(&aws)),
            (state(false), bounds(&before))
        );
        assert_eq!(beside_weights(&aws), beside_weights(&before));
    });
}

#[test]
fn a_rollback_leaves_what_is_not_its_own_as_it_was() {
    let (before, named) = unusual();
    run(before.clone(), Fault::None, async |driver| {
        let [new, _] = released(&driver).await;
        look(&driver, "swap-target-groups", &to_half(&new)).await;
        assert_eq!(groups(&driver.world.aws()), weighted(&named, [50, 50]));

        let event = json!({"parameters": {"execution": EXECUTION}});
        invoke(&driver, "roll-back", event)
            .await
            .expect("an answer");
        // Until the rule binds clients again.
        pass(&driver, secs(900)).await;
        let aws = driver.world.snapshot();
        let record = plain(&json!({"M": record(&aws, EXECUTION).expect("a record")}));

        assert_eq!(
            (&record["outcome"], holder(&aws, CLUSTER, SHOP)),
            (&json!("rolled-back"), None),
            "{record}"
        );
        assert_eq!(groups(&aws), weighted(&named, [0, 100]));
        assert_eq!(
            (suspensions(&aws), bounds(&aws)),
            (state(false), bounds(&before))
        );
        assert_eq!(beside_weights(&aws), beside_weights(&before));
    });
}
