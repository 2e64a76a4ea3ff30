//! Reads that lag behind the product's own changes, through its own adapters.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use slipway::aws::{Rules, Scaling, Sdk, Services};

use emulator::client::{CallFault, Invocation, World, sdk_config};
use emulator::{Aws, Millis, autoscaling, ecs, elb};

const LONGEST: Duration = Duration::from_secs(10);

/// The service `web` with two tasks that scale, and a rule that sends 90 of 100 requests to the
/// first of two groups. Returns the account, the rule and the groups.
fn account(longest: Option<Duration>) -> (Aws, String, [String; 2]) {
    let mut aws = Aws::new(1);
    ecs::call(&mut aws, "CreateCluster", &json!({"clusterName": "main"}))
        .expect("the account answers");
    ecs::add_container_instances(&mut aws, "main", 1);
    let containers = json!([{"name": "app", "image": "nginx:1", "memory": 128}]);
    let definition = json!({"family": "web", "containerDefinitions": containers});
    ecs::call(&mut aws, "RegisterTaskDefinition", &definition).expect("the account answers");

    let service = json!({
        "cluster": "main",
        "serviceName": "web",
        "taskDefinition": "web",
        "desiredCount": 2,
    });
    ecs::call(&mut aws, "CreateService", &service).expect("the account answers");
    scaled(&mut aws, json!({"MinCapacity": 1, "MaxCapacity": 9}));

    let groups = ["blue", "green"].map(|name| {
        let group = json!({
            "Name": name,
            "TargetType": "ip",
            "Port": 80,
            "HealthCheckIntervalSeconds": 5,
            "HealthyThresholdCount": 2,
        });
        text(&elb::create_target_group(&mut aws, &group).expect("the account answers")["Arn"])
    });
    let balancer =
        elb::create_load_balancer(&mut aws, &json!({"Name": "web"})).expect("the account answers");
    let listener = json!({
        "LoadBalancerArn": balancer["Arn"],
        "Port": 80,
        "Protocol": "HTTP",
        "DefaultActions": forward(&groups, [1, 1]),
    });
    let listener = elb::create_listener(&mut aws, &listener).expect("the account answers");
    let rule = json!({
        "ListenerArn": listener["Arn"],
        "Priority": 1,
        "Conditions": [],
        "Actions": forward(&groups, [90, 10]),
    });
    let rule = text(&elb::create_rule(&mut aws, &rule).expect("the account answers")["Arn"]);

    aws.stale.longest = longest;
    (aws, rule, groups)
}

fn text(value: &Value) -> String {
    value.as_str().expect("the account answers").to_owned()
}

fn forward(groups: &[String; 2], weights: [u32; 2]) -> Value {
    let groups: Value = groups
        .iter()
        .zip(weights)
        .map(|(arn, weight)| json!({"TargetGroupArn": arn, "Weight": weight}))
        .collect();
    json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}])
}

fn scaled(aws: &mut Aws, mut members: Value) {
    members["ServiceNamespace"] = json!("ecs");
    members["ResourceId"] = json!("service/main/web");
    members["ScalableDimension"] = json!("ecs:service:DesiredCount");
    autoscaling::call(aws, "RegisterScalableTarget", &members).expect("the account answers");
}

/// What the product's adapters see of the account: the count, the weight of the first group, and
/// whether scale-in is suspended.
async fn seen(sdk: &Sdk, rule: &str) -> (u32, u32, bool) {
    let service = Services::new(sdk)
        .describe("main", "web")
        .await
        .expect("the account answers")
        .expect("the account answers");
    let weights = Rules::new(sdk)
        .observe(rule)
        .await
        .expect("the account answers")
        .expect("the account answers")
        .view
        .weights;
    let [scaling, _] = Scaling::new(sdk)
        .observe("main", ["web", "none"])
        .await
        .expect("the account answers");

    (
        service.view.desired,
        weights[0].1,
        scaling.expect("the account answers").scale_in_suspended,
    )
}

