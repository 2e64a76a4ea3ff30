use serde_json::{Value, json};

use super::*;
use crate::Quirk;
use crate::elb::{self, TargetState};

/// Two target groups with one healthy target each, `blue` with all of the weight, and the listener
/// that forwards to them. A target is healthy 20 s after its registration and unhealthy 20 s after
/// it stopped answering.
struct TrafficBench {
    aws: Aws,
    blue: String,
    green: String,
    listener: String,
}

impl TrafficBench {
    fn new() -> Self {
        let mut aws = Aws::new(1);
        let group = |aws: &mut Aws, name: &str| {
            let group = json!({
                "Name": name, "TargetType": "ip", "HealthCheckIntervalSeconds": 10,
                "HealthyThresholdCount": 2,
            });
            text(&elb::create_target_group(aws, &group).unwrap()["Arn"])
        };
        let (blue, green) = (group(&mut aws, "blue"), group(&mut aws, "green"));
        let balancer = elb::create_load_balancer(&mut aws, &json!({"Name": "web"})).unwrap();
        let actions = actions(&[(&blue, 100), (&green, 0)], None);
        let listener =
            json!({"LoadBalancerArn": balancer["Arn"], "Port": 80, "DefaultActions": actions});
        let listener = text(&elb::create_listener(&mut aws, &listener).unwrap()["Arn"]);

        // A rule of its own keeps green in use, as the test rule of a colour does.
        let test = json!({
            "ListenerArn": listener, "Priority": 1, "Conditions": [],
            "Actions": [{"Type": "forward", "TargetGroupArn": green}],
        });
        elb::create_rule(&mut aws, &test).unwrap();
        elb::register(&mut aws, &blue, "b1", 80).unwrap();
        elb::register(&mut aws, &green, "g1", 80).unwrap();
        aws.now += 60_000;

        Self {
            aws,
            blue,
            green,
            listener,
        }
    }

    fn weigh(&mut self, blue: u32, green: u32, sticky_secs: Option<u32>) {
        let actions = actions(&[(&self.blue, blue), (&self.green, green)], sticky_secs);
        elb::update_listener(
            &mut self.aws,
            &self.listener,
            &json!({ "DefaultActions": actions }),
        )
        .unwrap();
    }

    fn load(&mut self, rate: f64) {
        set(&mut self.aws, &self.listener.clone(), rate);
    }

    fn pass(&mut self, seconds: i64) {
        self.aws.now += seconds * 1000;
        self.aws.run_due();
    }

