//! Records that a release does not move: it is refused with the reason before anything is changed,
//! or leaves alone what another writer changed meanwhile.

use behaviour::pair::{self, secs};
use behaviour::{
    account, failure, jobs, newest, only_check, outcome, pass, push, reason, service, settled,
    until,
};
use emulator::Aws;
use harness::demo::CLUSTER;
use harness::demo::dns::{self, BALANCER_ZONE, SITE, weights};
use harness::driver::{Fault, run};
use serde_json::{Value, json};

use super::{PIPELINE, change, changes, counts, ended, failed, record, site, target};

/// Why a release is refused after another writer changed the zone.
fn refusal(edit: impl FnOnce(&Aws) -> Value) -> String {
    refusal_in(site(&[]), edit)
}

fn refusal_in(mut aws: Aws, edit: impl FnOnce(&Aws) -> Value) -> String {
    let edits = edit(&aws);
    change(&mut aws, &edits);
    let known = changes(&aws).len();

    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, SITE, "1.0.0");
        let message = failed(&driver, &pushed, "begin-release").await;
        let aws = driver.world.aws();
        assert_eq!(changes(&aws).len(), known, "no weights were set");
        assert_eq!(counts(&aws), [2, 0]);
        message
    })
}

const START: &str = "the CNAME record site.example.com. ";

#[test]
fn a_third_record_of_the_name_is_refused() {
    let found = refusal(|_| json!([record("third", 0, "other.example.org")]));
    let expected = "has the set identifiers blue, green, third; expected exactly blue and green";
    assert_eq!(found, format!("{START}{expected}"));
}

#[test]
fn a_record_with_another_routing_policy_is_refused() {
    let found = refusal(|aws| {
        let mut all = vec![];
        for (colour, weight) in [("blue", 100), ("green", 0)] {
            let mut deletion = record(colour, weight, &target(aws, colour));
            deletion["Action"] = json!("DELETE");
            all.push(deletion);
        }
        let mut simple = record("", 0, &target(aws, "blue"));
        let set = simple["ResourceRecordSet"].as_object_mut();
        let set = set.expect("a record set");
        set.remove("SetIdentifier");
        set.remove("Weight");
        all.push(simple);
        json!(all)
    });
    let expected = "has a routing policy other than weighted; expected two weighted records; \
                    create them with a set identifier and a weight each";
    assert_eq!(found, format!("{START}{expected}"));
}

#[test]
fn a_long_ttl_is_refused() {
    let found = refusal(|aws| {
        let both = [("blue", 100), ("green", 0)].map(|(colour, weight)| {
            let mut record = record(colour, weight, &target(aws, colour));
            record["ResourceRecordSet"]["TTL"] = json!(301);
            record
        });
        json!(both)
    });
    let expected = "has a TTL of 301 s; expected at most 300 s, for which each step waits";
    assert_eq!(found, format!("{START}{expected}"));
}

#[test]
fn aliases_that_evaluate_the_health_of_their_targets_are_refused() {
    let alias = [("BalancerZoneId", BALANCER_ZONE)];
    let opened = dns::opened_in(account(), &[("RecordType", "A")], &alias);
    let found = refusal_in(opened.expect("the site deploys"), |aws| {
        let both = [("blue", 100), ("green", 0)].map(|(colour, weight)| {
            json!({"Action": "UPSERT", "ResourceRecordSet": {
                "Name": dns::NAME, "Type": "A", "SetIdentifier": colour, "Weight": weight,
                "AliasTarget": {
                    "HostedZoneId": BALANCER_ZONE, "DNSName": target(aws, colour),
                    "EvaluateTargetHealth": true,
                },
            }})
        });
        json!(both)
    });
    let start = "the A record site.example.com. checks the health of both colours: ";
    assert!(found.starts_with(start), "{found}");
}

#[test]
fn a_target_group_of_another_load_balancer_is_refused() {
    let mut aws = site(&[]);
    let of_green = service(&aws, CLUSTER, "site-green")["loadBalancers"].clone();
    let mut of_blue = service(&aws, CLUSTER, "site-blue")["loadBalancers"].clone();
    let own = of_blue.as_array_mut().expect("a list");
    own.push(of_green[0].clone());
    pair::set(&mut aws, "site-blue", json!({ "loadBalancers": of_blue }));

    let found = refusal_in(aws, |aws| {
        json!([record("blue", 100, &target(aws, "blue"))])
    });
    let lacks = ", which does not forward to target group ";
    assert!(found.contains(lacks), "{found}");
}

#[test]
fn records_that_lead_to_one_load_balancer_are_refused() {
    let found = refusal(|aws| json!([record("green", 0, &target(aws, "blue"))]));
    let start = format!("{START}leads to ");
    assert!(found.starts_with(&start), "{found}");
    assert!(found.contains(" for both colours; expected a target of its own for each"));
}

