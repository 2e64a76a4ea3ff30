//! Wrong parameters of a pipeline in place.

mod begin;
mod register;
mod update;

use behaviour::{account, ecs_state, failure, jobs, newest, service, writes};
use harness::demo::{CLUSTER, WEB};
use serde_json::json;

use super::Wrong::{Missing, Set, Text};
use super::{Bench, Wrong, release};

const IN_PLACE: Bench = Bench {
    pipeline: "slipway-web",
    repository: WEB,
    prepare: |_| {},
};

/// Checks every case of a step; with `registers`, the steps before it register a revision.
fn check(step: &str, registers: bool, cases: &[(Wrong, &[&str])]) {
    let before = account();
    let mut failed = Vec::new();
    for (wrong, fragments) in cases {
        let after = release(IN_PLACE, step, wrong);
        let jobs = jobs(&after, &newest(&after, IN_PLACE.pipeline).id, step);
        let [job] = jobs[..] else {
            failed.push(format!("{fragments:?}: {} jobs", jobs.len()));
            continue;
        };

        let (kind, message) = failure(job).unwrap_or(("no failure", ""));
        let missing: Vec<_> = fragments
            .iter()
            .filter(|fragment| !message.contains(**fragment))
            .collect();

        if kind != "ConfigurationError" || !missing.is_empty() {
            failed.push(format!("{kind}, not in the message {missing:?}: {message}"));
        }

        let (mut found, expected) = (ecs_state(&after), ecs_state(&before));
        if registers {
            let definitions = found["definitions"].as_array_mut().expect("a list");
            definitions.retain(|arn| !arn.as_str().is_some_and(|arn| arn.ends_with("/web:2")));
        }
        if found != expected {
            failed.push(format!("{fragments:?}: {found} was {expected}"));
        }

        let own = format!("of slipway-{step}");
        let changes = writes(&after, before.calls.len());

        // A step keeps the failure in the lease that it holds, or in the record; that is the
        // ledger, and nothing else is written.
        let to_ledger =
            |write: &str| write.starts_with("PutItem") || write.starts_with("TransactWriteItems");
        if changes
            .iter()
            .any(|write| write.ends_with(&own) && !to_ledger(write))
        {
            failed.push(format!("{fragments:?}: {changes:?}"));
        }
    }

    assert!(failed.is_empty(), "{step}:\n{}", failed.join("\n"));
}

#[test]
fn finish_release_refuses_at_once_and_the_release_is_rolled_back() {
    let fix = "correct UserParameters of this action";
    let cases: [(Wrong, &[&str]); 4] = [
        (
            Set("task_definitions", json!("web:2")),
            &["`task_definitions`", "expected one of", fix],
        ),
        (
            Set("service", json!("wbe")),
            &["holds no release of service wbe", "begin-release", "same"],
        ),
        (Missing("service"), &["missing field `service`", fix]),
        (Text("done"), &["not JSON", "expected a JSON object", fix]),
    ];
    let before = service(&account(), CLUSTER, WEB);

    for (wrong, fragments) in cases {
        let after = release(IN_PLACE, "finish-release", &wrong);
        let jobs = jobs(
            &after,
            &newest(&after, IN_PLACE.pipeline).id,
            "finish-release",
        );

        assert_eq!(jobs.len(), 1, "{fragments:?}");

        let (kind, message) = failure(jobs[0]).expect("a failure");
        assert_eq!(kind, "ConfigurationError", "{message}");
        assert!(
            fragments.iter().all(|fragment| message.contains(fragment)),
            "{fragments:?} in {message}"
        );

        let found = service(&after, CLUSTER, WEB);
        for member in [
            "taskDefinition",
            "desiredCount",
            "runningCount",
            "deploymentConfiguration",
        ] {
            assert_eq!(found[member], before[member], "{fragments:?}: {member}");
        }
    }
}
