use super::*;

fn young(more: Around) -> Option<f64> {
    counted(
        None,
        &Around {
            requests: 1_000.0,
            age_secs: 130,
            ..more
        },
    )
}

fn old(more: Around) -> Option<f64> {
    counted(
        None,
        &Around {
            requests: 1_000.0,
            age_secs: 260,
            ..more
        },
    )
}

/// Nothing but the usual rate, and the rate of the other side.
fn usually(usual: f64, other: f64) -> Around {
    Around {
        usual,
        other,
        ..Around::default()
    }
}

/// Nothing but the rates of the minutes before and after.
fn amid(before: f64, after: f64) -> Around {
    Around {
        neighbours: [before, after],
        ..Around::default()
    }
}

#[test]
fn a_zero_that_is_no_surprise_is_one_at_once() {
    assert_eq!(young(usually(0.001, 0.0)), Some(0.0));
    assert_eq!(counted(Some(4.0), &Around::default()), Some(4.0));
}

#[test]
fn a_surprising_zero_is_waited_for_and_then_counts() {
    for surprise in [usually(0.01, 0.0), usually(0.0, 0.05), amid(0.005, 0.0)] {
        assert_eq!(young(surprise), None, "{surprise:?}");
    }

    assert_eq!(old(usually(0.01, 0.05)), Some(0.0));
}

#[test]
fn several_holes_beside_the_usual_errors_stay_unknown() {
    assert_eq!(old(usually(0.01, 0.008)), None);
    assert_eq!(
        old(usually(0.01, 0.0)),
        Some(0.0),
        "errors have ended on both sides"
    );
    assert_eq!(old(usually(0.001, 0.001)), Some(0.0));
}

#[test]
fn a_hole_between_overdispersed_errors_is_zero() {
    let between = Around {
        neighbours: [0.02, 0.02],
        ..usually(0.01, 0.01)
    };
    let overdispersed = Around {
        dispersion: 8.0,
        ..between
    };

    assert_eq!(old(overdispersed), Some(0.0));
    assert_eq!(old(between), None);
}

#[test]
fn a_hole_amid_errors_stays_unknown() {
    let usual = Around {
        usual: 0.02,
        ..amid(0.001, 0.0)
    };

    assert_eq!(old(amid(0.0, 0.02)), None);
    assert_eq!(old(usual), None);
    assert_eq!(old(amid(0.001, 0.001)), Some(0.0));
}

#[test]
fn a_zero_surprises_from_three_expected_events_on() {
    let many_at_once = Around {
        dispersion: 100.0,
        ..usually(0.003, 0.0)
    };
    let cases = [
        (usually(0.003, 0.0), None, "three events were expected"),
        (usually(0.002_999, 0.0), Some(0.0), "fewer than three were"),
        (usually(0.0, 0.003), None, "as many as the other side has"),
        (amid(0.003, 0.0), None, "as many as the minute before has"),
        (amid(0.0, 0.003), None, "as many as the minute after has"),
        (many_at_once, None, "the dispersion does not matter here"),
    ];

    for (around, expected, why) in cases {
        assert_eq!(young(around), expected, "{why}");
    }
}

#[test]
fn a_hole_stays_unknown_from_seven_expected_events_on() {
    let groups = |dispersion| Around {
        dispersion,
        ..amid(0.014, 0.0)
    };
    let cases = [
        (amid(0.007, 0.0), None, "seven were expected amid errors"),
        (amid(0.006_999, 0.0), Some(0.0), "fewer than seven were"),
        (usually(0.007, 0.001), None, "seven are usual"),
        (usually(0.006_999, 0.001), Some(0.0), "fewer are usual"),
        (usually(0.02, 0.0), Some(0.0), "errors ended on both sides"),
        (groups(2.0), None, "seven groups of events"),
        (groups(2.01), Some(0.0), "fewer than seven groups of events"),
    ];

    for (around, expected, why) in cases {
        assert_eq!(old(around), expected, "{why}");
    }
}

#[test]
fn up_to_three_times_the_usual_rate_is_usual() {
    assert_eq!(old(usually(0.01, 0.03)), None);
    assert_eq!(old(usually(0.01, 0.030_1)), Some(0.0));
}

#[test]
fn a_surprising_zero_counts_from_four_minutes_on() {
    let surprising = |age_secs| {
        counted(
            None,
            &Around {
                requests: 1_000.0,
                age_secs,
                other: 0.05,
                ..Around::default()
            },
        )
    };

    assert_eq!(
        [surprising(0), surprising(239), surprising(240)],
        [None, None, Some(0.0)]
    );
}

#[test]
fn a_point_that_is_there_counts_whatever_is_around_it() {
    let around = Around {
        requests: 1_000.0,
        age_secs: 130,
        usual: 0.5,
        other: 0.5,
        ..Around::default()
    };
    assert_eq!(
        [counted(Some(0.0), &around), counted(Some(1e9), &around)],
        [Some(0.0), Some(1e9)]
    );
}
