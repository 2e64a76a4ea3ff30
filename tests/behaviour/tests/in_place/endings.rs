//! What roll-back returns for the end of an execution, and what it restores.

use emulator::ecs;
use harness::demo::{CLUSTER, WEB};
use harness::driver::{Fault, run};
use invariants::ledger_reader::item;
use serde_json::{Value, json};
use slipway::release::{Event, Phase, Record};
use slipway::timestamp::Timestamp;

use super::bench::*;
use behaviour::{deny, invoke, released};

#[test]
fn an_execution_without_a_release_or_with_a_closed_one_changes_nothing() {
    run(released(), Fault::None, async |driver| {
        let since = calls(&driver);
        let status = roll_back(&driver, "FAILED").await;
        assert!(status.contains("nothing to do"), "{status}");
        assert_eq!(
            (operations(&driver, since, "roll-back"), record(&driver)),
            (Vec::new(), Value::Null)
        );

        begun(&driver, json!({})).await;
        rolled_back(&driver, "STOPPED").await;
        let (since, closed) = (calls(&driver), record(&driver));
        let status = roll_back(&driver, "FAILED").await;

        assert_eq!(status, "the release is closed: nothing to do");
        assert_eq!(
            (operations(&driver, since, "roll-back"), record(&driver)),
            (Vec::new(), closed)
        );
    });
}

#[test]
fn an_event_of_an_execution_that_goes_on_or_succeeded_is_ignored() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        let held = lease(&driver);

        for state in ["STARTED", "RESUMED", "SUCCEEDED"] {
            let answer = invoke(&driver, "roll-back", event(state))
                .await
                .expect("an answer");
            assert_eq!(
                answer,
                json!({"status": "ignored", "reason": format!("the execution is {state}")})
            );
        }
        assert_eq!(lease(&driver), held);
    });
}

#[test]
fn an_execution_that_is_stopping_is_rolled_back_once_and_its_action_fails() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        roll_back(&driver, "STOPPING").await;
        let restored = web(&driver)["deployments"][0].clone();
        assert_eq!(restored["taskDefinition"], arn("web:2"));

        let answer = look(&driver, "update-service", update(json!({}))).await;
        let why = "the release is being rolled back";
        fails(&answer, "ConfigurationError", &[why]);
        rolled_back(&driver, "STOPPED").await;
        assert_eq!(record(&driver)["outcome"], "rolled-back");
        assert_eq!(web(&driver)["deployments"][0]["id"], restored["id"]);
    });
}

#[test]
fn a_release_that_no_longer_holds_its_service_is_left_alone() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        edit(&driver, WEB, |lease| {
            with_release(lease, |release| release.execution = "jane-2".to_owned())
        })
        .await;
        let held = lease(&driver);
        let status = roll_back(&driver, "FAILED").await;

        assert_eq!(
            status,
            "the release does not have the lease of its service: nothing to do"
        );
        assert_eq!(lease(&driver), held);
    });
}

#[test]
fn a_rollback_that_loses_a_race_for_the_lease_goes_on_in_the_same_invocation() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        let since = calls(&driver);

        let (first, second) = tokio::join!(
            invoke(&driver, "roll-back", event("STOPPED")),
            invoke(&driver, "roll-back", event("STOPPED")),
        );
        for done in [first, second] {
            let status = done.expect("neither fails")["status"].to_string();
            assert!(status.contains("restoring web:2"), "{status}");
        }

        let aws = driver.world.snapshot();
        let lost = aws.calls[since..].iter().filter(|call| {
            let error = call.error.as_ref();
            error.is_some_and(|error| error.contains("ConditionalCheckFailed"))
        });
        assert!(lost.count() > 0, "nothing was written in between");
    });
}

