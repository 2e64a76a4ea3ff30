use super::*;
use crate::judge::canary::hour_before::HourBefore;
use crate::metrics::source::tests::key;
use crate::strategy::canary::arrival::observe_arrivals;

const FIRST: i64 = 29_460_060;

fn data(points: &[(&str, f64)]) -> Data {
    let points = points.iter();
    points
        .map(|(id, value)| (key(id), [(FIRST, *value)].into()))
        .collect()
}

/// The first minute, read once 60 seconds after its end, and again as `points` a minute later.
fn arrived(before: &[(&str, f64)], points: &[(&str, f64)]) -> Arrived {
    let settings = Settings::default();
    let state = BakeState::new(FIRST, vec![200.0], &HourBefore::unknown(1));
    let end = (FIRST + 1) * 60;
    let first = observe_arrivals(&Arrivals::new(), &data(before), FIRST, 1, end + 60);
    let data = data(points);
    let arrivals = observe_arrivals(&first, &data, FIRST, 1, end + 120);
    let input = MinuteInput {
        data: &data,
        settings: &settings,
        state: &state,
        arrivals: &arrivals,
        now_secs: end + 120,
    };
    input.arrived(1)
}

const POINTS: [(&str, f64); 7] = [
    ("c_n", 600.0),
    ("c_2", 580.0),
    ("c_3", 10.0),
    ("c_e", 4.0),
    ("c_s", 594.0),
    ("c_t0", 60.0),
    ("b_n", 5_400.0),
];

#[test]
fn a_settled_minute_is_whole() {
    let Arrived { minute, is_final } = arrived(&POINTS, &POINTS);
    assert!(is_final);
    assert_eq!(
        minute.canary,
        Counters {
            requests: Some(600),
            good: Some(590),
            server_errors: Some(4),
            timed: Some(594),
            slow: vec![Some(60)],
            slow_to_promote: vec![Some(0)],
            ..Counters::default()
        }
    );
    assert_eq!(minute.baseline.requests, Some(5_400));
    assert_eq!(minute.baseline.slow, [None], "there are no response times");
}

#[test]
fn what_has_changed_since_the_last_reading_is_unknown() {
    let mut before = POINTS;
    before[3].1 = 3.0;
    let Arrived { minute, is_final } = arrived(&before, &POINTS);
    assert!(!is_final);
    assert_eq!(
        (minute.canary.requests, minute.baseline.requests),
        (None, None)
    );
    assert_eq!(minute.canary.timed, Some(594));

    let mut before = POINTS;
    before[5].1 = 59.0;
    let Arrived { minute, is_final } = arrived(&before, &POINTS);
    assert!(!is_final);
    assert_eq!(
        (minute.canary.requests, minute.canary.timed),
        (Some(600), None)
    );
}
