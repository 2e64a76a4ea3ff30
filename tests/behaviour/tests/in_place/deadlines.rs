//! What cannot be read, is denied or is gone: roll-back names the cause, ends in time, and keeps no
//! other release waiting.

use std::collections::BTreeSet;

use emulator::client::{CallFault, Throttle, Trouble};
use emulator::{Aws, codepipeline, dynamodb, eventbridge};
use harness::demo::{CLUSTER, WEB};
use harness::driver::{Fault, Faults, run};
use invariants::ledger_reader::{self, digest, executions, holder};
use serde_json::json;
use slipway::timestamp::Timestamp;

use super::bench::*;
use behaviour::{
    deny, ends, in_progress, invoke, invoke_with, invoke_with_all, ledger_table, newest,
    only_register, outcome, push, reason, released, service,
};

const OTHER: &str = "5c9ab47c-6ba9-4d22-9a50-3c2e0b8f1d10";

#[test]
fn an_item_that_cannot_be_read_is_reported_and_keeps_no_release_waiting() {
    run(released(), Fault::None, async |driver| {
        {
            let mut aws = driver.world.aws();
            let item = json!({
                "pk": {"S": "lease"}, "sk": {"S": "apps/other"}, "v": {"N": "2"},
            });
            let put = json!({"TableName": ledger_table(&aws), "Item": item});
            dynamodb::call(&mut aws, "PutItem", &put).expect("an item");
        }
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        roll_back(&driver, "STOPPED").await;

        for _ in 0..40 {
            pass(&driver, 60).await;
            let error = invoke(&driver, "roll-back", json!({"sweep": true}))
                .await
                .expect_err("one item is not of this version");
            assert!(
                error.contains("apps/other: `v` of a ledger item is 2; expected 1"),
                "{error}"
            );
            if record(&driver)["state"] == "closed" {
                assert_eq!(record(&driver)["outcome"], "rolled-back");
                // The item does not name the revision.
                assert!(!driver.world.aws().ecs.is_active("web:3"));
                return;
            }
        }
        panic!("the release is still open");
    });
}

/// Writes the lease of another service, which comes first in a sweep, with a release of a pipeline
/// whose name CodePipeline refuses.
fn open_release_that_cannot_be_observed(aws: &mut Aws) {
    let table = ledger_table(aws);
    let key = json!({"pk": {"S": "lease"}, "sk": {"S": "apps/web"}});
    let get = json!({"TableName": table, "Key": key});
    let mut item = dynamodb::call(aws, "GetItem", &get).expect("the table is there")["Item"].take();
    item["sk"] = json!({"S": "apps/other"});
    item["service"] = json!({"S": "other"});
    item["release"]["M"]["execution"] = json!({"S": OTHER});
    item["release"]["M"]["pipeline"] = json!({"S": "another team"});
    let put = json!({"TableName": table, "Item": item});
    dynamodb::call(aws, "PutItem", &put).expect("an item");
}

#[test]
fn a_release_that_cannot_be_observed_is_reported_and_keeps_no_other_waiting() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        open_release_that_cannot_be_observed(&mut driver.world.aws());
        roll_back(&driver, "STOPPED").await;

        for _ in 0..40 {
            pass(&driver, 60).await;
            let error = invoke(&driver, "roll-back", json!({"sweep": true}))
                .await
                .expect_err("one release cannot be observed");
            assert!(error.contains(OTHER), "{error}");
            if record(&driver)["state"] == "closed" {
                assert_eq!(record(&driver)["outcome"], "rolled-back");
                return;
            }
        }
        panic!("the release is still open");
    });
}

/// Two of three calls from the second on get no response, so that each takes more than 8 seconds.
fn slow_calls() -> Vec<CallFault> {
    let silence = |first| CallFault::From {
        first,
        count: 2,
        trouble: Trouble::Silence { effect: false },
    };
    (2..200).step_by(3).map(silence).collect()
}

#[test]
fn a_release_whose_check_is_slow_keeps_no_other_waiting() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        open_release_that_cannot_be_observed(&mut driver.world.aws());
        roll_back(&driver, "STOPPED").await;

        // Another one is first in each minute, and has half of 45 seconds. The status of the other
        // one is refused after two attempts of 4 seconds and pauses that are drawn, of up to 1 and
        // 2; the first time that is written down, which takes as long again.
        let mut shares = BTreeSet::new();
        for _ in 0..5 {
            pass(&driver, 60).await;
            let sweep = json!({"sweep": true});
            let swept = invoke_with_all(&driver, "roll-back", sweep, slow_calls()).await;
            let error = swept.expect_err("AWS is slow");
            assert!(error.contains(OTHER), "{error}");
            let late = format!("{JANE}: AWS is slow and the check did not end within ");
            let (_, share) = error.split_once(&late).expect("it is late");
            shares.insert(share[..2].parse::<u32>().expect("seconds"));
        }
        assert!(shares.remove(&22) && !shares.is_empty(), "{shares:?}");
        let possible = |one: &u32| (24..30).contains(one) || (34..38).contains(one);
        assert!(shares.iter().all(possible), "{shares:?}");
    });
}

