//! Parameters that begin-release refuses.

use serde_json::json;
use slipway::strategy::StrategyName;

use crate::Wrong;
use crate::Wrong::{Missing, Set, SetAll, Text};

use super::check;

const FIX: &str = "correct UserParameters of this action";

/// Checks that the step refuses each of the parameters.
fn refused(cases: &[(Wrong, &[&str])]) {
    check("begin-release", false, cases);
}

#[test]
fn unknown_names_are_refused_at_once() {
    let words = StrategyName::ALL.map(|name| format!("`{}`", name.rules().word));
    let words = words.join(", ");
    refused(&[
        (
            Set("strategy", json!("roling")),
            &["`strategy`", "`roling`", words.as_str(), FIX],
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
            Set("image", json!("Config::imageDetail.json")),
            &["`Config` is not an input", "expected one of: Image"],
        ),
        (
            Set("image", json!("web:1:2")),
            &["`image`: the tag of image `web:1:2` is `1:2`"],
        ),
    ]);
}

#[test]
fn wrong_percentages_and_counts_are_refused_at_once() {
    refused(&[
        (
            Set("minimum_healthy_percent", json!(140)),
            &["`minimum_healthy_percent` (found 140)", "0 to 100", FIX],
        ),
        (
            Set("minimum_healthy_percent", json!(-1)),
            &["(found -1)", "0 to 100", FIX],
        ),
        (
            Set("minimum_healthy_percent", json!(49.5)),
            &["`minimum_healthy_percent` (found 49.5)", FIX],
        ),
        (
            Set("minimum_healthy_percent", json!("50")),
            &["`minimum_healthy_percent` (found \"50\")", FIX],
        ),
        (
            Set("maximum_percent", json!(99)),
            &["`maximum_percent` (found 99)", "100 to 200", FIX],
        ),
        (
            Set("initial_count", json!(0)),
            &["`initial_count` is 0", "expected 1 or more"],
        ),
        (
            Set("scales", json!(false)),
            &["`scales` is given", "strategy `blue-green` only"],
        ),
        (
            Set("minimum_healthy_tasks", json!(3)),
            &["`minimum_healthy_tasks` is 3", "2 tasks", "expected 0 to 2"],
        ),
    ]);
}

#[test]
fn limits_that_contradict_each_other_are_refused_at_once() {
    refused(&[
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
            Set("maximum_percent", json!(100)),
            &[
                "could never finish",
                "floor(2 × 100 %)",
                "raise `maximum_percent`",
            ],
        ),
        // By the count that the service will have.
        (
            SetAll(&[("desired_count", 1), ("maximum_percent", 150)]),
            &[
                "could never finish",
                "floor(1 × 150 %)",
                "raise `maximum_percent`",
            ],
        ),
    ]);
}

#[test]
fn parameters_that_cannot_be_read_are_refused_at_once() {
    refused(&[
        (
            Set("colour", json!("blue")),
            &["`colour`", "expected one of `pipeline`", FIX],
        ),
        (
            Set("containers", json!("web")),
            &["`containers` (found \"web\")", FIX],
        ),
        (Missing("service"), &["missing field `service`", FIX]),
        (Missing("strategy"), &["missing field `strategy`", FIX]),
        (
            Text("service=web"),
            &["not JSON", "expected a JSON object", FIX],
        ),
        (Text("[]"), &["an array", "expected a JSON object", FIX]),
    ]);
}