#[test]
fn records_of_the_other_service_are_refused() {
    let mut of_blue = String::new();
    let found = refusal(|aws| {
        of_blue = target(aws, "blue");
        json!([
            record("blue", 100, &target(aws, "green")),
            record("green", 0, &of_blue),
        ])
    });
    let start = "the record of blue leads to ";
    assert!(found.starts_with(start), "{found}");
    let expected = format!(
        "; expected the load balancer of service `site-blue`, {}; change the record, or exchange \
         `record.blue` and `record.green`",
        of_blue.to_ascii_lowercase()
    );
    assert!(found.ends_with(&expected), "{found}");
}

#[test]
fn a_record_that_is_changed_during_the_release_is_left_alone() {
    run(site(&[]), Fault::None, async |driver| {
        let pushed = push(&driver, SITE, "1.0.0");
        until(&driver, |aws| counts(aws) == [2, 2]).await;
        {
            let aws = &mut driver.world.aws();
            change(aws, &json!([record("green", 0, "other.example.org")]));
        }
        let known = changes(&driver.world.aws()).len();

        let message = failed(&driver, &pushed, "swap-records").await;
        let expected = format!(
            "{START}leads to other.example.org for green; expected {} as when the release began: \
             another writer changed it; a release cannot go on or back without it; manual \
             intervention required",
            target(&driver.world.aws(), "green").to_ascii_lowercase()
        );
        assert_eq!(message, expected);

        let execution = settled(&driver, PIPELINE, &pushed).await;
        let aws = driver.world.aws();
        assert_eq!(changes(&aws).len(), known, "no weights were set");
        assert_eq!(weights(&aws), [100, 0]);
        drop(aws);
        assert_eq!(outcome(&driver, &execution), "failed");
        assert!(reason(&driver, &execution).contains(dns::NAME));
    });
}

#[test]
fn weights_that_an_operator_sets_are_left_alone() {
    run(site(&[]), Fault::None, async |driver| {
        let pushed = push(&driver, SITE, "1.0.0");
        until(&driver, |aws| weights(aws) == [80, 20]).await;
        // Route 53 may still process the change of the step.
        pass(&driver, secs(3)).await;
        {
            let aws = &mut driver.world.aws();
            let both = [("blue", 50), ("green", 50)]
                .map(|(colour, weight)| record(colour, weight, &target(aws, colour)));
            change(aws, &json!(both));
        }

        let message = failed(&driver, &pushed, "swap-records").await;
        assert_eq!(
            message,
            "overridden: the weights are blue 50 / green 50, expected blue 80 / green 20; another \
             writer changed the weighted records, find it, then retry the release"
        );
        settled(&driver, PIPELINE, &pushed).await;
        assert_eq!(weights(&driver.world.aws()), [50, 50]);
    });
}

#[test]
fn a_dry_run_checks_records_and_changes_nothing() {
    let mut aws = site(&[]);
    only_check(&mut aws, PIPELINE, json!({}));
    run(aws, Fault::None, async |driver| {
        let since = driver.world.aws().calls.len();
        let pushed = push(&driver, SITE, "1.0.0");
        ended(&driver, &pushed).await;

        let aws = driver.world.aws();
        let execution = newest(&aws, PIPELINE);
        let jobs = jobs(&aws, &execution.id, "begin-release");
        assert!(!jobs.is_empty(), "it was checked");
        for job in jobs {
            assert_eq!(failure(job), None);
        }
        let read = |operation: &str| {
            let mut calls = aws.calls[since..].iter();
            calls.any(|call| call.operation == operation && call.error.is_none())
        };
        assert!(read("ListResourceRecordSets") && read("DescribeLoadBalancers"));
        assert_eq!((weights(&aws), counts(&aws)), ([100, 0], [2, 0]));
    });
}

#[test]
fn a_bake_that_is_too_long_with_the_ttl_is_refused_before_any_traffic_moves() {
    let long = [("Shift", "all-at-once"), ("BakeMinutes", "1380")];
    run(site(&long), Fault::None, async |driver| {
        let known = changes(&driver.world.aws()).len();
        let pushed = push(&driver, SITE, "1.0.0");
        let message = failed(&driver, &pushed, "swap-records").await;
        assert_eq!(
            message,
            "the shift would bake for 1381 minutes in all (1 step, `step_minutes`, \
             `bake_minutes`, a TTL of 60 s for each step); expected at most 1380, since an action \
             ends after 24 hours"
        );
        assert_eq!(changes(&driver.world.aws()).len(), known);
    });
}
