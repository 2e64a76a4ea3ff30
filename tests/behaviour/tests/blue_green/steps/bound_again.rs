//! A rule whose stickiness a rollback switched off: the sweep of `roll-back` switches it on again.

use emulator::{Aws, elb};
use harness::demo::{CLUSTER, SHOP};
use harness::driver::{Driver, Fault, run};
use serde_json::{Value, json};

use super::{ago, calls, changed, edit, free, lease};
use behaviour::invoke;
use behaviour::pair::{self, set_weights, weights};

/// The last release switched off the stickiness of this many seconds, so long ago.
fn owing(duration: u32, secs: i64) -> Aws {
    let mut aws = free();
    let at = ago(&aws, secs);
    edit(&mut aws, |lease| {
        lease["settled"]["stickiness"] = json!({"secs": duration, "at": at})
    });
    aws
}

/// For how long the rule binds clients, as it is stored.
fn binds(aws: &Aws) -> Option<Value> {
    let actions = pair::as_text(&pair::actions(aws, [0, 0]));
    let sticky = &actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"];
    (sticky["Enabled"] == "true").then(|| sticky["DurationSeconds"].clone())
}

/// Whether stickiness is still owed.
fn is_owed(aws: &Aws) -> bool {
    lease(aws)["settled"].get("stickiness").is_some()
}

/// What one sweep did to the pair, and its writes.
async fn swept(driver: &Driver) -> (Value, Vec<String>) {
    let since = calls(driver);
    let swept = invoke(driver, "roll-back", json!({"sweep": true})).await;
    let status = swept.expect("an answer")["swept"][format!("{CLUSTER}/{SHOP}")].clone();
    (status, changed(&driver.world.aws(), since))
}

#[test]
fn the_rule_binds_clients_again_once_the_last_cookie_has_ended() {
    run(owing(600, 650), Fault::None, async |driver| {
        assert_eq!(swept(&driver).await, (Value::Null, vec![]));
        let aws = driver.world.snapshot();
        assert_eq!((binds(&aws), is_owed(&aws)), (None, true));
    });
    run(owing(600, 660), Fault::None, async |driver| {
        let again = json!("the rule binds clients again, for 10m00s after each response");
        let writes = ["PutItem", "ModifyRule", "PutItem"].map(ToOwned::to_owned);
        assert_eq!(swept(&driver).await, (again, writes.to_vec()));
        let aws = driver.world.snapshot();
        assert_eq!((binds(&aws), is_owed(&aws)), (Some(json!("600")), false));
        assert_eq!(weights(&aws), [0, 100]);
        assert_eq!(swept(&driver).await, (Value::Null, vec![]));
    });
}

#[test]
fn a_rule_with_the_weights_of_another_writer_is_left_as_it_is() {
    let mut aws = owing(600, 660);
    set_weights(&mut aws, [0, 50]);
    run(aws, Fault::None, async |driver| {
        assert_eq!(swept(&driver).await, (Value::Null, vec![]));
        let aws = driver.world.snapshot();
        assert_eq!((binds(&aws), is_owed(&aws)), (None, true));
    });
}

#[test]
fn a_rule_that_is_sticky_already_is_not_changed() {
    let mut aws = owing(600, 660);
    let (rule, mut actions) = (pair::rule(&aws), pair::actions(&aws, [0, 100]));
    actions[0]["ForwardConfig"]["TargetGroupStickinessConfig"] =
        json!({"Enabled": true, "DurationSeconds": 60});
    elb::update_rule(&mut aws, &rule, &json!({ "Actions": actions })).expect("legal");
    run(aws, Fault::None, async |driver| {
        assert_eq!(
            swept(&driver).await,
            (Value::Null, vec!["PutItem".to_owned()])
        );
        let aws = driver.world.snapshot();
        assert_eq!((binds(&aws), is_owed(&aws)), (Some(json!("60")), false));
    });
}

#[test]
fn stickiness_that_aws_refuses_is_named_once() {
    run(owing(700_000, 800_000), Fault::None, async |driver| {
        let (status, writes) = swept(&driver).await;
        let text = status.as_str().unwrap_or_default();
        let left = "the stickiness of the rule stays off, as the last return of the traffic left \
                    it: elasticloadbalancing:ModifyRule failed: ValidationError: ";
        assert!(text.starts_with(left), "{text}");
        assert_eq!(writes.first().map(String::as_str), Some("PutItem"));

        assert!(!is_owed(&driver.world.aws()));
        assert_eq!(swept(&driver).await, (Value::Null, vec![]));
    });
}
