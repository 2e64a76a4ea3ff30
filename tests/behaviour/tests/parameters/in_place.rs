//! Wrong parameters of a pipeline in place.

use behaviour::{account, ecs_state, failure, jobs, newest, service, writes};
use harness::demo::{CLUSTER, WEB};
use serde_json::json;

use super::Wrong::{Missing, Set, SetAll, Text};

use super::{Bench, Wrong, release};

const IN_PLACE: Bench = Bench {
    pipeline: "slipway-web",
    repository: WEB,
    prepare: |_| {},
};

/// Checks every case of a step; `registers` says that the steps before it register a revision.
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
fn begin_release_refuses_at_once() {
    let fix = "correct UserParameters of this action";
    check(
        "begin-release",
        false,
        &[
            (
                Set("colour", json!("blue")),
                &["`colour`", "expected one of `pipeline`", fix],
            ),
            (
                Set("strategy", json!("roling")),
                &[
                    "`strategy`",
                    "`roling`",
                    "`rolling`, `doubling`, `make-room`",
                    fix,
                ],
            ),
            (
                Set("minimum_healthy_percent", json!(140)),
                &["`minimum_healthy_percent` (found 140)", "0 to 100", fix],
            ),
            (
                Set("minimum_healthy_percent", json!(-1)),
                &["(found -1)", "0 to 100", fix],
            ),
            (
                Set("minimum_healthy_percent", json!(49.5)),
                &["`minimum_healthy_percent` (found 49.5)", fix],
            ),
            (
                Set("minimum_healthy_percent", json!("50")),
                &["`minimum_healthy_percent` (found \"50\")", fix],
            ),
            (
                Set("maximum_percent", json!(99)),
                &["`maximum_percent` (found 99)", "100 to 200", fix],
            ),
            (
                Set("service", json!("wbe")),
                &[
                    "service `wbe`",
                    "cluster `apps`",
                    "expected an existing service",
                    "change `service`",
                ],
            ),
            (
                Set("cluster", json!("aps")),
                &["cluster `aps`", "expected an existing service", "change"],
            ),
            (
                Set("service", json!("<SERVICE>")),
                &[
                    "service `<SERVICE>`",
                    "expected an existing service",
                    "change",
                ],
            ),
            (
                Set("containers", json!(["web", "wbe"])),
                &["`containers`", "`wbe`", "expected web"],
            ),
            (
                Set("containers", json!("web")),
                &["`containers` (found \"web\")", fix],
            ),
            (
                Set("initial_count", json!(0)),
                &["`initial_count` is 0", "expected 1 or more"],
            ),
            (
                SetAll(&[
                    ("minimum_healthy_percent", 50),
                    ("minimum_healthy_tasks", 1),
                ]),
                &[
                    "`minimum_healthy_percent` and `minimum_healthy_tasks` are both given",
                    "expected one",
                ],
            ),
            (
                SetAll(&[("maximum_percent", 150), ("maximum_tasks", 3)]),
                &[
                    "`maximum_percent` and `maximum_tasks` are both given",
                    "expected one",
                ],
            ),
            (
                Set("minimum_healthy_tasks", json!(3)),
                &["`minimum_healthy_tasks` is 3", "2 tasks", "expected 0 to 2"],
            ),
            (
                Set("maximum_percent", json!(100)),
                &[
                    "could never finish",
                    "floor(2 × 100 %)",
                    "raise `maximum_percent`",
                ],
            ),
            (Missing("service"), &["missing field `service`", fix]),
            (Missing("strategy"), &["missing field `strategy`", fix]),
            (
                Text("service=web"),
                &["not JSON", "expected a JSON object", fix],
            ),
            (Text("[]"), &["an array", "expected a JSON object", fix]),
        ],
    );
}

