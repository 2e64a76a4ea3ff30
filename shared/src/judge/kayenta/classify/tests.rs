use super::*;

const STEADY: [f64; 6] = [10.0, 11.0, 12.0, 13.0, 14.0, 15.0];

/// The steady values, each of them so much larger.
fn shifted(by: f64) -> Vec<f64> {
    STEADY.iter().map(|value| value + by).collect()
}

fn label(canary: &[f64], analysis: &Analysis) -> (Label, bool) {
    let found = classify(canary, &STEADY, analysis, RankTest::KAYENTA);
    (found.label, found.critical)
}

#[test]
fn only_the_direction_of_harm_fails() {
    let in_direction = |direction, by| {
        label(
            &shifted(by),
            &Analysis {
                direction,
                ..Analysis::default()
            },
        )
        .0
    };
    let found = [Direction::Increase, Direction::Decrease, Direction::Either]
        .map(|direction| (in_direction(direction, 20.0), in_direction(direction, -9.0)));

    assert_eq!(
        found,
        [
            (Label::High, Label::Pass),
            (Label::Pass, Label::Low),
            (Label::High, Label::Low)
        ]
    );
}

#[test]
fn a_difference_fails_from_the_allowed_effect_on() {
    // The means are 12.5 and 25: twice as much, or half of it.
    let double = shifted(12.5);
    let half = shifted(-6.25);
    let allowed = |canary: &[f64], low, high| {
        label(
            canary,
            &Analysis {
                allowed: (low, high),
                ..Analysis::default()
            },
        )
        .0
    };

    assert_eq!(
        [allowed(&double, 1.0, 2.0), allowed(&double, 1.0, 2.01)],
        [Label::High, Label::Pass]
    );
    assert_eq!(
        [allowed(&half, 0.5, 1.0), allowed(&half, 0.49, 1.0)],
        [Label::Low, Label::Pass]
    );
}

#[test]
fn only_a_critical_metric_fails_critically_and_from_the_critical_effect_on() {
    let judged = |critical, effect| {
        let analysis = Analysis {
            critical,
            critical_effect: (0.5, effect),
            ..Analysis::default()
        };
        label(&shifted(12.5), &analysis)
    };

    assert_eq!(judged(true, 2.0), (Label::High, true));
    assert_eq!(judged(true, 2.01), (Label::High, false));
    assert_eq!(judged(false, 2.0), (Label::High, false));

    let low = |effect| {
        label(
            &shifted(-6.25),
            &Analysis {
                critical: true,
                critical_effect: (effect, 1.0),
                ..Analysis::default()
            },
        )
    };

    assert_eq!(
        [low(0.5), low(0.49)],
        [(Label::Low, true), (Label::Low, false)]
    );
}

#[test]
fn a_shift_within_the_tolerance_of_its_estimate_is_no_finding() {
    let with = |tolerance| {
        classify(
            &shifted(5.0),
            &STEADY,
            &Analysis::default(),
            RankTest {
                tolerance,
                confidence: 0.98,
            },
        )
    };
    let strict = with(0.0);

    assert_eq!(strict.label, Label::High, "{}", strict.reason);
    assert_eq!(with(0.25).label, Label::Pass, "{}", strict.reason);

    let mirrored = |tolerance| {
        classify(
            &STEADY,
            &shifted(5.0),
            &Analysis::default(),
            RankTest {
                tolerance,
                confidence: 0.98,
            },
        )
        .label
    };

    assert_eq!([mirrored(0.0), mirrored(0.25)], [Label::Low, Label::Pass]);
}

#[test]
fn effect_is_measured_as_configured() {
    let cles = EffectMeasure::CommonLanguage;
    let with = |measure, high| {
        label(
            &shifted(20.0),
            &Analysis {
                measure,
                allowed: (0.0, high),
                ..Analysis::default()
            },
        )
        .0
    };

    assert_eq!(
        [with(cles, 1.0), with(cles, 1.01)],
        [Label::High, Label::Pass],
        "every value exceeds"
    );
    assert_eq!(
        with(EffectMeasure::MeanRatio, 2.6),
        Label::High,
        "32.5 is 2.6 times 12.5"
    );
    assert_eq!(
        [cles.neutral(), EffectMeasure::MeanRatio.neutral()],
        [0.5, 1.0]
    );
}

#[test]
fn no_values_are_no_data_or_zeros_as_configured() {
    let found = |analysis: &Analysis| {
        let found = classify(&[], &STEADY, analysis, RankTest::KAYENTA);
        (found.label, found.critical, found.ratio, found.reason)
    };
    let nothing = || "a side has no values".to_owned();
    let default = Analysis::default();

    assert_eq!(found(&default), (Label::Nodata, false, None, nothing()));

    let required = Analysis {
        must_have_data: true,
        ..default.clone()
    };
    assert_eq!(
        found(&required),
        (Label::NodataFail, false, None, nothing())
    );

    let critical = Analysis {
        critical: true,
        ..required
    };
    assert_eq!(found(&critical), (Label::Nodata, true, None, nothing()));

    let zeros = Analysis {
        nan_strategy: NanStrategy::Replace,
        ..default
    };
    let reason = "a side has no values, which stand for zeros".to_owned();

    assert_eq!(found(&zeros), (Label::Pass, false, Some(1.0), reason));
}

#[test]
fn the_same_values_in_another_order_pass() {
    let mut turned = STEADY;
    turned.reverse();
    let found = classify(&turned, &STEADY, &Analysis::default(), RankTest::KAYENTA);

    assert_eq!(
        (found.label, found.reason.as_str()),
        (Label::Pass, "both sides have the same values")
    );
}

#[test]
fn values_that_cannot_be_compared_are_an_error() {
    let found = classify(
        &[f64::MAX; 5],
        &[-f64::MAX; 5],
        &Analysis::default(),
        RankTest::KAYENTA,
    );
    assert_eq!(
        (found.label, found.reason.as_str()),
        (Label::Error, "the values are too large to be compared")
    );

    let words = [
        Label::Pass,
        Label::High,
        Label::Low,
        Label::Nodata,
        Label::NodataFail,
        Label::Error,
    ]
    .map(Label::as_str);

    assert_eq!(
        words,
        ["Pass", "High", "Low", "Nodata", "NodataFailMetric", "Error"]
    );
}

#[test]
fn a_mean_of_zero_has_no_ratio_and_is_no_obstacle() {
    assert_eq!(
        [
            mean_ratio(&[1.0], &[0.0]),
            mean_ratio(&[0.0], &[1.0]),
            mean_ratio(&[3.0], &[2.0])
        ],
        [None, None, Some(1.5)]
    );

    let found = classify(
        &[5.0; 6],
        &[0.0; 6],
        &Analysis {
            allowed: (0.0, 1e9),
            ..Analysis::default()
        },
        RankTest::KAYENTA,
    );
    assert_eq!((found.label, found.ratio), (Label::High, None));
}
