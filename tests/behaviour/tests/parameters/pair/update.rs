//! Parameters that update-service refuses with a pair.

use serde_json::json;

use crate::Wrong::{Change, Missing, Set};
use crate::{Bench, Wrong};
use behaviour::pair::{self, SHORT};

use super::{PAIR, check};

const FIX: &str = "correct UserParameters of this action";

/// Checks that the action `fill` refuses each of the parameters.
fn fill_refused(cases: &[(Wrong, &[&str])]) {
    check(PAIR, "fill", "update-service", "ConfigurationError", cases);
}

#[test]
fn a_wrong_fill_is_refused_at_once() {
    fill_refused(&[
        (
            Missing("mode"),
            &["`mode` is missing", "expected `fill`, `size` or `retire`"],
        ),
        (
            Set("mode", json!("filll")),
            &["`mode`", "`filll`", "`fill`, `size`, `retire`", FIX],
        ),
        (
            Set("drain_minutes", json!(5)),
            &[
                "`drain_minutes` is given",
                "expected with mode `retire` only",
                "remove it",
            ],
        ),
        (
            Set("drain_minutes", json!(-1)),
            &["`drain_minutes` (found -1)", FIX],
        ),
        (
            Set("alarms", json!(["errors"])),
            &["`alarms` is given", "mode `retire` only", "remove it"],
        ),
        (
            Set("desired_count", json!(3)),
            &[
                "`desired_count` is given",
                "with strategy `blue-green`",
                "remove it",
            ],
        ),
        (
            Set("initial_count", json!(0)),
            &["`initial_count` is 0", "expected 1 or more"],
        ),
        (
            Set("deadline_minutes", json!(0)),
            &["`deadline_minutes` is 0", "expected 1 to"],
        ),
    ]);
}

#[test]
fn a_fill_with_a_strategy_in_place_is_refused_at_once() {
    fill_refused(&[
        (
            Set("strategy", json!("rolling")),
            &[
                "`mode` is given",
                "expected with strategy `blue-green` only",
                "remove it",
            ],
        ),
        (
            Change(json!({"strategy": "rolling", "mode": null})),
            &[
                "`strategy` is `rolling`",
                "a blue/green pair",
                "expected `blue-green`",
                "same strategy",
            ],
        ),
    ]);
}

#[test]
fn a_wrong_drain_is_refused_when_the_old_colour_is_retired() {
    let short = Bench {
        prepare: |aws| pair::configure(aws, &SHORT),
        ..PAIR
    };
    check(
        short,
        "retire",
        "update-service",
        "ConfigurationError",
        &[
            (
                Set("drain_minutes", json!(1381)),
                &["`drain_minutes` is 1381", "expected 0 to 1380"],
            ),
            (
                Set("drain_minutes", json!("5")),
                &["`drain_minutes` (found \"5\")", FIX],
            ),
            (
                Set("alarms", json!([""])),
                &["`alarms` has 1 names", "none of them empty"],
            ),
        ],
    );
}