#[test]
fn an_execution_that_ended_before_its_release_began_is_closed_with_its_ending() {
    for (state, outcome, word) in [
        ("FAILED", "failed", "failed"),
        ("STOPPED", "failed", "was stopped"),
        ("CANCELED", "failed", "was canceled"),
        ("SUPERSEDED", "superseded", "was superseded by a newer one"),
    ] {
        run(released(), Fault::None, async |driver| {
            let now = Timestamp::from_secs(1_767_603_600).expect("in range");
            put_record(
                &driver,
                &Record::started(JANE, "slipway-by-hand", Some("sha256:00"), now),
            )
            .await;

            assert_ne!(mark(&driver), Value::Null);

            let reason =
                format!("the execution {word} before its release began; nothing had been changed");
            assert_eq!(
                roll_back(&driver, state).await,
                format!("{outcome}: {reason}")
            );

            let expected = json!({
                "pk": "execution#jane-1", "sk": "record", "v": 1, "execution": JANE,
                "pipeline": "slipway-by-hand",
                "digest": "sha256:00", "state": "closed", "outcome": outcome, "reason": reason,
                "started_at": "<time>",
                "ended_at": "<time>",
                "expires_at": "<time>",
            });
            assert_eq!(record(&driver), expected);
            assert_eq!(mark(&driver), Value::Null);

            let answer = look(&driver, "begin-release", json!({"strategy": "rolling"})).await;
            fails(&answer, "ConfigurationError", &["release already"]);
        });
    }
}

#[test]
fn a_release_that_changed_nothing_is_closed_at_once() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        let since = calls(&driver);
        assert_eq!(
            roll_back(&driver, "CANCELED").await,
            "failed: the execution was canceled; nothing had been changed"
        );
        assert_eq!(
            operations(&driver, since, "roll-back"),
            ["TransactWriteItems"]
        );
        assert!(lease(&driver)["release"].is_null());
    });
}

#[test]
fn nothing_is_closed_while_a_restoration_can_still_land() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;

        // The other revision is taken away by an operator in the time in which the restoration may
        // still be made.
        assert!(
            roll_back(&driver, "STOPPED")
                .await
                .starts_with("restoring web:2 (")
        );

        take_away(&driver);
        let since = calls(&driver);
        let status = roll_back(&driver, "STOPPED").await;
        assert!(
            status.starts_with("waiting ") && status.contains(" to time out, then failed: "),
            "{status}"
        );
        assert_eq!(operations(&driver, since, "roll-back"), [""; 0]);

        pass(&driver, 60).await;
        let status = roll_back(&driver, "STOPPED").await;
        assert!(
            status.starts_with("failed: service web is gone")
                && status.contains("manual intervention required"),
            "{status}"
        );
        assert_eq!(record(&driver)["outcome"], "failed");
    });
}

#[test]
fn a_rollback_is_not_given_up_while_a_change_may_still_be_made() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        edit(&driver, WEB, |lease| after(lease, Event::TakenOver)).await;
        pass(&driver, 3_700).await;
        edit(&driver, WEB, |lease| announced_after(lease, 3_700)).await;
        deny(&driver, "ecs:DescribeServices");

        let ended = invoke(&driver, "roll-back", event("STOPPED")).await;
        let error = ended.expect_err("it is not restored");
        assert!(error.contains("ecs:DescribeServices failed"), "{error}");
        assert_eq!(record(&driver)["state"], "begun");

        pass(&driver, 61).await;
        let status = roll_back(&driver, "STOPPED").await;
        let expected = "failed: the execution was stopped; the rollback fails after 1h0";
        assert!(status.starts_with(expected), "{status}");
    });
}

/// The claim of the digest refuses its later pushes, so that it must not expire.
#[test]
fn a_rollback_is_not_closed_before_the_claim_of_its_digest_is_kept() {
    run(released(), Fault::None, async |driver| {
        let digest = registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        let mut claim = json!({
            "pk": {"S": "push#slipway-by-hand"}, "sk": {"S": digest}, "v": {"N": "2"},
            "pipeline": {"S": "slipway-by-hand"}, "digest": {"S": digest}, "event": {"S": "1"},
            "claimed_at": {"S": "2026-01-05T09:00:00Z"}, "execution": {"S": JANE},
            "expires_at": {"N": "1802163600"},
        });
        put(&driver, &claim);

        let mut ended = Ok(Value::Null);
        for _ in 0..40 {
            ended = invoke(&driver, "roll-back", event("FAILED")).await;
            if ended.is_err() {
                break;
            }
            pass(&driver, 30).await;
        }
        let error = ended.expect_err("the claim cannot be read");
        assert!(
            error.ends_with("`v` of a ledger item is 2; expected 1"),
            "{error}"
        );
        assert_eq!(record(&driver)["state"], "begun");

        claim["v"] = json!({"N": "1"});
        put(&driver, &claim);
        let status = rolled_back(&driver, "FAILED").await;
        assert!(status.starts_with("rolled-back: "), "{status}");
        let key = json!({"pk": claim["pk"], "sk": claim["sk"]});
        let kept = item(&driver.world.aws(), &key).expect("it is there");
        assert_eq!(kept.get("expires_at"), None);
    });
}

