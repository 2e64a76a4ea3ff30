//! Parameters that update-service refuses with a pair.

use serde_json::json;

use crate::Wrong::{Change, Missing, Set};
use crate::{Bench, Wrong};
use behaviour::pair::{self, SHORT};

use super::{PAIR, check};

#[test]
fn update_service_of_a_pair_refuses_at_once() {
    let fix = "correct UserParameters of this action";
    let given = "with strategy `blue-green`";
    let fill: [(Wrong, &[&str]); 9] = [
        (
            Missing("mode"),
            &["`mode` is missing", "expected `fill`, `size` or `retire`"],
        ),
        (
            Set("mode", json!("filll")),
            &["`mode`", "`filll`", "`fill`, `size`, `retire`", fix],
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
            &["`drain_minutes` (found -1)", fix],
        ),
        (
            Set("desired_count", json!(3)),
            &["`desired_count` is given", given, "remove it"],
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
    ];
    check(PAIR, "fill", "update-service", "ConfigurationError", &fill);

    let retire: [(Wrong, &[&str]); 2] = [
        (
            Set("drain_minutes", json!(1381)),
            &["`drain_minutes` is 1381", "expected 0 to 1380"],
        ),
        (
            Set("drain_minutes", json!("5")),
            &["`drain_minutes` (found \"5\")", fix],
        ),
    ];
    let short = Bench {
        prepare: |aws| pair::configure(aws, &SHORT),
        ..PAIR
    };
    check(
        short,
        "retire",
        "update-service",
        "ConfigurationError",
        &retire,
    );
}
