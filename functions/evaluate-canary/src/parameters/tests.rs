use serde_json::{Value, json};
use slipway::job::{FailureType, parse_parameters};
use slipway::strategy::canary::Settings;

use super::*;

const REVISION: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:2";

fn parameters(more: Value) -> Parameters {
    let mut parameters = json!({
        "pipeline": "slipway-web", "execution": "e-1", "cluster": "shop", "service": "web",
        "task_definition": REVISION,
    });
    for (name, value) in more.as_object().unwrap() {
        parameters[name] = value.clone();
    }

    parse_parameters(Some(&parameters.to_string())).unwrap().1
}

fn refused(more: Value) -> String {
    let failure = parameters(more).validate().unwrap_err();
    assert_eq!(failure.kind, FailureType::ConfigurationError);
    failure.message
}

/// The settings of a file merged with parameters: the end of the bake and the minimum of
/// minutes.
fn merged(more: Value, end: u32, min_minutes: u32) -> Result<(u32, u32), String> {
    let mut settings = Settings::default();
    settings.judge.end = end;
    settings.judge.min_minutes = min_minutes;

    let settings = parameters(more)
        .settings(settings)
        .map_err(|failure| failure.message)?;
    Ok((settings.judge.end, settings.judge.min_minutes))
}

#[test]
fn optional_parameters_have_defaults() {
    let parameters = parameters(json!({}));
    assert!(parameters.validate().is_ok());
    assert_eq!(
        (
            parameters.inconclusive(),
            parameters.hold(),
            parameters.last_percent()
        ),
        (Inconclusive::Hold, Duration::from_secs(7_200), None)
    );
    assert_eq!(parameters.minimum_healthy_percent(), 75);
}

#[test]
fn every_parameter_that_is_given_is_used() {
    let parameters = parameters(json!({
        "inconclusive": "hold", "hold_minutes": 45, "warm_up_minutes": 7,
        "minimum_healthy_percent": 60, "last_percent": 25,
    }));
    assert_eq!(
        (
            parameters.hold(),
            parameters.last_percent(),
            parameters.minimum_healthy_percent()
        ),
        (Duration::from_secs(2_700), Some(Some(25)), 60)
    );
    let settings = parameters.settings(Settings::default()).unwrap();
    assert_eq!(settings.judge.warm_up, 7);
    let chosen = self::parameters(json!({ "last_percent": 0 }));
    assert_eq!(chosen.last_percent(), Some(None), "by the traffic");

    let word = |word: &str| self::parameters(json!({ "inconclusive": word })).inconclusive();
    assert_eq!(
        [word("hold"), word("roll-back"), word("promote")],
        [
            Inconclusive::Hold,
            Inconclusive::RollBack,
            Inconclusive::Promote
        ]
    );
}

#[test]
fn parameters_that_contradict_each_other_are_refused() {
    let cases = [
        (
            json!({"task_definition": "web:2"}),
            "`task_definition` is `web:2`",
        ),
        (
            json!({"bake_minutes": 0}),
            "`bake_minutes` is 0; expected 1 or more",
        ),
        (
            json!({"bake_minutes": 5, "min_minutes": 6}),
            "`min_minutes` is 6 and `bake_minutes` is 5; expected `min_minutes` to be at most",
        ),
        (
            json!({"inconclusive": "promote", "hold_minutes": 5}),
            "`hold_minutes` is given; expected with `inconclusive` `hold` only",
        ),
        (
            json!({"inconclusive": "roll-back", "hold_minutes": 5}),
            "`hold_minutes` is given; expected with `inconclusive` `hold` only",
        ),
        (
            json!({"alarms": ["a", " "]}),
            "`alarms` has 2 names; expected up to 10, none of them empty",
        ),
        (
            json!({"alarms": vec!["a"; 11]}),
            "`alarms` has 11 names; expected up to 10",
        ),
    ];

    for (more, expected) in cases {
        let message = refused(more);
        assert!(message.starts_with(expected), "{message}");
    }

    for more in [
        json!({"bake_minutes": 1, "min_minutes": 1}),
        json!({"min_minutes": 90}),
        json!({"hold_minutes": 5}),
        json!({"alarms": vec!["a"; 10]}),
        json!({"alarms": []}),
    ] {
        assert!(parameters(more.clone()).validate().is_ok(), "{more}");
    }
}

