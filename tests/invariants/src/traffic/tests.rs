//! Weights that rise: which of them need a healthy target.

use std::sync::Arc;

use emulator::{ApiError, elb};
use serde_json::json;

use super::*;

fn lease(state: &str, tasks: &str) -> Value {
    lease_of("route", ["b", "g"], state, tasks)
}

/// The lease of a pair whose live colour was blue, with this many tasks and all of the traffic.
fn lease_of(route: &str, groups: [&str; 2], state: &str, tasks: &str) -> Value {
    let colour = |group: &str, weight: &str, tasks: &str| {
        json!({"M": {
            "target_group": {"S": group},
            "weight": {"N": weight},
            "desired_count": {"N": tasks},
        }})
    };
    let pair = json!({
        "live": {"S": "blue"},
        "rule": {"S": route},
        "blue": colour(groups[0], "100", tasks),
        "green": colour(groups[1], "0", "0"),
    });
    json!({"release": {"M": {
        "state": {"S": state},
        "prior": {"M": {"pair": {"M": pair}}},
    }}})
}

#[test]
fn only_a_colour_recorded_without_tasks_gets_its_weight_back_without_a_target() {
    let mut restoring = lease("open", "0");
    restoring["release"]["M"]["restoring"] = json!({"M": {}});
    let back = lease("rolling-back", "0");

    assert!(returns_to_empty(&back, "route", "b", 100));
    assert!(returns_to_empty(&restoring, "route", "b", 100));

    let had_tasks = lease("rolling-back", "1");
    for (lease, route, group, weight) in [
        (&lease("open", "0"), "route", "b", 100),
        (&had_tasks, "route", "b", 100),
        (&back, "other", "b", 100),
        (&back, "route", "g", 0),
        (&back, "route", "b", 99),
        (&json!({}), "route", "b", 100),
    ] {
        let is_excused = returns_to_empty(lease, route, group, weight);
        assert!(!is_excused, "{lease} {route} {group} {weight}");
    }
}

fn arn(made: Result<Value, ApiError>) -> String {
    let made = made.expect("it is made");
    made["Arn"].as_str().expect("an ARN").to_owned()
}

fn forward(groups: &[String], weights: &[u32]) -> Value {
    let weighted: Vec<Value> = groups
        .iter()
        .zip(weights)
        .map(|(group, weight)| json!({"TargetGroupArn": group, "Weight": weight}))
        .collect();
    json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": weighted}}])
}

fn rule(aws: &mut Aws, listener: &str, priority: u32, actions: Value) -> String {
    let properties = json!({
        "ListenerArn": listener, "Priority": priority, "Conditions": [], "Actions": actions,
    });
    arn(elb::create_rule(aws, &properties))
}

fn becomes_healthy(aws: &mut Aws, group: &str) {
    elb::register(aws, group, "i-1", 80).expect("registered");
    aws.now += 300_000;
    assert_eq!(aws.elb.healthy_count(group, aws.now), 1);
}

/// A listener that sends nothing anywhere by itself, with a test rule for each colour of a pair
/// and the rule of the pair: all of its traffic goes to blue, and only that has a target.
struct Balanced {
    aws: Aws,
    listener: String,
    /// Blue's and green's.
    groups: [String; 2],
    rule: String,
}

fn balanced() -> Balanced {
    let mut aws = Aws::new(1);
    let groups = ["blue", "green"].map(|name| {
        arn(elb::create_target_group(
            &mut aws,
            &json!({"Name": name, "TargetType": "instance"}),
        ))
    });
    let balancer = arn(elb::create_load_balancer(&mut aws, &json!({"Name": "web"})));
    let listener = arn(elb::create_listener(
        &mut aws,
        &json!({
            "LoadBalancerArn": balancer, "Port": 80, "Protocol": "HTTP",
            "DefaultActions": [
                {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}},
            ],
        }),
    ));

    for (priority, group) in (1..).zip(&groups) {
        let test = json!([{"Type": "forward", "TargetGroupArn": group}]);
        rule(&mut aws, &listener, priority, test);
    }
    let rule = rule(&mut aws, &listener, 1000, forward(&groups, &[100, 0]));
    becomes_healthy(&mut aws, &groups[0]);
    Balanced {
        aws,
        listener,
        groups,
        rule,
    }
}

impl Balanced {
    fn set(&mut self, weights: [u32; 2]) {
        let actions = json!({"Actions": forward(&self.groups, &weights)});
        elb::update_rule(&mut self.aws, &self.rule, &actions).expect("set");
    }