#[test]
fn register_task_definition_refuses_at_once() {
    let fix = "correct UserParameters of this action";
    check(
        "register-task-definition",
        false,
        &[
            (
                Set("image", json!("web:1")),
                &["`image`", "expected one of", "`images`", fix],
            ),
            (
                Set("images", json!({})),
                &["no image is given", "expected `images`"],
            ),
            (
                Set("images", json!({"wbe": "nginx:1"})),
                &[
                    "an image is given for container `wbe`",
                    "is not in task definition",
                    "expected one of: web",
                ],
            ),
            (
                Set("images", json!({"web": "<IMAGE1_NAME>"})),
                &["`web`", "`<IMAGE1_NAME>`", "expected "],
            ),
            (
                Set("images", json!({"web": 7})),
                &["`images.web` (found 7)", fix],
            ),
            (
                Set("images", json!("web:1")),
                &["`images` (found \"web:1\")", fix],
            ),
            (
                Set("taskdef", json!("Config::taskdef.json")),
                &[
                    "`Config` is not an input",
                    "no input artifacts",
                    "InputArtifacts",
                ],
            ),
            (
                Set("taskdef", json!("taskdef.json")),
                &["`taskdef.json`", "expected <input artifact>::<path>"],
            ),
            (
                Set("family", json!("wbe")),
                &["`wbe` does not exist", "expected an active revision"],
            ),
            (
                Set("service", json!("wbe")),
                &["holds no release of service wbe", "begin-release", "same"],
            ),
            (Missing("cluster"), &["missing field `cluster`", fix]),
            (Text("{"), &["not JSON", "expected a JSON object", fix]),
        ],
    );
}

#[test]
fn update_service_refuses_at_once() {
    let fix = "correct UserParameters of this action";
    check(
        "update-service",
        true,
        &[
            (
                Set("colour", json!("blue")),
                &["`colour`", "expected one of", fix],
            ),
            (
                Set("strategy", json!("Rolling")),
                &["`strategy`", "`Rolling`", "`rolling`", fix],
            ),
            (
                Set("minimum_healthy_percent", json!(140)),
                &["`minimum_healthy_percent` (found 140)", "0 to 100", fix],
            ),
            (
                Set("desired_count", json!(0)),
                &["`desired_count` is 0", "expected 1 or more"],
            ),
            (
                Set("desired_count", json!(-2)),
                &["`desired_count` (found -2)", fix],
            ),
            (
                Set("initial_count", json!(0)),
                &["`initial_count` is 0", "expected 1 or more"],
            ),
            (
                Set("deadline_minutes", json!(0)),
                &["`deadline_minutes` is 0", "expected 1 to"],
            ),
            (
                Set("deadline_minutes", json!(1500)),
                &["`deadline_minutes` is 1500", "expected 1 to"],
            ),
            (
                SetAll(&[
                    ("minimum_healthy_percent", 50),
                    ("minimum_healthy_tasks", 1),
                ]),
                &["both given", "expected one"],
            ),
            // The count before the release is 2, so that begin-release could not see this.
            (
                SetAll(&[("desired_count", 1), ("maximum_percent", 150)]),
                &[
                    "`desired_count` is 1",
                    "could never finish",
                    "floor(1 × 150 %)",
                    "raise `maximum_percent`",
                ],
            ),
            (
                Set("service", json!("wbe")),
                &["holds no release of service wbe", "begin-release", "same"],
            ),
            (
                Set("task_definition", json!("web:99")),
                &[
                    "`task_definition` is `web:99`",
                    "expected the ARN of a revision",
                    "Register.TaskDefinitionArn",
                ],
            ),
            (
                Set(
                    "task_definition",
                    json!("arn:aws:ecs:eu-west-1:111122223333:task-definition/web:99"),
                ),
                &[
                    "`task_definition` is arn:aws:ecs",
                    "web:99",
                    "expected an active revision",
                ],
            ),
            (
                Missing("task_definition"),
                &["missing field `task_definition`", fix],
            ),
            (
                Text("task_definition: web"),
                &["not JSON", "expected a JSON object", fix],
            ),
        ],
    );
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