#[test]
fn parameters_override_the_settings_of_a_file() {
    assert_eq!(merged(json!({}), 45, 10), Ok((45, 10)));
    assert_eq!(merged(json!({"bake_minutes": 20}), 45, 10), Ok((20, 10)));
    assert_eq!(merged(json!({"min_minutes": 12}), 45, 10), Ok((45, 12)));
    assert_eq!(
        merged(json!({"bake_minutes": 4}), 45, 10),
        Ok((4, 4)),
        "a short bake needs no minimum beyond it"
    );

    let beyond = merged(json!({"min_minutes": 46}), 45, 10).unwrap_err();
    assert!(
        beyond.starts_with(
            "`min_minutes` is 46 and the bake ends after 45; expected `min_minutes` to be at \
             most the bake"
        ),
        "{beyond}"
    );
    assert_eq!(merged(json!({"min_minutes": 45}), 45, 10), Ok((45, 45)));
}

#[test]
fn a_bake_in_which_no_share_can_be_decided_is_refused() {
    let of = |more: Value| merged(more, 60, 5);
    let refused = of(json!({"last_percent": 25, "bake_minutes": 15})).unwrap_err();
    assert_eq!(
        refused,
        "`min_minutes` is 5, `warm_up_minutes` is 3, and the bake (`bake_minutes`) ends after \
         15; expected a bake of at least 16 with `last_percent`: `min_minutes` before the \
         raise and after it, the warm-up of judged latency, and 3 minutes for the raise"
    );
    let chosen = of(json!({"last_percent": 0, "bake_minutes": 15}));
    assert_eq!(chosen, Err(refused), "by the traffic");

    let enough = json!({"last_percent": 25, "bake_minutes": 16});
    assert_eq!(of(enough), Ok((16, 5)));
    let without_warm_up = json!({"last_percent": 25, "bake_minutes": 13, "warm_up_minutes": 0});
    assert_eq!(of(without_warm_up), Ok((13, 5)));
    assert_eq!(of(json!({"bake_minutes": 15})), Ok((15, 5)), "no raise");
    let whole = json!({"last_percent": 25, "bake_minutes": 30, "min_minutes": 30});
    assert_eq!(of(whole), Ok((30, 30)), "nothing is to be promoted");
    let only_harm = json!({"last_percent": 25, "bake_minutes": 10, "inconclusive": "promote"});
    assert_eq!(of(only_harm), Ok((10, 5)), "promoted at its end");
}

#[test]
fn bake_and_hold_fit_into_an_action_together() {
    let of = |more: Value| merged(more, 30, 5);
    assert_eq!(
        of(json!({"bake_minutes": 1_260, "hold_minutes": 120})),
        Ok((1_260, 5))
    );

    let refused = |minutes: u32| {
        Err(format!(
            "`bake_minutes` and `hold_minutes` are {minutes} minutes in all; expected at most \
             1380, since an action ends after 24 hours"
        ))
    };

    assert_eq!(
        of(json!({"bake_minutes": 1_261, "hold_minutes": 120})),
        refused(1_381)
    );
    assert_eq!(
        of(json!({"bake_minutes": 1_261})),
        refused(1_381),
        "the hold of 120 minutes is a default"
    );
    assert_eq!(
        of(json!({"bake_minutes": 1_380, "inconclusive": "promote"})),
        Ok((1_380, 5)),
        "without a hold"
    );
    assert_eq!(
        of(json!({"bake_minutes": 1_381, "inconclusive": "promote"})),
        refused(1_381)
    );
}
