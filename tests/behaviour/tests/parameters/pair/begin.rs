//! A pair that begin-release refuses: wrong parameters, and accounts in which it is incomplete.

use emulator::elb::{self, Elb};
use emulator::{Aws, ecs};
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Fault, run};
use serde_json::{Value, json};

use crate::Wrong::{Account, Missing, Set};
use crate::{Bench, Wrong};
use behaviour::pair;
use behaviour::{account, service};

use super::{PAIR, check, common, refuses};

const FIX: &str = "correct UserParameters of this action";

/// A rule that does not exist.
const NOWHERE: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener-rule/\
    app/shop/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee";

/// Checks that begin-release refuses each of the parameters.
fn refused(bench: Bench, cases: &[(Wrong, &[&str])]) {
    check(
        bench,
        "begin-release",
        "begin-release",
        "ConfigurationError",
        cases,
    );
}

/// ARN of another rule, or of the listener, that the pair's stack has.
fn rule_named(name: &str) -> Value {
    let aws = account();
    let stack = aws.cloudformation.stack(SHOP).expect("the demo's stack");
    json!(stack.resource(name).expect("a rule").physical_id)
}

#[test]
fn a_rule_that_is_not_there_is_refused_at_once() {
    refused(
        PAIR,
        &[
            (
                Missing("rule"),
                &["`rule` is missing", "expected", "listener rule"],
            ),
            (
                Set("rule", json!("shop")),
                &[
                    "`rule` is `shop`",
                    "expected",
                    "arn:<partition>:elasticloadbalancing:<region>:<account>:listener-rule/app/…",
                ],
            ),
            (Set("rule", json!(7)), &["`rule` (found 7)", FIX]),
            (
                Set("rule", json!(NOWHERE)),
                &[
                    "`rule` is `arn:",
                    "which does not exist",
                    "expected an existing",
                ],
            ),
        ],
    );
}

#[test]
fn a_rule_without_both_colours_is_refused_at_once() {
    refused(
        PAIR,
        &[
            (
                Set("rule", rule_named("BlueTestRule")),
                &[
                    "no target group of service `shop-green`",
                    "expected a forward action",
                    "add the group",
                ],
            ),
            (
                Set("rule", rule_named("GreenTestRule")),
                &[
                    "no target group of service `shop-blue`",
                    "expected a forward action",
                    "add the group",
                ],
            ),
            (
                Set("rule", rule_named("Listener")),
                &[
                    "no target group of service `shop-blue`",
                    "expected a forward action",
                    "add the group",
                ],
            ),
        ],
    );
}

#[test]
fn a_wrong_strategy_or_service_of_a_pair_is_refused_at_once() {
    refused(
        PAIR,
        &[
            (
                Set("strategy", json!("blue_green")),
                &["`strategy`", "`blue_green`", "`blue-green`", FIX],
            ),
            (
                Set("strategy", json!("rolling")),
                &[
                    "`rule` is given",
                    "expected with strategy `blue-green` only",
                    "remove it",
                ],
            ),
            (
                Set("desired_count", json!(3)),
                &[
                    "`desired_count` is given",
                    "with strategy `blue-green`",
                    "remove it",
                ],
            ),
            (
                Set("maximum_percent", json!(150)),
                &[
                    "`maximum_percent` is given",
                    "strategy `blue-green`",
                    "remove it",
                ],
            ),
            (
                Set("service", json!("shpo")),
                &[
                    "service `shpo-blue`",
                    "cluster `apps`",
                    "expected an existing service",
                    "change `service`",
                ],
            ),
        ],
    );
}

/// The rule forwards to one colour only, as after a change from outside.
fn one_colour(aws: &mut Aws) {
    let (rule, [blue, _]) = (pair::rule(aws), pair::groups(aws));
    let actions = json!([{"Type": "forward", "TargetGroupArn": blue}]);
    elb::update_rule(aws, &rule, &json!({ "Actions": actions })).expect("legal");
}

fn same_group(aws: &mut Aws) {
    let balancers = service(aws, CLUSTER, "shop-blue")["loadBalancers"].clone();
    pair::set(aws, "shop-green", json!({ "loadBalancers": balancers }));
}

fn no_green(aws: &mut Aws) {
    let gone = json!({"cluster": CLUSTER, "service": "shop-green", "force": true});
    ecs::call(aws, "DeleteService", &gone).expect("it was there");
}

#[test]
fn incomplete_pairs_are_refused_at_once() {
    type Case<'a> = (fn(&mut Aws), &'a [&'a str]);

    let cases: [Case; 4] = [
        (
            same_group,
            &[
                "both colours register with arn:",
                "expected a separate target group for each",
            ],
        ),
        (
            no_green,
            &["`shop-green` is DRAINING", "expected ACTIVE for a release"],
        ),
        (
            |aws| pair::set_weights(aws, [50, 50]),
            &[
                "blue 50 / green 50",
                "no earlier release recorded",
                "weight",
            ],
        ),
        (
            |aws| pair::set_weights(aws, [0, 0]),
            &["blue 0 / green 0", "no earlier release recorded", "weight"],
        ),
    ];
    for (prepare, fragments) in cases {
        let bench = Bench { prepare, ..PAIR };
        refused(bench, &[(Account, fragments)]);
    }
}

#[test]
fn a_rule_that_forwards_to_one_colour_only_is_refused_at_once() {
    let mut aws = account();
    one_colour(&mut aws);
    assert_eq!(
        Elb::forwards(aws.elb.actions_of(&pair::rule(&aws))).len(),
        1
    );

    run(aws, Fault::None, async |driver| {
        let rule = pair::rule(&driver.world.aws());
        let begin = common(json!({"strategy": "blue-green", "rule": rule}));
        refuses(
            &driver,
            "begin-release",
            begin,
            "ConfigurationError",
            &["no target group of service `shop-green`"],
        )
        .await;
    });
}
