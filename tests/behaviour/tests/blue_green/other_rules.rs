//! Rules and listeners beside the production rule that forward to a colour: what a dry run reports
//! of them, and a release with a test listener.

use emulator::{Aws, elb};
use harness::demo::SHOP;
use harness::driver::{Fault, run};
use serde_json::{Value, json};

use super::set_ups::others;
use behaviour::dry_run::{SetUp, names_its_cause, no_more, nothing};
use behaviour::pair::{self, PIPELINE, SHORT, groups, listener, shop};
use behaviour::{ends, push};

/// The tag of what only tests use.
fn tag(value: &str) -> Value {
    json!([{"Key": "slipway:test-route", "Value": value}])
}

/// Another rule of the listener forwards to both colours.
fn second_rule(aws: &mut Aws) {
    rule_to_both(aws, &json!([]));
}

/// The same rule, with the tag of those that only tests use.
fn tagged_second_rule(aws: &mut Aws) {
    rule_to_both(aws, &tag("true"));
}

fn rule_to_both(aws: &mut Aws, tags: &Value) {
    let second = json!({
        "ListenerArn": listener(aws), "Priority": 500, "Tags": tags,
        "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}}],
        "Actions": pair::actions(aws, [100, 0]),
    });
    elb::create_rule(aws, &second).expect("legal");
}

fn second_rule_line(aws: &Aws) -> String {
    let second = aws.elb.rules.values().find(|rule| {
        let priority = rule.properties.get("Priority");
        rule.listener_arn == listener(aws)
            && priority.is_some_and(|it| *it == json!(500) || *it == json!("500"))
    });
    format!(
        "rule: NG other-rules: another rule forwards to both colours: {}; expected `rule` alone \
         to do so, because its weights are the only ones that a release moves; add the hosts and \
         paths of the other rule to the conditions of `rule`, or redirect its requests to the \
         listener of `rule`, and remove the colours from it",
        second.expect("it was made").arn
    )
}

/// Every client that another listener of the load balancer serves is sent to green, which is live.
fn second_listener(aws: &mut Aws) {
    listener_to_green(aws, &json!([]));
}

/// The same listener, with the tag of those that only tests use.
fn test_listener(aws: &mut Aws) {
    listener_to_green(aws, &tag("true"));
}

/// The same listener, with another value of that tag.
fn mistagged_listener(aws: &mut Aws) {
    listener_to_green(aws, &tag("yes"));
}

fn listener_to_green(aws: &mut Aws, tags: &Value) {
    let [_, green] = groups(aws);
    let balancer = aws.elb.listeners[&listener(aws)].load_balancer_arn.clone();
    let second = json!({
        "LoadBalancerArn": balancer, "Port": 8080, "Protocol": "HTTP", "Tags": tags,
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": green}],
    });
    elb::create_listener(aws, &second).expect("legal");
}

/// The other listener of the pair's load balancer.
fn other_listener(aws: &Aws) -> &str {
    let own = &aws.elb.listeners[&listener(aws)];
    let mut all = aws.elb.listeners.values();
    let second =
        all.find(|other| other.arn != own.arn && other.load_balancer_arn == own.load_balancer_arn);
    &second.expect("it was made").arn
}

fn listener_line(aws: &Aws, tag: &str) -> String {
    let arn = other_listener(aws);
    format!(
        "rule: NG other-rules: another rule or default action forwards to one colour: {arn}{tag}; \
         expected a test rule, with an http-header, query-string or source-ip condition or the tag \
         slipway:test-route=true, because its clients get no response once that colour is \
         emptied; forward by a rule with such a condition, redirect its requests to the listener \
         of `rule`, or remove the colour from it; if only tests use it: aws elbv2 add-tags \
         --resource-arns {arn} --tags Key=slipway:test-route,Value=true"
    )
}

fn tests_line(tests: &[String]) -> String {
    format!(
        "rule: SKIP other-rules: {} forward to one colour only, as test rules do: their traffic \
         stays with it",
        tests.join(", ")
    )
}

const SET_UPS: [SetUp; 6] = [
    SetUp {
        make: nothing,
        parameters: no_more,
        line: |aws| tests_line(&others(aws)),
    },
    SetUp {
        make: second_rule,
        parameters: no_more,
        line: second_rule_line,
    },
    SetUp {
        make: tagged_second_rule,
        parameters: no_more,
        line: second_rule_line,
    },
    SetUp {
        make: second_listener,
        parameters: no_more,
        line: |aws| listener_line(aws, ""),
    },
    SetUp {
        make: mistagged_listener,
        parameters: no_more,
        line: |aws| listener_line(aws, " with the tag slipway:test-route=yes"),
    },
    SetUp {
        make: test_listener,
        parameters: no_more,
        line: |aws| tests_line(&[others(aws), vec![other_listener(aws).to_owned()]].concat()),
    },
];

#[test]
fn what_else_forwards_to_a_colour_is_named_unless_only_tests_use_it() {
    let aws = shop(&SHORT);
    for set_up in &SET_UPS {
        names_its_cause(&aws, SHOP, set_up);
    }
}

#[test]
fn a_release_begins_beside_a_listener_with_the_tag_of_tests() {
    let mut aws = shop(&SHORT);
    test_listener(&mut aws);
    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, SHOP, "2.0.0");
        ends(&driver, PIPELINE, &pushed, "deployed").await;
    });
}

/// What an idle colour runs is not approved yet.
#[test]
fn the_test_rules_of_a_pair_take_requests_from_private_addresses_only() {
    let aws = shop(&SHORT);
    let mut found = 0;
    for rule in aws.elb.rules.values() {
        let conditions = rule.properties["Conditions"].as_array();
        let conditions = conditions.expect("a list");
        let condition = |field| conditions.iter().find(|it| it["Field"] == field);
        let forwards = rule.properties["Actions"][0]["Type"] == "forward";
        if !forwards || condition("http-header").is_none() {
            continue;
        }

        let sources = condition("source-ip").expect("the addresses of tests");
        let private = json!(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]);
        assert_eq!(sources["SourceIpConfig"]["Values"], private, "{}", rule.arn);
        found += 1;
    }
    assert_eq!(found, 2);
}
