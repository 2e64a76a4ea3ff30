//! Clients that the rule binds to the new colour, when the traffic goes back.

use emulator::{Aws, elb, traffic};
use harness::driver::{Fault, run};
use serde_json::{Value, json};

use super::super::{ago, calls, changed, edit, failed, half, open, report, timeless};
use behaviour::pair::{self, weights};

use super::parts::{fails, limited};
use super::swap;

/// The rule has these weights and binds 40 % of the clients, who go on all the time, for ten
/// minutes after each response.
fn sticky(mut aws: Aws, weights: [i64; 2]) -> Aws {
    let (rule, mut actions) = (pair::rule(&aws), pair::actions(&aws, weights));
    actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] =
        json!({"Enabled": true, "DurationSeconds": 600});
    elb::update_rule(&mut aws, &rule, &json!({ "Actions": actions })).expect("legal");
    traffic::set_sticky(&mut aws, &rule, 0.4);
    traffic::renew_cookies(&mut aws, &rule);
    aws
}

/// Half of the traffic is on blue, and has to go back.
fn bound() -> Aws {
    let mut aws = half();
    let since = ago(&aws, 30);
    edit(&mut aws, |lease| {
        lease["release"]["restoring"] = json!({"reason": "5xx", "since": since})
    });
    sticky(aws, [50, 50])
}

/// The stickiness of the production rule as it is stored.
fn stickiness(aws: &Aws) -> Value {
    let actions = pair::as_text(&pair::actions(aws, [0, 0]));
    actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"].clone()
}

#[test]
fn a_return_takes_bound_clients_along_at_once() {
    run(bound(), Fault::None, async |driver| {
        let since = calls(&driver);
        let back = "5xx; traffic restored to blue 0 / green 100; the stickiness of the rule is off \
                    for 11m00s, so that no client stays with blue";
        assert_eq!(report(&swap(&driver, json!({})).await), failed(back));

        // What is switched off, the announcement, the change, that it is made, and the failure.
        let aws = driver.world.snapshot();
        let writes = ["PutItem", "PutItem", "ModifyRule", "PutItem", "PutItem"];
        assert_eq!(changed(&aws, since), writes);
        assert_eq!(stickiness(&aws), json!({"Enabled": "false"}));
        let noted = timeless(&aws, &open(&aws)["stickiness"]);
        assert_eq!(noted, json!({"secs": 600, "at": "now"}));

        let [blue, green] = pair::groups(&aws);
        let reached = [&blue, &green].map(|group| traffic::reaches(&aws, group));
        assert_eq!((weights(&aws), reached), ([0, 100], [false, true]));
    });
}

#[test]
fn stickiness_that_aws_keeps_on_does_not_keep_the_traffic_and_is_named() {
    let mut aws = bound();
    let [blue, _] = pair::groups(&aws);
    let properties = &mut aws
        .elb
        .target_groups
        .get_mut(&blue)
        .expect("it is there")
        .properties;
    let binds = json!([{"Key": "stickiness.enabled", "Value": "true"}]);
    properties.insert("TargetGroupAttributes".to_owned(), binds);

    run(aws, Fault::None, async |driver| {
        let back = "5xx; traffic restored to blue 0 / green 100; clients that the rule binds to \
                    blue get 503 once it has no targets, until 10m00s after their last response";
        assert_eq!(report(&swap(&driver, json!({})).await), failed(back));

        let aws = driver.world.snapshot();
        assert_eq!(weights(&aws), [0, 100]);
        assert_eq!(stickiness(&aws)["Enabled"], "true");
        assert_eq!(open(&aws).get("stickiness"), None);
    });
}

#[test]
fn a_return_by_parts_leaves_bound_clients_where_they_are_until_its_end() {
    run(sticky(limited(), [100, 0]), Fault::None, async |driver| {
        fails(&driver);
        swap(&driver, json!({})).await;

        let aws = driver.world.snapshot();
        assert_eq!(weights(&aws), [50, 50]);
        assert_eq!(stickiness(&aws)["Enabled"], "true");
        assert_eq!(open(&aws).get("stickiness"), None);
    });
}
