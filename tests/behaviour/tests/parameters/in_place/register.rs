//! Parameters that register-task-definition refuses.

use serde_json::json;

use crate::Wrong;
use crate::Wrong::{Missing, Set, Text};

use super::check;

const FIX: &str = "correct UserParameters of this action";

/// Checks that the step refuses each of the parameters.
fn refused(cases: &[(Wrong, &[&str])]) {
    check("register-task-definition", false, cases);
}

#[test]
fn wrong_images_are_refused_at_once() {
    refused(&[
        (
            Set("image", json!("web:1")),
            &["`image`", "expected one of", "`images`", FIX],
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
            &["`images.web` (found 7)", FIX],
        ),
        (
            Set("images", json!("web:1")),
            &["`images` (found \"web:1\")", FIX],
        ),
    ]);
}

#[test]
fn wrong_files_and_names_are_refused_at_once() {
    refused(&[
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
            &["family `wbe` has no revision", "expected an ACTIVE one"],
        ),
        (
            Set("service", json!("wbe")),
            &["holds no release of service wbe", "begin-release", "same"],
        ),
        (Missing("cluster"), &["missing field `cluster`", FIX]),
        (Text("{"), &["not JSON", "expected a JSON object", FIX]),
    ]);
}
