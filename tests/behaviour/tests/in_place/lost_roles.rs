//! Releases whose deploy role is refused: deleted with the stack of its pipeline, or by mistake.

use emulator::cloudformation;
use harness::demo::{CLUSTER, WEB};
use harness::driver::{Driver, Fault, run};
use invariants::ledger_reader::holder;
use serde_json::json;
use slipway::aws::Ledger;
use slipway::release::{DeployRole, Record, Started};
use slipway::timestamp::Timestamp;

use super::bench::*;
use behaviour::{in_progress, invoke, outcome, push, reason, recorded, released, until};

fn gone() -> DeployRole {
    DeployRole {
        arn: "arn:aws:iam::111122223333:role/gone".to_owned(),
        external_id: "arn:aws:codepipeline:eu-west-1:111122223333:web".to_owned(),
        region: None,
    }
}

/// Gives the release by hand another deploy role, or the function's own credentials.
async fn give(driver: &Driver, role: Option<DeployRole>) {
    edit(driver, WEB, |lease| {
        with_release(lease, |release| release.deploy_role = role)
    })
    .await;
}

/// Records that an execution was started this many seconds before the run, under a role that is
/// gone.
async fn started(driver: &Driver, age: i64) {
    let at = Timestamp::from_secs(1_767_603_600 - age).expect("in range");
    let started = Record {
        deploy_role: Some(gone()),
        ..Record::started(JANE, "slipway-web", None, at)
    };
    put_record(driver, &started).await;
}

/// The status of that execution in a sweep.
async fn swept(driver: &Driver) -> String {
    let swept = invoke(driver, "roll-back", json!({"sweep": true})).await;
    let swept = swept.expect("no sweep fails");
    let status = swept["swept"][JANE].as_str();
    status.unwrap_or_default().to_owned()
}

/// Why a sweep fails.
async fn failed_sweep(driver: &Driver) -> String {
    let swept = invoke(driver, "roll-back", json!({"sweep": true})).await;
    swept.expect_err("the role is refused")
}

#[test]
fn a_release_whose_stack_is_deleted_in_a_rollout_is_closed_after_an_hour_for_an_operator() {
    run(released(), Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        let execution = in_progress(&driver, &pushed).await;
        cloudformation::delete(&mut driver.world.aws(), "web-pipeline").expect("it is there");
        driver.world.touch();
        let deleted = driver.world.aws().now;

        let noted = |aws: &emulator::Aws| recorded(aws, &execution, "reason");
        until(&driver, |aws| noted(aws).is_some()).await;
        let refusal = noted(&driver.world.aws()).expect("a reason");
        assert!(refusal.contains("sts:AssumeRole failed"), "{refusal}");

        until(&driver, |aws| holder(aws, CLUSTER, WEB).is_none()).await;
        let minutes = (driver.world.aws().now - deleted) / 60_000;
        assert!((60..=63).contains(&minutes), "{minutes} minutes");
        assert_eq!(outcome(&driver, &execution), "failed");
        let reason = reason(&driver, &execution);
        // CodePipeline's event that the execution was cancelled took the release over.
        assert!(
            reason.starts_with(
                "the execution has a status that could not be read; the rollback fails after 1h00m: \
                 sts:AssumeRole failed: AccessDenied"
            ) && reason.ends_with("; manual intervention required"),
            "{reason}"
        );
    });
}

#[test]
fn a_release_that_changed_nothing_before_its_role_was_lost_needs_no_operator() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        give(&driver, Some(gone())).await;

        until(&driver, |aws| holder(aws, CLUSTER, WEB).is_none()).await;
        let found = record(&driver);
        assert_eq!(found["outcome"], "failed", "{found}");
        assert_eq!(found.get("needs_operator"), None, "{found}");
        let reason = found["reason"].as_str().expect("a reason");
        let expected = "the execution has a status that could not be read; nothing had been \
                        changed; its role has been refused for 1h0";
        assert!(reason.starts_with(expected), "{reason}");
        assert!(reason.contains(": sts:AssumeRole failed: "), "{reason}");
    });
}