#[test]
fn a_revision_that_may_not_be_deregistered_keeps_no_service() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        deny(&driver, "ecs:DeregisterTaskDefinition");

        let status = rolled_back(&driver, "STOPPED").await;
        assert!(
            status.starts_with("rolled-back: the execution was stopped; web:2 serves again")
                && status.contains("failed to deregister the release's revisions")
                && status.contains("allow ecs:DeregisterTaskDefinition"),
            "{status}"
        );
        assert!(lease(&driver)["release"].is_null());
    });
}

/// ECS throttles every call for this many minutes.
fn ecs_throttled(from: i64, minutes: i64) -> Faults {
    let throttle = Throttle {
        service: "ecs",
        from,
        until: from + minutes * 60_000,
    };
    Faults {
        throttles: vec![throttle],
        ..Faults::default()
    }
}

/// ECS throttles every call from a minute after the registration on.
#[test]
fn a_revision_that_cannot_be_retired_for_an_hour_keeps_no_service() {
    let aws = released();
    let from = aws.now + 60_000;
    let faults = ecs_throttled(from, 180);

    run(aws, faults, async |driver| {
        registered(&driver).await;
        pass(&driver, 120).await;
        let sweep = async || invoke(&driver, "roll-back", json!({"sweep": true})).await;
        let error = invoke(&driver, "roll-back", event("STOPPED")).await;
        assert!(error.is_err_and(|error| error.contains("ThrottlingException")));

        for _ in 0..50 {
            pass(&driver, 60).await;
            let error = sweep().await.expect_err("ECS throttles");
            assert!(error.contains("ThrottlingException"), "{error}");
            if driver.world.aws().now > from + 50 * 60_000 {
                break;
            }
        }
        assert_eq!(record(&driver)["state"], "begun");

        pass(&driver, 15 * 60).await;
        sweep().await.expect("the release is closed");
        let found = record(&driver);
        assert_eq!(
            (&found["state"], &found["outcome"]),
            (&json!("closed"), &json!("failed"))
        );
        assert_eq!(
            found["reason"],
            "the execution was stopped; nothing had been changed; failed to deregister the \
             release's revisions: ecs:ListTaskDefinitions failed: ThrottlingException: Rate \
             exceeded; roll-back tries again for 24h00m"
        );
        assert!(lease(&driver)["release"].is_null());
    });
}

/// The pipeline registers a revision and ends well.
#[test]
fn a_release_that_ends_well_is_not_taken_over_while_its_revision_cannot_be_retired() {
    let mut aws = released();
    only_register(&mut aws, "slipway-web", json!({}));
    let rule = json!({ "Name": "slipway-sweep" });
    eventbridge::call(&mut aws, "DisableRule", &rule).expect("the rule is there");

    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        behaviour::until(&driver, |aws| {
            executions(aws, "slipway-web")
                .any(|one| digest(one) == Some(pushed.as_str()) && one.is_over())
        })
        .await;
        let execution = newest(&driver.world.aws(), "slipway-web").id.clone();
        pass(&driver, 180).await;
        let sweep =
            async |fault| invoke_with(&driver, "roll-back", json!({"sweep": true}), fault).await;

        // A first sweep records the success, of a service that is not steady.
        set(&driver, json!({"desiredCount": 5}));
        sweep(CallFault::None).await.expect("it is observed");
        set(&driver, json!({"desiredCount": 2}));
        pass(&driver, 180).await;

        // The leases and the execution, under its role, are read first, then the service in 4
        // calls.
        let throttled = sweep(CallFault::ThrottleFrom(8, 4)).await;
        let error = throttled.expect_err("ECS throttles");
        assert!(
            error.contains("ecs:ListTaskDefinitions failed: ThrottlingException"),
            "{error}"
        );
        assert_eq!(lease(&driver)["release"]["state"], "open");

        sweep(CallFault::None).await.expect("it is closed");
        assert_eq!(outcome(&driver, &execution), "unchanged");
        assert!(!driver.world.aws().ecs.is_active("web:3"));
    });
}

