//! Parameters that update-service refuses.

use serde_json::json;

use crate::Wrong;
use crate::Wrong::{Missing, Set, SetAll, Text};

use super::check;

const FIX: &str = "correct UserParameters of this action";

/// Checks that the step refuses each of the parameters.
fn refused(cases: &[(Wrong, &[&str])]) {
    check("update-service", true, cases);
}

#[test]
fn wrong_counts_and_times_are_refused_at_once() {
    refused(&[
        (
            Set("minimum_healthy_percent", json!(140)),
            &["`minimum_healthy_percent` (found 140)", "0 to 100", FIX],
        ),
        (
            Set("desired_count", json!(0)),
            &["`desired_count` is 0", "expected 1 or more"],
        ),
        (
            Set("desired_count", json!(-2)),
            &["`desired_count` (found -2)", FIX],
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
    ]);
}

#[test]
fn unknown_names_are_refused_at_once() {
    refused(&[
        (
            Set("strategy", json!("Rolling")),
            &["`strategy`", "`Rolling`", "`rolling`", FIX],
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
    ]);
}

#[test]
fn parameters_that_cannot_be_read_are_refused_at_once() {
    refused(&[
        (
            Set("colour", json!("blue")),
            &["`colour`", "expected one of", FIX],
        ),
        (
            Missing("task_definition"),
            &["missing field `task_definition`", FIX],
        ),
        (
            Text("task_definition: web"),
            &["not JSON", "expected a JSON object", FIX],
        ),
    ]);
}