#[test]
fn a_start_whose_deploy_role_is_gone_fails_no_sweep_and_is_closed_after_a_day() {
    for (age, state) in [(0, "started"), (86_400, "closed")] {
        run(released(), Fault::None, async |driver| {
            started(&driver, age).await;
            let status = swept(&driver).await;
            assert!(status.contains("could not be read"), "{status}");
            assert_eq!(mark(&driver)["unread_since"], "<time>");

            for (secs, state) in [(59 * 60, "started"), (2 * 60, state)] {
                pass(&driver, secs).await;
                swept(&driver).await;
                assert_eq!(record(&driver)["state"], state, "started {age} s before");
            }
        });
    }
}

#[test]
fn a_refusal_of_the_role_of_a_start_is_forgotten_once_it_is_read() {
    run(released(), Fault::None, async |driver| {
        started(&driver, 0).await;
        swept(&driver).await;
        let ledger = Ledger::new(&sdk(&driver));
        let mut listing = ledger.leases().await.expect("read");
        let readable = Started {
            deploy_role: None,
            ..listing.started.pop().expect("a mark")
        };
        assert!(readable.unread_since.is_some());
        ledger.note_started(&readable).await.expect("written");

        swept(&driver).await;
        assert_eq!(mark(&driver).get("unread_since"), None);
        assert_eq!(record(&driver)["state"], "started");
    });
}

#[test]
fn a_refused_role_is_named_to_what_waits_and_forgotten_once_it_is_accepted() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        give(&driver, Some(gone())).await;
        let error = failed_sweep(&driver).await;
        assert!(error.contains("sts:AssumeRole failed"), "{error}");
        assert_eq!(lease(&driver)["release"]["role_refused_since"], "<time>");
        let reason = record(&driver)["reason"].clone();
        assert_eq!(
            error,
            format!("{JANE}: {}", reason.as_str().expect("a reason"))
        );

        let held = lease(&driver);
        pass(&driver, 120).await;
        failed_sweep(&driver).await;
        assert_eq!(lease(&driver), held, "the first time stays");
        let other = json!({"execution": "jane-2", "strategy": "rolling"});
        let waits = look(&driver, "begin-release", other).await.to_string();
        let role = "; its role arn:aws:iam::111122223333:role/gone has been refused for 2m0";
        assert!(waits.contains(role), "{waits}");

        give(&driver, None).await;
        let swept = invoke(&driver, "roll-back", json!({"sweep": true})).await;
        swept.expect("nothing is refused");
        assert_eq!(lease(&driver)["release"].get("role_refused_since"), None);
        assert_eq!(record(&driver).get("reason"), None);
    });
}

/// A step may have announced a change before STS refused its role, and make it with credentials
/// that last.
#[test]
fn a_release_whose_role_is_lost_is_not_closed_while_a_change_may_still_be_made() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        look(&driver, "update-service", update(json!({}))).await;
        give(&driver, Some(gone())).await;
        edit(&driver, WEB, |lease| {
            with_release(lease, |release| {
                release.role_refused_since = Some(release.began_at);
            })
        })
        .await;
        pass(&driver, 3_700).await;
        edit(&driver, WEB, |lease| announced_after(lease, 3_700)).await;

        let error = failed_sweep(&driver).await;
        assert!(error.contains("sts:AssumeRole failed"), "{error}");
        assert_eq!(record(&driver)["state"], "begun");

        pass(&driver, 61).await;
        let swept = invoke(&driver, "roll-back", json!({"sweep": true})).await;
        swept.expect("it is closed");
        let found = record(&driver);
        assert_eq!(found["outcome"], "failed", "{found}");
        assert_eq!(found["needs_operator"], true, "{found}");
    });
}