    /// What the targets named so have served, rounded.
    fn served(&self, target: &str) -> f64 {
        served(&self.aws)
            .get(&format!("{target}:80"))
            .copied()
            .unwrap_or(0.0)
            .round()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn actions(groups: &[(&str, u32)], sticky_secs: Option<u32>) -> Value {
    let groups: Value = groups
        .iter()
        .map(|(arn, weight)| json!({"TargetGroupArn": arn, "Weight": weight}))
        .collect();
    let sticky =
        json!({"Enabled": sticky_secs.is_some(), "DurationSeconds": sticky_secs.unwrap_or(3600)});

    json!([
        {
            "Type": "forward",
            "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": sticky},
        },
    ])
}

#[test]
fn requests_go_by_weight_from_the_moment_it_changes() {
    let mut world = TrafficBench::new();
    world.load(10.0);
    world.pass(100);
    world.weigh(90, 10, None);
    world.pass(100);

    assert_eq!(
        (world.served("b1"), world.served("g1"), failed(&world.aws)),
        (1900.0, 100.0, 0.0)
    );
    assert_eq!(
        history(&world.aws).len(),
        2,
        "a span lasts as long as nothing changes"
    );

    world.load(0.0);
    world.pass(1000);
    assert_eq!((world.served("b1"), world.served("g1")), (1900.0, 100.0));
}

#[test]
fn only_healthy_targets_serve_and_without_one_requests_fail() {
    let mut world = TrafficBench::new();
    world.load(10.0);
    elb::register(&mut world.aws, &world.blue.clone(), "b2", 80).unwrap();

    // Nothing is read while the new target becomes healthy after 20 s.
    world.pass(40);
    assert_eq!((world.served("b1"), world.served("b2")), (300.0, 100.0));

    for target in ["b1", "b2"] {
        elb::set_answering(&mut world.aws, &world.blue.clone(), target, 80, false);
    }
    assert_eq!(exposed(&world.aws, &world.listener), Vec::<String>::new());

    world.pass(50);
    assert_eq!(
        (world.served("b1"), world.served("b2"), failed(&world.aws)),
        (400.0, 200.0, 300.0)
    );
    assert_eq!(rules(&world.aws).collect::<Vec<_>>(), [&world.listener]);
    assert_eq!(exposed(&world.aws, &world.listener), [world.blue.clone()]);
    assert_eq!(
        elb::state(&world.aws, &world.blue, "b1", 80),
        Some(TargetState::Unhealthy)
    );

    world.weigh(0, 0, None);
    world.pass(10);
    assert_eq!(
        failed(&world.aws),
        400.0,
        "weights of 0 send no client anywhere"
    );
}

#[test]
fn clients_with_a_cookie_keep_their_group_while_it_lasts() {
    let mut world = TrafficBench::new();

    // Targets of a group that is not in use serve no client, with a cookie or without.
    world.aws.settle_quirk(Quirk::WeightZeroIsUse, true);
    world.weigh(100, 0, Some(100));
    world.load(10.0);
    set_sticky(&mut world.aws, &world.listener.clone(), 0.4);
    world.pass(10);
    world.weigh(0, 100, Some(100));
    world.pass(100);

    assert_eq!((world.served("b1"), world.served("g1")), (500.0, 600.0));

    world.pass(10);
    assert_eq!(
        (world.served("b1"), world.served("g1")),
        (500.0, 700.0),
        "the cookies are old"
    );

    world.weigh(100, 0, Some(100));
    world.weigh(100, 0, None);
    world.pass(10);
    assert_eq!(
        (world.served("b1"), world.served("g1")),
        (600.0, 700.0),
        "without stickiness cookies say nothing"
    );
}

#[test]
fn a_client_that_goes_on_renews_its_cookie_and_keeps_its_group() {
    let mut world = TrafficBench::new();
    world.aws.settle_quirk(Quirk::WeightZeroIsUse, true);
    world.weigh(100, 0, Some(100));
    world.load(10.0);
    set_sticky(&mut world.aws, &world.listener.clone(), 0.4);
    renew_cookies(&mut world.aws, &world.listener.clone());
    world.weigh(0, 100, Some(100));
    world.pass(1_000);
    assert_eq!((world.served("b1"), world.served("g1")), (4_000.0, 6_000.0));

    // Another change of the weights does not bind them to another group.
    world.weigh(0, 50, Some(100));
    world.pass(10);
    assert_eq!((world.served("b1"), world.served("g1")), (4_040.0, 6_060.0));

    world.weigh(0, 100, None);
    world.pass(10);
    assert_eq!((world.served("b1"), world.served("g1")), (4_040.0, 6_160.0));
}

#[test]
fn a_cookie_outlasts_stickiness_that_is_off_and_is_not_renewed_meanwhile() {
    for (off_secs, in_ten_seconds) in [(90, (40.0, 60.0)), (110, (0.0, 100.0))] {
        let mut world = TrafficBench::new();
        world.aws.settle_quirk(Quirk::WeightZeroIsUse, true);
        world.weigh(100, 0, Some(100));
        world.load(10.0);
        set_sticky(&mut world.aws, &world.listener.clone(), 0.4);
        renew_cookies(&mut world.aws, &world.listener.clone());
        world.weigh(0, 100, Some(100));
        world.pass(1_000);
        world.weigh(0, 100, None);
        world.pass(off_secs);

        let before = [world.served("b1"), world.served("g1")];
        world.weigh(0, 100, Some(100));
        world.pass(10);
        let got = (
            world.served("b1") - before[0],
            world.served("g1") - before[1],
        );
        assert_eq!(got, in_ten_seconds, "off for {off_secs} s");
    }
}

#[test]
fn minutes_of_a_target_group_are_read_from_the_spans() {
    let mut world = TrafficBench::new();
    let start = world.aws.now;
    assert_eq!(start % MINUTE, 0);

    world.load(1.0);
    world.pass(90);
    world.weigh(50, 50, None);
    world.pass(90);
    let counts = |group: &str| -> Vec<(i64, f64)> {
        let minutes = per_minute(&world.aws, group, start, world.aws.now);
        minutes
            .into_iter()
            .map(|(at, count)| ((at - start) / MINUTE, count.served))
            .collect()
    };

    assert_eq!(counts(&world.blue), [(0, 60.0), (1, 45.0), (2, 30.0)]);
    assert_eq!(
        counts(&world.green),
        [(1, 15.0), (2, 30.0)],
        "a minute without a request is absent"
    );

    let narrow = per_minute(&world.aws, &world.blue, start + 30_000, start + 60_000);
    assert_eq!(
        narrow[&start],
        Count {
            served: 30.0,
            failed: 0.0
        }
    );
}

#[test]
fn a_deleted_rule_serves_no_client() {
    let mut world = TrafficBench::new();
    world.load(1.0);
    elb::delete_listener(&mut world.aws, &world.listener.clone()).unwrap();
    world.pass(10);
    assert_eq!(failed(&world.aws), 10.0);
}
