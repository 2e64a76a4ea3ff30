//! Parameters that the step refuses at its first look, with the traffic as it was.

use emulator::ecr::Answers;
use harness::driver::{Fault, run};
use serde_json::{Value, json};

use behaviour::shop::{release, shop};
use behaviour::{action, failure, jobs, outcome, pair, update_pipeline};

/// The failure of the first judgement when its parameters are changed so.
fn refusal(change: &Value) -> (String, String) {
    let mut aws = shop();
    let changed = update_pipeline(&mut aws, pair::PIPELINE, |pipeline| {
        let text = &mut action(pipeline, "judge")["configuration"]["UserParameters"];
        let mut parameters: Value =
            serde_json::from_str(text.as_str().expect("a text")).expect("JSON");
        for (name, value) in change.as_object().expect("an object") {
            match value {
                Value::Null => drop(parameters.as_object_mut().expect("an object").remove(name)),
                value => parameters[name] = value.clone(),
            }
        }
        *text = json!(parameters.to_string());
    });
    changed.expect("a pipeline all the same");

    run(aws, Fault::None, async |driver| {
        let execution = release(&driver, "2.0.0", Answers::GOOD).await;
        let aws = driver.world.snapshot();
        assert_eq!(
            (outcome(&driver, &execution).as_str(), pair::weights(&aws)),
            ("rolled-back", [0, 100]),
            "{change}"
        );

        let jobs = jobs(&aws, &execution, "judge");
        assert_eq!(jobs.len(), 1, "{change}: refused at once");

        let (kind, message) = failure(jobs[0]).expect("a failure");
        (kind.to_owned(), message.to_owned())
    })
}

/// Checks that each change is refused as a wrong configuration, with these fragments.
fn refused(cases: &[(Value, &[&str])]) {
    for (change, fragments) in cases {
        let (kind, message) = refusal(change);
        assert_eq!(kind, "ConfigurationError", "{change}: {message}");

        let missing: Vec<_> = fragments
            .iter()
            .filter(|fragment| !message.contains(**fragment))
            .collect();
        assert!(
            missing.is_empty(),
            "{change}: not in the message {missing:?}: {message}"
        );
    }
}

#[test]
fn evaluate_canary_refuses_wrong_times_at_once() {
    refused(&[
        (
            json!({"bake_minutes": 0, "min_minutes": null}),
            &["`bake_minutes` is 0", "expected 1 or more"],
        ),
        (
            json!({"min_minutes": 31}),
            &["`min_minutes` is 31 and `bake_minutes` is 30"],
        ),
        (
            json!({"bake_minutes": 1_300}),
            &[
                "are 1420 minutes in all",
                "expected at most 1380",
                "24 hours",
            ],
        ),
        (
            json!({"bake_minutes": 15}),
            &[
                "`min_minutes` is 5",
                "`warm_up_minutes` is 3",
                "expected a bake of at least 16",
            ],
        ),
        (
            json!({"warm_up_minutes": -1}),
            &["`warm_up_minutes` (found -1)"],
        ),
    ]);
}

#[test]
fn evaluate_canary_refuses_wrong_alarms_at_once() {
    refused(&[
        (
            json!({"alarms": [""]}),
            &["`alarms` has 1 names", "none of them empty"],
        ),
        (
            json!({"alarms": ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]}),
            &["`alarms` has 11 names", "up to 10"],
        ),
        (
            json!({"alarms": ["no-such-alarm"]}),
            &["`alarms` names `no-such-alarm`", "does not exist"],
        ),
    ]);
}

#[test]
fn evaluate_canary_refuses_wrong_decisions_at_once() {
    refused(&[
        (
            json!({"inconclusive": "wait"}),
            &[
                "`inconclusive` (found \"wait\")",
                "`hold`, `roll-back`, `promote`",
            ],
        ),
        (
            json!({"inconclusive": "promote"}),
            &[
                "`hold_minutes` is given",
                "expected with `inconclusive` `hold` only",
            ],
        ),
        (
            json!({"decision": "promote"}),
            &["no judgement of this release is waiting for one"],
        ),
    ]);
}

#[test]
fn evaluate_canary_refuses_other_wrong_parameters_at_once() {
    refused(&[
        (json!({"colour": "blue"}), &["unknown field `colour`"]),
        (
            json!({"minimum_healthy_percent": 0}),
            &["`minimum_healthy_percent` (found 0)", "1 to 100"],
        ),
        (
            json!({"task_definition": "shop-green:2"}),
            &["`task_definition` is `shop-green:2`", "expected the ARN"],
        ),
        (
            json!({"config": "Config::canary.json"}),
            &["artifact `Config` is not an input of this action"],
        ),
    ]);
}
