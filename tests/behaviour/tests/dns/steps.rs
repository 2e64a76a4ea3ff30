//! The traffic moves in steps, and the old colour stays as long as an answer may lead to it.

use behaviour::{LIMIT, account, ends, push, settled, until};
use emulator::{Aws, route53, traffic};
use harness::demo::CLUSTER;
use harness::demo::dns::{self, BALANCER_ZONE, SITE, weights};
use harness::driver::{Fault, run};
use invariants::ledger_reader::{item, text};
use serde_json::{Value, json};

use super::{MINUTE, PIPELINE, TTL, changes, counts, site, target};

/// The status of a change that the lease names.
fn status(aws: &Aws, change: &str) -> Value {
    let id = change.rsplit('/').next().unwrap_or_default();
    let mut answer = route53::call(&mut aws.clone(), "GetChange", &json!({ "Id": id }))
        .expect("the lease names a change");
    answer["ChangeInfo"]["Status"].take()
}

/// The lease of the site.
fn lease(aws: &Aws) -> Option<Value> {
    let key = json!({"pk": {"S": "lease"}, "sk": {"S": format!("{CLUSTER}/{SITE}")}});
    item(aws, &key)
}

/// A shift is confirmed when Route 53 is in sync, and both weights change at once. `confirmed` has
/// the changes that were confirmed.
fn check(aws: &Aws, confirmed: &mut Vec<String>) -> Result<(), String> {
    let [blue, green] = weights(aws);
    if blue + green != 100 {
        return Err(format!("the weights are {blue} and {green}"));
    }

    let Some(lease) = lease(aws) else {
        return Ok(());
    };
    let made = lease.pointer("/release/M/shift/M/made/BOOL") == Some(&json!(true));
    let change = text(&lease, "release.shift.change").filter(|_| made);
    let Some(change) = change.filter(|change| confirmed.iter().all(|known| known != change)) else {
        return Ok(());
    };
    confirmed.push(change.to_owned());
    match status(aws, change) {
        Value::String(status) if status == "INSYNC" => Ok(()),
        status => Err(format!("{change} was confirmed while it was {status}")),
    }
}

#[test]
fn each_step_bakes_when_route_53_is_in_sync_and_answers_have_expired() {
    run(site(&[]), Fault::None, async |driver| {
        let pushed = push(&driver, SITE, "1.0.0");
        let over = |aws: &Aws| weights(aws) == [0, 100] && counts(aws) == [0, 2];
        let mut confirmed = Vec::new();
        driver
            .until(LIMIT, &mut |aws| check(aws, &mut confirmed), over)
            .await
            .expect("it is released");
        assert_eq!(confirmed.len(), 2, "{confirmed:?}");
        ends(&driver, PIPELINE, &pushed, "deployed").await;

        let aws = driver.world.aws();
        let made = changes(&aws);
        assert_eq!(made.len(), 2, "{made:?}");
        // The ledger knows whole seconds.
        let baked = made[1] - made[0] + 1000;
        assert!(baked >= TTL + 2 * MINUTE, "{baked}");
    });
}

#[test]
fn the_old_colour_drains_when_answers_have_expired() {
    let quick = [
        ("Shift", "all-at-once"),
        ("BakeMinutes", "0"),
        ("DrainMinutes", "3"),
    ];
    run(site(&quick), Fault::None, async |driver| {
        push(&driver, SITE, "1.0.0");
        until(&driver, |aws| weights(aws) == [0, 100]).await;
        let moved = driver.world.clock.now();
        until(&driver, |aws| counts(aws) == [0, 2]).await;
        let stayed = driver.world.clock.now() - moved + 1000;
        assert!(stayed >= TTL + 3 * MINUTE, "{stayed}");
    });
}

#[test]
fn clients_are_at_the_new_colour_after_a_release() {
    run(site(&[]), Fault::None, async |driver| {
        let pushed = push(&driver, SITE, "1.0.0");
        settled(&driver, PIPELINE, &pushed).await;
        let aws = driver.world.aws();
        let balancers = traffic::balancers_of(&aws, dns::NAME);
        let green = target(&aws, "green");
        let mut all = aws.elb.load_balancers.values();
        let green = all.find(|it| it.dns_name == green).expect("it is there");
        // A part of them resolves the name late, or keeps its connections.
        let share = balancers.get(&green.arn).copied().unwrap_or_default();
        assert!(share > 0.9, "{balancers:?}");
    });
}

#[test]
fn aliases_of_load_balancers_are_moved_like_records_with_values() {
    let alias = [("BalancerZoneId", BALANCER_ZONE)];
    let of_pipeline = [("RecordType", "A"), ("Shift", "all-at-once")];
    let opened = dns::opened_in(account(), &of_pipeline, &alias);
    let mut aws = opened.expect("the site deploys");
    // Each record set comes on a page of its own.
    aws.pages = Some(1);

    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, SITE, "1.0.0");
        ends(&driver, PIPELINE, &pushed, "deployed").await;
        assert_eq!(weights(&driver.world.aws()), [0, 100]);
    });
}
