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

#[test]
fn a_zero_that_is_no_surprise_is_one_at_once() {
    assert_eq!(
        young(Around {
            usual: 0.001,
            ..Around::default()
        }),
        Some(0.0)
    );
    assert_eq!(counted(Some(4.0), &Around::default()), Some(4.0));
}

#[test]
fn a_surprising_zero_is_waited_for_and_then_believed() {
    for surprise in [
        Around {
            usual: 0.01,
            ..Around::default()
        },
        Around {
            other: 0.05,
            ..Around::default()
        },
        Around {
            neighbours: [0.005, 0.0],
            ..Around::default()
        },
    ] {
        assert_eq!(young(surprise), None, "{surprise:?}");
    }
    assert_eq!(
        old(Around {
            usual: 0.01,
            other: 0.05,
            ..Around::default()
        }),
        Some(0.0)
    );
}

#[test]
fn several_holes_beside_the_usual_errors_stay_unknown() {
    assert_eq!(
        old(Around {
            usual: 0.01,
            other: 0.008,
            ..Around::default()
        }),
        None
    );
    assert_eq!(
        old(Around {
            usual: 0.01,
            ..Around::default()
        }),
        Some(0.0),
        "errors have ended on both sides"
    );
    assert_eq!(
        old(Around {
            usual: 0.001,
            other: 0.001,
            ..Around::default()
        }),
        Some(0.0)
    );
}

#[test]
fn a_hole_between_overdispersed_errors_is_zero() {
    let between = Around {
        neighbours: [0.02, 0.02],
        usual: 0.01,
        other: 0.01,
        ..Around::default()
    };
    assert_eq!(
        old(Around {
            dispersion: 8.0,
            ..between
        }),
        Some(0.0)
    );
    assert_eq!(old(between), None);
}

#[test]
fn a_hole_amid_errors_stays_unknown() {
    assert_eq!(
        old(Around {
            neighbours: [0.0, 0.02],
            ..Around::default()
        }),
        None
    );
    assert_eq!(
        old(Around {
            neighbours: [0.001, 0.0],
            usual: 0.02,
            ..Around::default()
        }),
        None
    );
    assert_eq!(
        old(Around {
            neighbours: [0.001, 0.001],
            ..Around::default()
        }),
        Some(0.0)
    );
}

/// One case a row: what is known, and what a counter without a point is then.
#[test]
fn each_limit_is_where_it_is_said_to_be() {
    let zero = Some(0.0);
    let cases = [
        (
            young(Around {
                usual: 0.003,
                ..Around::default()
            }),
            None,
            "three events were expected",
        ),
        (
            young(Around {
                usual: 0.002_999,
                ..Around::default()
            }),
            zero,
            "fewer than three were",
        ),
        (
            young(Around {
                other: 0.003,
                ..Around::default()
            }),
            None,
            "as many as the other side has",
        ),
        (
            young(Around {
                neighbours: [0.003, 0.0],
                ..Around::default()
            }),
            None,
            "as many as the minute before has",
        ),
        (
            young(Around {
                neighbours: [0.0, 0.003],
                ..Around::default()
            }),
            None,
            "as many as the minute after has",
        ),
        (
            young(Around {
                usual: 0.003,
                dispersion: 100.0,
                ..Around::default()
            }),
            None,
            "waiting does not depend on how many come at once",
        ),
        (
            old(Around {
                neighbours: [0.007, 0.0],
                ..Around::default()
            }),
            None,
            "seven were expected amid errors",
        ),
        (
            old(Around {
                neighbours: [0.006_999, 0.0],
                ..Around::default()
            }),
            zero,
            "fewer than seven were",
        ),
        (
            old(Around {
                usual: 0.02,
                ..Around::default()
            }),
            zero,
            "errors have ended on both sides",
        ),
        (
            old(Around {
                usual: 0.01,
                other: 0.03,
                ..Around::default()
            }),
            None,
            "three times as many as ever",
        ),
        (
            old(Around {
                usual: 0.01,
                other: 0.030_1,
                ..Around::default()
            }),
            zero,
            "more than as ever",
        ),
        (
            old(Around {
                usual: 0.007,
                other: 0.001,
                ..Around::default()
            }),
            None,
            "seven were expected as ever",
        ),
        (
            old(Around {
                usual: 0.006_999,
                other: 0.001,
                ..Around::default()
            }),
            zero,
            "fewer than seven as ever",
        ),
        (
            old(Around {
                neighbours: [0.014, 0.0],
                dispersion: 2.0,
                ..Around::default()
            }),
            None,
            "seven groups of events",
        ),
        (
            old(Around {
                neighbours: [0.014, 0.0],
                dispersion: 2.01,
                ..Around::default()
            }),
            zero,
            "fewer than seven groups of events",
        ),
    ];
    for (found, expected, why) in cases {
        assert_eq!(found, expected, "{why}");
    }
}

#[test]
fn a_surprising_zero_is_believed_from_four_minutes_on() {
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
fn a_point_that_is_there_is_believed_whatever_is_around_it() {
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
