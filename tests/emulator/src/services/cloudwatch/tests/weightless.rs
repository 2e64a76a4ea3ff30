//! Requests to a target group that the weights of the listener send none.

use super::*;
use crate::elb::Elb;

/// Requests a second by the rule of blue alone.
const BY_RULE: f64 = 1.0;

#[test]
fn a_group_without_weight_counts_the_requests_of_another_rule() {
    let mut world = MetricBench::new(5, Profile::default(), Profile::default(), (0, 10));
    let blue = world.group("blue");
    let rules = &world.aws.elb.rules;
    let of_blue = rules.values().find(|rule| {
        let forwards = Elb::forwards(world.aws.elb.actions_of(&rule.arn));
        forwards.iter().any(|(group, _)| *group == blue)
    });
    let rule = of_blue.unwrap().arn.clone();

    world.minutes(20);
    assert_eq!(
        world.points(20, Some("blue"), "RequestCount", "Sum"),
        Points::new()
    );

    traffic::set(&mut world.aws, &rule, BY_RULE);
    world.start = world.aws.now;
    world.minutes(20);
    let by_rule = world.total(20, Some("blue"), "RequestCount", "Sum");
    assert!((1_000.0..1_400.0).contains(&by_rule), "{by_rule}");
    let by_weight = world.total(20, Some("green"), "RequestCount", "Sum");
    assert!((11_500.0..12_500.0).contains(&by_weight), "{by_weight}");
}