#[test]
fn a_service_that_cannot_be_observed_is_given_up_at_the_deadline() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        roll_back(&driver, "STOPPED").await;
        deny(&driver, "ecs:DescribeServices");

        for minute in 1..=61 {
            pass(&driver, 60).await;
            let swept = invoke(&driver, "roll-back", json!({"sweep": true})).await;
            if minute < 60 {
                let error = swept.expect_err("the call is denied");
                assert!(error.contains("allow ecs:DescribeServices"), "{error}");
            }
            if minute == 2 {
                let found = record(&driver);
                assert_eq!(found["state"], "begun", "{found}");
                let noted = found["reason"].as_str().expect("a reason");
                assert!(noted.contains("allow ecs:DescribeServices"), "{noted}");
            }
        }

        let found = record(&driver);
        assert_eq!(found["outcome"], "failed", "{found}");
        assert_eq!(found["needs_operator"], true, "{found}");
        let reason = found["reason"].as_str().expect("a reason");
        assert!(
            reason.contains("the rollback fails after 1h00m: ecs:DescribeServices failed")
                && reason.ends_with("manual intervention required"),
            "{reason}"
        );
    });
}

#[test]
fn a_restoration_that_may_not_pass_a_role_names_it_and_goes_on_once_it_may() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;

        deny(&driver, "iam:PassRole");
        let error = invoke(&driver, "roll-back", event("STOPPED"))
            .await
            .expect_err("the role may not be passed");
        let found = record(&driver);
        let noted = found["reason"].as_str().expect("a reason");
        for part in [
            "ecs:UpdateService failed: AccessDenied",
            "is not authorized to perform: iam:PassRole on resource: \
             arn:aws:iam::111122223333:role/",
            "(parameter TaskRoleArns of the pipeline's stack)",
        ] {
            assert!(error.contains(part), "{error}");
            assert!(noted.contains(part), "{noted}");
        }

        deny(&driver, "ecs:DescribeNothing");
        let status = rolled_back(&driver, "STOPPED").await;
        assert!(status.starts_with("rolled-back: "), "{status}");
        assert_eq!(primary(&driver)["taskDefinition"], arn("web:2"));
    });
}

#[test]
fn a_cause_that_has_passed_is_not_in_the_record_any_more() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;

        deny(&driver, "ecs:DescribeServices");
        invoke(&driver, "roll-back", event("STOPPED"))
            .await
            .expect_err("the call is denied");
        let noted = record(&driver)["reason"].clone();
        let noted = noted.as_str().expect("a reason");
        assert!(noted.contains("ecs:DescribeServices failed"), "{noted}");

        deny(&driver, "ecs:DescribeNothing");
        roll_back(&driver, "STOPPED").await;
        let found = record(&driver);
        assert_eq!(
            (&found["state"], found.get("reason")),
            (&json!("begun"), None)
        );
    });
}

/// ECS throttles every call for 70 minutes, once the rollout has begun.
#[test]
fn a_step_that_is_throttled_for_an_hour_fails_and_its_release_is_rolled_back() {
    let aws = released();
    let faults = ecs_throttled(aws.now + 30_000, 70);

    run(aws, faults, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        let execution = ends(&driver, "slipway-web", &pushed, "rolled-back").await;
        let reason = reason(&driver, &execution);
        assert!(
            reason.starts_with("no progress for 1h0")
                && reason.contains("; last: ecs:DescribeServices failed: ThrottlingException"),
            "{reason}"
        );
    });
}

#[test]
fn a_release_that_waits_too_long_for_another_one_records_what_it_waited_for() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        let now = driver.world.aws().now / 1_000;
        let since = Timestamp::from_secs(now - 23 * 3_600 - 1_800).expect("in range");
        let token = json!({"v": 1, "step": "begin-release", "since": since}).to_string();
        let other = json!({"execution": "jane-2", "strategy": "rolling"});
        let before = json!({ "continuationToken": token });
        let answer = again(&driver, "begin-release", other, &before).await;

        let message = answer["message"].as_str().expect("a message");
        assert!(
            message.starts_with("still in progress after 23h30m")
                && message.contains("last: waiting for release jane-1 of slipway-by-hand"),
            "{answer}"
        );
        let written = ledger_reader::record(&driver.world.aws(), "jane-2").expect("a record");
        assert_eq!(written["reason"]["S"], json!(message));
    });
}

#[test]
fn a_release_whose_pipeline_is_deleted_is_rolled_back() {
    run(released(), Fault::None, async |driver| {
        let before = service(&driver.world.aws(), CLUSTER, WEB)["taskDefinition"].clone();
        let pushed = push(&driver, WEB, "2.0.0");
        let execution = in_progress(&driver, &pushed).await;
        let input = json!({"name": "slipway-web"});
        codepipeline::call(&mut driver.world.aws(), "DeletePipeline", &input).expect("it is there");
        driver.world.touch();

        behaviour::until(&driver, |aws| holder(aws, CLUSTER, WEB).is_none()).await;
        assert_eq!(outcome(&driver, &execution), "rolled-back");
        assert_eq!(
            service(&driver.world.aws(), CLUSTER, WEB)["taskDefinition"],
            before
        );
        let reason = reason(&driver, &execution);
        assert!(
            reason.starts_with("the execution is no longer known to CodePipeline"),
            "{reason}"
        );
    });
}
