//! Clients that still use the old colour's load balancer when the records lead to the new one.

use behaviour::{ends, newest, push, recorded, until};
use emulator::elb::{self, Elb};
use emulator::{Aws, traffic};
use harness::demo::dns::{self, SITE, weights};
use harness::driver::{Driver, Fault, run};
use serde_json::json;

use super::{MINUTE, PIPELINE, TTL, counts, site, target};

/// A drain that is longer than CloudWatch takes to show a minute.
const DRAIN: [(&str, &str); 3] = [
    ("Shift", "all-at-once"),
    ("BakeMinutes", "0"),
    ("DrainMinutes", "10"),
];

/// The site, without requests by the name of the records.
fn quiet() -> Aws {
    let mut aws = site(&DRAIN);
    traffic::set_name(&mut aws, dns::NAME, 0.0);
    aws
}

/// Two requests a second come to blue's load balancer whatever the records are. The rule that
/// forwards them.
fn stay_with_blue(aws: &mut Aws) -> String {
    let name = target(aws, "blue");
    let mut balancers = aws.elb.load_balancers.values();
    let blue = balancers.find(|it| it.dns_name == name);
    let balancer = blue.expect("it is there").arn.clone();
    let mut listeners = aws.elb.listeners.values();
    let listener = listeners.find(|it| it.load_balancer_arn == balancer);
    let listener = listener.expect("it has one").arn.clone();
    let forwards = Elb::forwards(aws.elb.actions_of(&listener));
    let (group, _) = forwards.first().expect("it forwards to blue").clone();

    let rule = json!({
        "ListenerArn": listener, "Priority": 500,
        "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/api/*"]}}],
        "Actions": [{"Type": "forward", "TargetGroupArn": group}],
    });
    let created = elb::create_rule(aws, &rule).expect("legal");
    let rule = created["RuleArn"].as_str().expect("an ARN").to_owned();
    traffic::set(aws, &rule, 2.0);
    rule
}

/// What `retire` reported last.
fn summary(aws: &Aws) -> String {
    let retire = newest(aws, PIPELINE).latest_action("Release", "retire");
    let summary = retire.and_then(|action| action.summary.clone());
    summary.unwrap_or_default()
}

/// Lets a release move all weight to green, while clients stay with blue. The pushed digest, and
/// the rule of these clients.
async fn moved(driver: &Driver) -> (String, String) {
    let pushed = push(driver, SITE, "1.0.0");
    until(driver, |aws| weights(aws) == [0, 100]).await;
    let rule = stay_with_blue(&mut driver.world.aws());
    driver.world.touch();
    (pushed, rule)
}

/// The number of requests that a summary has, if its other words are those of late clients.
fn requests(summary: &str) -> Option<(u64, &str)> {
    let rest = summary.strip_prefix("100% to green; blue got ")?;
    let (number, rest) = rest.split_once(
        " requests in the last 5 minutes although its weight is 0, possibly by clients that keep \
         a connection or a DNS answer, or use its addresses as scanners do; ",
    )?;
    Some((number.parse().ok()?, rest))
}

#[test]
fn an_old_colour_is_not_stopped_before_its_last_clients_have_left() {
    run(quiet(), Fault::None, async |driver| {
        let (pushed, rule) = moved(&driver).await;
        until(&driver, |aws| requests(&summary(aws)).is_some()).await;
        let aws = driver.world.snapshot();
        let text = summary(&aws);
        let (number, waited) = requests(&text).expect("it waits for clients");
        // Two a second for five minutes, of which the last ones may not be visible yet.
        assert!((100..750).contains(&number), "{text}");
        assert!(waited.ends_with(" of 1h00m"), "{text}");
        assert_eq!(counts(&aws), [2, 2]);

        traffic::set(&mut driver.world.aws(), &rule, 0.0);
        driver.world.touch();
        ends(&driver, PIPELINE, &pushed, "deployed").await;
        assert_eq!(counts(&driver.world.aws()), [0, 2]);
    });
}

#[test]
fn an_old_colour_whose_clients_stay_for_an_hour_keeps_its_tasks() {
    run(quiet(), Fault::None, async |driver| {
        let (pushed, _) = moved(&driver).await;
        let moved = driver.world.clock.now();
        let execution = ends(&driver, PIPELINE, &pushed, "deployed").await;

        let aws = driver.world.snapshot();
        let reason = recorded(&aws, &execution, "reason").unwrap_or_default();
        let kept = "; blue keeps 2 tasks, which the next release replaces";
        assert!(reason.ends_with(kept), "{reason}");

        let text = summary(&aws);
        let (number, end) = requests(&text).expect("clients were there to the end");
        assert!((100..750).contains(&number), "{text}");
        assert_eq!(end, "it keeps its tasks, which the next release replaces");
        assert_eq!(counts(&aws), [2, 2]);
        // The ledger knows whole seconds.
        let stayed = driver.world.clock.now() - moved + 1000;
        assert!(stayed >= TTL + 70 * MINUTE, "{stayed}");
    });
}

#[test]
fn an_old_colour_without_requests_is_stopped_after_its_drain() {
    run(quiet(), Fault::None, async |driver| {
        let pushed = push(&driver, SITE, "1.0.0");
        until(&driver, |aws| weights(aws) == [0, 100]).await;
        let moved = driver.world.clock.now();
        until(&driver, |aws| counts(aws) == [0, 2]).await;
        let stayed = driver.world.clock.now() - moved;
        assert!(stayed < TTL + 15 * MINUTE, "{stayed}");

        let execution = ends(&driver, PIPELINE, &pushed, "deployed").await;
        let aws = driver.world.aws();
        let reason = recorded(&aws, &execution, "reason").unwrap_or_default();
        assert!(!reason.contains(" keeps "), "{reason}");
        let mut calls = aws.calls.iter();
        let looks = calls.any(|call| call.operation == "GetMetricData" && call.error.is_none());
        assert!(looks, "{}", summary(&aws));
    });
}
