//! When a release is finished, and when it is not.

use harness::demo::WEB;
use harness::driver::{Fault, run};
use serde_json::json;

use slipway::release::Lease;

use super::bench::*;
use behaviour::released;

#[test]
fn a_service_that_does_not_run_the_revision_is_waited_for_until_the_deadline() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        let held = lease(&driver);
        let wrong = json!({"task_definition": arn("web:1")});
        let answer = look(&driver, "finish-release", wrong.clone()).await;

        assert_eq!(
            (&answer["status"], &answer["percentComplete"]),
            (&json!("in-progress"), &json!(50)),
            "{answer}"
        );
        assert_eq!(
            answer["summary"],
            "not steady: the PRIMARY deployment runs web:2; 0s of 15m00s"
        );

        pass(&driver, 890).await;
        let answer = again(&driver, "finish-release", wrong.clone(), &answer).await;
        assert_eq!(answer["status"], "in-progress", "{answer}");
        assert_eq!(lease(&driver), held);

        pass(&driver, 15).await;
        let answer = again(&driver, "finish-release", wrong, &answer).await;
        let why = "the service does not run web:1 steadily: the PRIMARY deployment runs web:2";
        fails(&answer, "JobFailed", &[why]);

        assert_eq!(record(&driver)["state"], "begun");
    });
}

#[test]
fn a_service_that_was_scaled_to_zero_is_not_finished() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        set(&driver, json!({"desiredCount": 0}));
        pass(&driver, 600).await;

        let live = json!({"task_definition": arn("web:2")});
        let answer = look(&driver, "finish-release", live).await;
        assert_eq!(
            answer["summary"],
            "not steady: desired count is 0, expected 1 or more; 0s of 15m00s"
        );
    });
}

#[test]
fn a_steady_service_is_finished_once_no_invocation_can_change_it_any_more() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        edit(&driver, WEB, |lease| Lease {
            fence: lease.fence + 1,
            changed_at: Some(began(lease)),
            ..lease.clone()
        })
        .await;
        let live = json!({"task_definition": arn("web:2")});
        let answer = look(&driver, "finish-release", live.clone()).await;

        assert_eq!(
            (&answer["status"], &answer["percentComplete"]),
            (&json!("in-progress"), &json!(90)),
            "{answer}"
        );
        assert!(
            answer["summary"]
                .as_str()
                .is_some_and(|summary| summary.starts_with("steady; ")),
            "{answer}"
        );
        assert_eq!(record(&driver)["state"], "begun");

        pass(&driver, 60).await;
        let answer = again(&driver, "finish-release", live, &answer).await;
        assert_eq!(
            answer["outputVariables"],
            json!({"Outcome": "unchanged"}),
            "{answer}"
        );
        assert_eq!(record(&driver)["state"], "closed");
    });
}

#[test]
fn a_finished_release_is_reported_again_and_a_failed_one_is_refused() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        let live = json!({"task_definition": arn("web:2")});
        let answer = ended(&driver, "finish-release", live.clone()).await;
        assert_eq!(answer["status"], "done", "{answer}");
        let since = calls(&driver);
        assert_eq!(look(&driver, "finish-release", live.clone()).await, answer);
        assert_eq!(operations(&driver, since, "finish-release"), [""; 0]);
    });
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        rolled_back(&driver, "STOPPED").await;
        let answer = look(
            &driver,
            "finish-release",
            json!({"task_definition": arn("web:2")}),
        )
        .await;
        fails(&answer, "ConfigurationError", &["release already failed"]);
    });
}

#[test]
fn only_the_arn_of_a_revision_can_be_finished() {
    run(released(), Fault::None, async |driver| {
        begun(&driver, json!({})).await;
        let answer = look(
            &driver,
            "finish-release",
            json!({"task_definition": "web:2"}),
        )
        .await;
        fails(
            &answer,
            "ConfigurationError",
            &["`task_definition` is `web:2`"],
        );
    });
}