    /// What is wrong with these weights right after others.
    fn moved(&mut self, weights: [[u32; 2]; 2], lease: Option<Value>) -> Result<u64, String> {
        let leases = lease.map(|lease| ("web/shop".to_owned(), Arc::new(lease)));
        let ledger = Ledger {
            leases: leases.into_iter().collect(),
            ..Ledger::default()
        };
        let mut traffic = ServedTraffic::default();

        self.set(weights[0]);
        traffic.resume(&self.aws);
        self.set(weights[1]);
        traffic.weights(&self.aws, &ledger, |_| false)
    }
}

#[test]
fn a_weight_that_rises_in_a_rule_needs_a_healthy_target_whatever_the_test_rules_have() {
    let mut pair = balanced();
    let [_, green] = pair.groups.clone();
    for weights in [[99, 1], [0, 100]] {
        let wrong = pair.moved([[100, 0], weights], None).expect_err("risen");
        assert!(
            wrong.contains(&green) && wrong.contains(&pair.rule),
            "{wrong}"
        );
    }
    // It had traffic before.
    assert_eq!(pair.moved([[50, 50], [1, 99]], None), Ok(1));

    becomes_healthy(&mut pair.aws, &green);
    assert_eq!(pair.moved([[100, 0], [0, 100]], None), Ok(1));
}

#[test]
fn weights_of_operators_and_targets_that_were_seen_or_lost_later_break_nothing() {
    let mut pair = balanced();
    let (ledger, mut traffic) = (Ledger::default(), ServedTraffic::default());
    traffic.resume(&pair.aws);
    pair.set([60, 40]);
    let wrong = traffic.clone().weights(&pair.aws, &ledger, |_| false);
    assert!(wrong.is_err(), "{wrong:?}");

    let green = pair.groups[1].clone();
    let saw = traffic
        .clone()
        .weights(&pair.aws, &ledger, |group| group == green);
    assert_eq!(saw, Ok(1));
    traffic.resume(&pair.aws);
    assert_eq!(traffic.weights(&pair.aws, &ledger, |_| false), Ok(1));

    elb::set_answering(&mut pair.aws, &pair.groups[0], "i-1", 80, false);
    pair.aws.now += 300_000;
    let blue = pair.aws.elb.healthy_count(&pair.groups[0], pair.aws.now);
    assert_eq!(blue, 0);
    assert_eq!(traffic.weights(&pair.aws, &ledger, |_| false), Ok(1));
}

#[test]
fn a_colour_recorded_without_tasks_gets_its_weight_in_a_rule_back() {
    let mut pair = balanced();
    elb::deregister(&mut pair.aws, &pair.groups[0], "i-1", 80);
    let Balanced { groups, rule, .. } = &pair;
    let of = |state, tasks| {
        let groups = [groups[0].as_str(), groups[1].as_str()];
        Some(lease_of(rule, groups, state, tasks))
    };
    let back = [[0, 100], [100, 0]];
    let [empty, open, had_tasks] = [
        of("rolling-back", "0"),
        of("open", "0"),
        of("rolling-back", "2"),
    ];

    assert_eq!(pair.moved(back, empty.clone()), Ok(1));
    for lease in [open, had_tasks, None] {
        assert!(pair.moved(back, lease).is_err());
    }
    // Not what was recorded.
    assert!(pair.moved([[0, 100], [50, 50]], empty).is_err());
}

#[test]
fn a_rule_of_another_stack_may_come_before_its_tasks() {
    let mut pair = balanced();
    let (ledger, mut traffic) = (Ledger::default(), ServedTraffic::default());
    traffic.resume(&pair.aws);

    let others = ["other", "another"].map(|name| {
        let properties = json!({"Name": name, "TargetType": "instance"});
        arn(elb::create_target_group(&mut pair.aws, &properties))
    });
    let other_rule = rule(&mut pair.aws, &pair.listener, 5, forward(&others, &[1, 0]));
    assert_eq!(traffic.weights(&pair.aws, &ledger, |_| false), Ok(1));

    // From then on it counts as any other one.
    let actions = json!({"Actions": forward(&others, &[1, 1])});
    elb::update_rule(&mut pair.aws, &other_rule, &actions).expect("set");
    assert!(traffic.weights(&pair.aws, &ledger, |_| false).is_err());
}
