//! What becomes of the revision that a release registered: retired when the release did not leave
//! it running, kept when it runs or is not this release's.

use emulator::ecs;
use harness::demo::{CLUSTER, WEB};
use harness::driver::{Driver, Fault, run};
use serde_json::json;

use super::bench::*;
use super::families::{INTERNAL, all_steady, second_service};
use behaviour::{outcome, push, reason, released, settled};

fn is_active(driver: &Driver, revision: &str) -> bool {
    driver.world.aws().ecs.is_active(revision)
}

#[test]
fn a_revision_that_was_never_deployed_is_retired() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;

        // The registration was announced just now: no other one may follow once the release is
        // closed.
        let status = roll_back(&driver, "STOPPED").await;
        assert!(status.contains("took over"), "{status}");
        assert!(is_active(&driver, "web:3"));

        let status = rolled_back(&driver, "STOPPED").await;
        assert_eq!(
            status,
            "failed: the execution was stopped; nothing had been changed"
        );
        assert!(!is_active(&driver, "web:3") && is_active(&driver, "web:2"));
    });
}

#[test]
fn a_revision_that_was_rolled_back_is_retired() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        ended(&driver, "update-service", update(json!({}))).await;
        let status = rolled_back(&driver, "STOPPED").await;

        assert_eq!(
            status,
            "rolled-back: the execution was stopped; web:2 serves again with 2 of 2 tasks"
        );
        assert!(!is_active(&driver, "web:3") && is_active(&driver, "web:2"));
    });
}

/// The newer release takes the lease afterwards.
#[test]
fn percentages_of_a_superseded_release_are_given_back_once_its_rollout_has_ended() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let half = update(json!({"minimum_healthy_percent": 50}));
        look(&driver, "update-service", half).await;
        let floor = || web(&driver)["deploymentConfiguration"]["minimumHealthyPercent"].clone();

        let status = roll_back(&driver, "SUPERSEDED").await;
        let awaited = "waiting for the end of the rollout";
        assert!(status.starts_with(awaited), "{status}");
        assert_eq!(floor(), json!(50));

        let status = rolled_back(&driver, "SUPERSEDED").await;
        assert!(status.starts_with("superseded: "), "{status}");
        assert_eq!(floor(), json!(100));
        assert_eq!(primary(&driver)["taskDefinition"], arn("web:3"));
    });
}

#[test]
fn the_revision_that_runs_stays_when_its_release_is_superseded() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        ended(&driver, "update-service", update(json!({}))).await;
        let since = calls(&driver);
        let status = rolled_back(&driver, "SUPERSEDED").await;

        assert!(
            status.starts_with("superseded: the execution was superseded by a newer one; "),
            "{status}"
        );

        let writes = operations(&driver, since, "roll-back");
        assert_eq!(
            writes,
            ["PutItem", "TransactWriteItems"],
            "the lease is taken over and given back"
        );
        assert!(is_active(&driver, "web:3"));
        assert_eq!(web(&driver)["taskDefinition"], arn("web:3"));
    });
}

#[test]
fn the_revision_that_runs_stays_when_a_pipeline_has_no_finish_release() {
    run(released_without_finish(), Fault::None, async |driver| {
        let pushed = push(&driver, WEB, "2.0.0");
        let execution = settled(&driver, "slipway-web", &pushed).await;
        let cause = "the execution succeeded without a finish-release action";

        assert_eq!(outcome(&driver, &execution), "deployed");
        assert_eq!(
            reason(&driver, &execution),
            format!("{cause}; the service runs web:3 on 2 of 2 tasks")
        );
        assert!(is_active(&driver, "web:3"));
        assert_eq!(web(&driver)["taskDefinition"], arn("web:3"));
        assert!(lease(&driver)["release"].is_null());
    });
}

#[test]
fn the_revision_that_runs_stays_when_the_restoration_fails() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        ended(&driver, "update-service", update(json!({}))).await;
        take_away(&driver);
        let status = rolled_back(&driver, "FAILED").await;

        assert!(
            status.starts_with("failed: service web is gone"),
            "{status}"
        );
        assert!(is_active(&driver, "web:3"));
    });
}

#[test]
fn a_revision_that_a_release_registered_is_retired_although_nothing_recorded_it() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        edit(&driver, WEB, |lease| {
            with_release(lease, |release| release.registered = None)
        })
        .await;

        rolled_back(&driver, "FAILED").await;

        assert!(!is_active(&driver, "web:3") && is_active(&driver, "web:2"));
    });
}

/// The console and tools register the next revision with the tags of the one they start from.
#[test]
fn a_revision_that_an_operator_registered_with_the_tags_of_the_releases_is_not_retired() {
    for recorded in [true, false] {
        run(released(), Fault::None, async |driver| {
            registered(&driver).await;
            let fix = register_copy(&driver, "web:3", |request| {
                request["containerDefinitions"][0]["image"] = json!(image("1.0.0"));
            });
            assert_eq!(fix, arn("web:4"));
            if !recorded {
                edit(&driver, WEB, |lease| {
                    with_release(lease, |release| release.registered = None)
                })
                .await;
            }

            rolled_back(&driver, "FAILED").await;

            assert!(!is_active(&driver, "web:3") && is_active(&driver, "web:4"));
        });
    }
}

#[test]
fn a_revision_without_the_mark_of_the_release_is_not_this_releases() {
    run(released(), Fault::None, async |driver| {
        let digest = registered(&driver).await;

        // It has the same image, and the mark of the release that registered web:2.
        assert_eq!(register_by_hand(&driver, &pinned(&digest)), arn("web:4"));
        rolled_back(&driver, "FAILED").await;

        assert!(!is_active(&driver, "web:3") && is_active(&driver, "web:4"));
    });
}

#[test]
fn a_revision_that_an_operator_deployed_meanwhile_is_not_retired() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        set(&driver, json!({"taskDefinition": arn("web:3")}));

        let status = rolled_back(&driver, "STOPPED").await;
        assert!(status.starts_with("failed: "), "{status}");
        assert!(is_active(&driver, "web:3"));
    });
}

#[test]
fn a_revision_that_a_service_outside_slipway_runs_is_not_retired() {
    run(released(), Fault::None, async |driver| {
        second_service(&driver).await;
        registered(&driver).await;
        ended(&driver, "update-service", update(json!({}))).await;

        // An operator deploys it to a service that is never released, and so has no lease.
        let input = json!({
            "cluster": CLUSTER, "service": INTERNAL, "taskDefinition": arn("web:3"),
        });
        ecs::call(&mut driver.world.aws(), "UpdateService", &input).expect("legal");
        all_steady(&driver).await;

        let status = rolled_back(&driver, "STOPPED").await;
        assert!(status.starts_with("rolled-back: "), "{status}");
        assert_eq!(web(&driver)["taskDefinition"], arn("web:2"));
        assert!(is_active(&driver, "web:3"));
    });
}

#[test]
fn a_revision_that_was_retired_by_hand_is_not_retired_again() {
    run(released(), Fault::None, async |driver| {
        registered(&driver).await;
        let gone = json!({"taskDefinition": arn("web:3")});
        ecs::call(&mut driver.world.aws(), "DeregisterTaskDefinition", &gone).expect("it is there");
        let since = calls(&driver);
        rolled_back(&driver, "STOPPED").await;
        let aws = driver.world.snapshot();
        let again = aws.calls[since..]
            .iter()
            .filter(|call| call.operation == "DeregisterTaskDefinition");

        assert_eq!(again.count(), 0);
        assert!(!is_active(&driver, "web:3"));
    });
}
