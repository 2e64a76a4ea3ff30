//! Parameters that swap-target-groups refuses.

use serde_json::{Value, json};

use crate::Wrong;
use crate::Wrong::{Change, Missing, Set};

use super::{PAIR, check};

const FIX: &str = "correct UserParameters of this action";

/// Checks that the action refuses each of the parameters as a wrong configuration.
fn refused(cases: &[(Wrong, &[&str])]) {
    check(
        PAIR,
        "swap-target-groups",
        "swap-target-groups",
        "ConfigurationError",
        cases,
    );
}

/// A shift in these steps.
fn listed(steps: Value) -> Wrong {
    Change(json!({"shift": "listed", "step_percent": null, "steps": steps}))
}

#[test]
fn swap_target_groups_refuses_a_wrong_shift_at_once() {
    refused(&[
        (
            Set("colour", json!("blue")),
            &["`colour`", "expected one of", FIX],
        ),
        (Missing("shift"), &["missing field `shift`", FIX]),
        (
            Set("shift", json!("at-once")),
            &[
                "`shift`",
                "`at-once`",
                "`all-at-once`, `linear`, `listed`",
                FIX,
            ],
        ),
        (
            Missing("step_percent"),
            &[
                "`step_percent` is missing",
                "expected 1 to 100 with shift `linear`",
            ],
        ),
        (
            Set("step_percent", json!(0)),
            &["`step_percent` (found 0)", "1 to 100", FIX],
        ),
        (
            Set("step_percent", json!(101)),
            &["`step_percent` (found 101)", "1 to 100", FIX],
        ),
        (
            Set("step_percent", json!("20")),
            &["`step_percent` (found \"20\")", FIX],
        ),
    ]);
}

#[test]
fn swap_target_groups_refuses_parameters_of_another_shift_at_once() {
    refused(&[
        (
            Set("steps", json!([25, 100])),
            &[
                "`steps` is given",
                "expected with shift `listed` only",
                "remove it",
            ],
        ),
        (
            Set("shift", json!("listed")),
            &[
                "`step_percent` is given",
                "expected with shift `linear` only",
                "remove it",
            ],
        ),
        (
            Set("shift", json!("all-at-once")),
            &[
                "`step_percent` is given",
                "expected with shift `linear` only",
                "remove it",
            ],
        ),
        (
            Change(json!({"shift": "all-at-once", "step_percent": null})),
            &[
                "`step_minutes` is given",
                "`all-at-once`",
                "`bake_minutes`",
                "remove it",
            ],
        ),
    ]);
}

#[test]
fn swap_target_groups_refuses_wrong_steps_at_once() {
    refused(&[
        (
            listed(json!(null)),
            &[
                "`steps` is missing",
                "expected rising percentages such as [5, 25, 100]",
            ],
        ),
        (
            listed(json!([])),
            &["`steps` is []", "expected 1 to 20 rising percentages"],
        ),
        (
            listed(json!([50, 25, 100])),
            &[
                "`steps` is [50, 25, 100]",
                "expected 1 to 20 rising percentages",
            ],
        ),
        (
            listed(json!([50, 50])),
            &["`steps` is [50, 50]", "expected", "rising"],
        ),
        (
            listed(json!((1..=21).collect::<Vec<_>>())),
            &["`steps` is [1, 2", "expected 1 to 20 rising"],
        ),
        (
            listed(json!([0, 100])),
            &["`steps[0]`: 0 is out of range", "1 to 100", FIX],
        ),
        (
            listed(json!([50, 101])),
            &["`steps[1]`: 101 is out of range", "1 to 100", FIX],
        ),
    ]);
}

#[test]
fn swap_target_groups_refuses_wrong_times_and_counts_at_once() {
    refused(&[
        (
            Set("step_minutes", json!(-1)),
            &["`step_minutes` (found -1)", FIX],
        ),
        (
            Set("step_minutes", json!(400)),
            &[
                "would bake for 1605 minutes",
                "`step_minutes`",
                "expected at most 1380",
                "24 hours",
            ],
        ),
        (
            Set("bake_minutes", json!(1381)),
            &[
                "would bake for 1389 minutes",
                "`bake_minutes`",
                "expected at most 1380",
                "24 hours",
            ],
        ),
        (
            Set("bake_minutes", json!(2.5)),
            &["`bake_minutes` (found 2.5)", FIX],
        ),
        (
            Set("minimum_healthy_percent", json!(0)),
            &["`minimum_healthy_percent` (found 0)", "1 to 100", FIX],
        ),
        (
            Set("minimum_healthy_percent", json!(101)),
            &["`minimum_healthy_percent` (found 101)", "1 to 100", FIX],
        ),
        (
            Set("task_definition", json!("shop-green:2")),
            &["`task_definition` is `shop-green:2`", "expected the ARN"],
        ),
    ]);
}

/// Not the configuration but what the colour runs is wrong.
#[test]
fn swap_target_groups_refuses_another_revision_at_once() {
    let other = "arn:aws:ecs:eu-west-1:111122223333:task-definition/shop-green:9";
    let cases: [(Wrong, &[&str]); 1] = [(
        Set("task_definition", json!(other)),
        &[
            "green is not ready for traffic as shop-green:9",
            "no traffic was moved",
        ],
    )];
    check(
        PAIR,
        "swap-target-groups",
        "swap-target-groups",
        "JobFailed",
        &cases,
    );
}