/// All that is seen of three changes until after the longest time, and what is seen then.
async fn after_changes(
    longest: Option<Duration>,
) -> (BTreeSet<(u32, u32, bool)>, (u32, u32, bool)) {
    let (aws, rule, groups) = account(longest);
    let world = World::new(aws);
    let sdk = Sdk::new(
        sdk_config(&world, Invocation::new("operator", CallFault::None)),
        "ledger",
    );

    assert_eq!(seen(&sdk, &rule).await, (2, 90, false));

    let update = json!({"cluster": "main", "service": "web", "desiredCount": 5});
    let updated =
        ecs::call(&mut world.aws(), "UpdateService", &update).expect("the account answers");
    assert_eq!(
        updated["service"]["desiredCount"], 5,
        "its own answer is current"
    );

    let observed = Rules::new(&sdk)
        .observe(&rule)
        .await
        .expect("the account answers")
        .expect("the account answers");
    Rules::new(&sdk)
        .apply(&observed, &[(&groups[0], 20)])
        .await
        .expect("the account answers");
    scaled(
        &mut world.aws(),
        json!({"SuspendedState": {"DynamicScalingInSuspended": true}}),
    );

    let end = world.clock.now() + LONGEST.as_millis() as Millis;
    let mut all = BTreeSet::new();
    while world.clock.now() < end {
        all.insert(seen(&sdk, &rule).await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    (all, seen(&sdk, &rule).await)
}

#[tokio::test(start_paused = true)]
async fn a_read_may_lag_behind_a_change_for_a_while_and_then_sees_it() {
    let (all, last) = after_changes(Some(LONGEST)).await;
    let column = |of: fn(&(u32, u32, bool)) -> u32| all.iter().map(of).collect::<BTreeSet<u32>>();
    assert_eq!(column(|(count, ..)| *count), [2, 5].into());
    assert_eq!(column(|(_, weight, _)| *weight), [90, 20].into());
    assert_eq!(
        column(|(.., suspended)| u32::from(*suspended)),
        [0, 1].into()
    );
    assert_eq!(last, (5, 20, true));
}

#[tokio::test(start_paused = true)]
async fn without_the_knob_every_read_is_current() {
    assert_eq!(
        after_changes(None).await,
        ([(5, 20, true)].into(), (5, 20, true))
    );
}

#[test]
fn the_health_of_targets_lags_behind_too() {
    let (mut aws, _, groups) = account(Some(LONGEST));
    elb::register(&mut aws, &groups[1], "10.0.0.1", 80).expect("the account answers");
    aws.now += 60_000;
    let group = [("TargetGroupArn".to_owned(), groups[1].clone())].into();
    let state = |aws: &mut Aws| {
        let health =
            elb::run_operation(aws, "DescribeTargetHealth", &group).expect("the account answers");
        text(&health["TargetHealthDescriptions"][0]["TargetHealth"]["State"])
    };
    let update = json!({"cluster": "main", "service": "web", "desiredCount": 5});
    ecs::call(&mut aws, "UpdateService", &update).expect("the account answers");
    elb::deregister(&mut aws, &groups[1], "10.0.0.1", 80);

    let before = aws.now;
    let mut states = BTreeSet::new();
    for _ in 0..100 {
        states.insert(state(&mut aws));
        aws.now += 100;
    }

    assert_eq!(states, ["draining".to_owned(), "healthy".to_owned()].into());

    aws.now = before + 20_000;
    assert_eq!(state(&mut aws), "draining");
}

#[test]
fn what_lags_is_the_answer_and_not_the_account() {
    let (mut aws, ..) = account(Some(LONGEST));
    let update = json!({"cluster": "main", "service": "web", "desiredCount": 5});
    ecs::call(&mut aws, "UpdateService", &update).expect("the account answers");
    let now = aws.now;

    for _ in 0..20 {
        ecs::call(
            &mut aws,
            "DescribeServices",
            &json!({"cluster": "main", "services": ["web"]}),
        )
        .expect("the account answers");
        assert_eq!(
            (
                aws.now,
                aws.ecs
                    .service_named("main", "web")
                    .expect("the account answers")
                    .desired_count
            ),
            (now, 5)
        );
    }
}