#[test]
fn a_release_without_a_prior_release_restores_nothing() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        edit(&driver, WEB, |lease| {
            with_release(lease, |release| release.phase = Phase::Beginning)
        })
        .await;
        let before = web(&driver)["taskDefinition"].clone();
        let status = rolled_back(&driver, "FAILED").await;

        // Without a recorded prior release no change can have been announced.
        assert_eq!(
            status,
            "failed: the execution failed; nothing had been changed"
        );
        assert_eq!(web(&driver)["taskDefinition"], before);
    });
}

#[test]
fn a_count_that_the_release_set_goes_back_and_one_that_others_raised_stays() {
    for (raised, expected) in [(None, 2), (Some(5), 5), (Some(1), 2)] {
        run(released(), Fault::None, async |driver| {
            registered(&driver).await;
            look(
                &driver,
                "update-service",
                update(json!({"desired_count": 3})),
            )
            .await;

            if let Some(count) = raised {
                set(&driver, json!({ "desiredCount": count }));
            }

            let status = rolled_back(&driver, "STOPPED").await;
            let reason = format!(
                "the execution was stopped; web:2 serves again with {expected} of {expected} tasks"
            );
            assert_eq!(status, format!("rolled-back: {reason}"));

            let found = web(&driver);
            assert_eq!(
                (&found["desiredCount"], &found["taskDefinition"]),
                (&json!(expected), &json!(arn("web:2")))
            );
        });
    }
}

/// The next release would record them as those of the service.
#[test]
fn percentages_of_a_release_are_given_back_beside_an_external_deployment() {
    for chosen in [None, Some(60)] {
        run(released(), Fault::None, async |driver| {
            registered(&driver).await;
            let half = update(json!({"minimum_healthy_percent": 50}));
            look(&driver, "update-service", half).await;
            set(&driver, json!({"taskDefinition": arn("web:1")}));
            if let Some(floor) = chosen {
                let bounds = json!({"minimumHealthyPercent": floor, "maximumPercent": 200});
                set(&driver, json!({ "deploymentConfiguration": bounds }));
            }
            let deployed = primary(&driver)["id"].clone();

            let status = rolled_back(&driver, "STOPPED").await;
            assert_eq!(
                status,
                "superseded: the execution was stopped; web:1 was deployed outside this release, \
                 left unchanged"
            );
            assert_eq!(primary(&driver)["id"], deployed);
            let floor = &web(&driver)["deploymentConfiguration"]["minimumHealthyPercent"];
            assert_eq!(*floor, json!(chosen.unwrap_or(100)));
        });
    }
}

#[test]
fn steps_of_a_release_that_is_being_rolled_back_are_refused() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        roll_back(&driver, "STOPPED").await;
        let held = lease(&driver);

        for (step, more) in [
            (
                "register-task-definition",
                json!({"images": {"web": image("2.0.0")}}),
            ),
            ("update-service", update(json!({}))),
            ("finish-release", json!({"task_definition": arn("web:3")})),
        ] {
            let answer = look(&driver, step, more).await;
            fails(
                &answer,
                "ConfigurationError",
                &["the release is being rolled back"],
            );
        }
        assert_eq!(lease(&driver), held);
    });
}

#[test]
fn a_service_that_is_being_deleted_ends_its_rollback_as_failed() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        roll_back(&driver, "STOPPED").await;
        let delete = json!({"cluster": CLUSTER, "service": WEB, "force": true});
        ecs::call(&mut driver.world.aws(), "DeleteService", &delete).expect("the service is there");
        pass(&driver, 61).await;

        let since = calls(&driver);
        let status = roll_back(&driver, "STOPPED").await;
        assert!(
            status.starts_with("failed: service web is gone or being deleted"),
            "{status}"
        );
        assert_eq!(
            operations(&driver, since, "roll-back"),
            ["TransactWriteItems"]
        );
    });
}
