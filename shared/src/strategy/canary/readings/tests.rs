use super::*;
use crate::metrics::source::Points;
use crate::metrics::source::tests::key;
use crate::strategy::canary::arrival::observe_arrivals;
use crate::strategy::canary::config::tests::{memory as memory_metric, orders, settings};
use serde_json::json;

const FIRST: i64 = 29_460_060;

fn read(points: &[(&str, f64)], settings: &Settings, age_secs: i64) -> Readings {
    let state = BakeState::new(FIRST, vec![60.0, 90.0, 200.0, 300.0], (1.0, 1.0), 0.001);
    read_with(&state, points, settings, age_secs)
}

/// The readings of the first minute, this long after its end.
fn read_with(
    state: &BakeState,
    points: &[(&str, f64)],
    settings: &Settings,
    age_secs: i64,
) -> Readings {
    let data: Data = points
        .iter()
        .map(|(id, value)| (key(id), Points::from([(FIRST, *value)])))
        .collect();
    let now_secs = (FIRST + 1) * 60 + age_secs;
    let seen = observe_arrivals(&Arrivals::new(), &data, FIRST, 1, now_secs - 60);

    Readings::from_points(
        &ReadingInput {
            data: &data,
            settings,
            state,
            arrivals: &seen,
            now_secs,
        },
        1,
    )
}

fn side(requests: u64, bad: Option<u64>) -> SideCounts {
    SideCounts {
        requests: Some(requests),
        bad,
    }
}

#[test]
fn errors_are_responses_and_refused_connections() {
    let points = [
        ("c_n", 150.0),
        ("c_e", 2.0),
        ("c_x", 3.0),
        ("b_n", 2_850.0),
        ("b_e", 4.0),
    ];
    let reading = read(&points, &Settings::default(), 130).get(1, 0);

    assert_eq!(
        (reading.canary, reading.baseline),
        (side(150, Some(5)), side(2_850, None))
    );
    assert_eq!(reading.canary_bad_promote, Some(5));

    let later = read(&points, &Settings::default(), 250).get(1, 0);
    assert_eq!(
        later.baseline,
        side(2_850, Some(4)),
        "connections of the baseline were no error after all"
    );
}

#[test]
fn nothing_is_known_without_requests_and_contradictions_wait() {
    let reading = read(
        &[("c_e", 2.0), ("b_n", 10.0), ("b_e", 12.0)],
        &Settings::default(),
        130,
    )
    .get(1, 0);

    assert_eq!(
        (reading.canary, reading.baseline),
        (SideCounts::default(), side(10, None))
    );
}

#[test]
fn a_dead_target_refuses_more_connections_than_there_are_requests() {
    let points = [
        ("c_n", 150.0),
        ("c_x", 300.0),
        ("b_n", 2_850.0),
        ("b_e", 4.0),
    ];

    assert_eq!(
        read(&points, &Settings::default(), 130).get(1, 0).canary,
        side(150, None)
    );
    assert_eq!(
        read(&points, &Settings::default(), 250).get(1, 0).canary,
        side(150, Some(150))
    );
}

#[test]
fn slow_requests_are_counted_among_response_times() {
    let points = [
        ("c_s", 149.0),
        ("c_t1", 20.0),
        ("c_p1", 9.0),
        ("b_s", 2_840.0),
    ];
    let readings = read(&points, &Settings::default(), 130);
    let reading = readings.get(1, 2);

    assert_eq!(
        (reading.canary, reading.baseline),
        (side(149, Some(20)), side(2_840, Some(0)))
    );
    assert_eq!(reading.canary_bad_promote, Some(9));
    assert_eq!(readings.get(2, 2), Reading::default());
}

#[test]
fn more_slow_requests_than_response_times_are_not_believed() {
    let points = [("c_s", 149.0), ("c_t1", 20.0), ("c_p1", 150.0)];
    let reading = read(&points, &Settings::default(), 130).get(1, 2);
    assert_eq!(reading.canary, side(149, Some(20)));
    assert_eq!(reading.canary_bad_promote, None);
}

#[test]
fn fewer_can_be_worse() {
    let settings = settings(json!([memory_metric(), orders()]));
    let points = [
        ("c_m1n", 50.0),
        ("c_m1x", 40.0),
        ("b_m1n", 100.0),
        ("b_m1x", 95.0),
    ];
    let reading = read(&points, &settings, 300).get(1, 5);

    assert_eq!(
        (reading.canary, reading.baseline),
        (side(50, Some(10)), side(100, Some(5)))
    );
}

#[test]
fn a_minute_that_has_not_arrived_whole_is_not_read() {
    let settings = settings(json!([orders()]));
    let points = [
        ("c_n", 100.0),
        ("c_s", 100.0),
        ("b_n", 900.0),
        ("b_s", 900.0),
        ("c_m0n", 50.0),
        ("b_m0n", 90.0),
    ];
    let data: Data = points
        .iter()
        .map(|(id, value)| (key(id), Points::from([(FIRST, *value)])))
        .collect();
    let state = BakeState::new(FIRST, vec![60.0], (1.0, 1.0), 0.001);
    let now_secs = (FIRST + 1) * 60 + 130;
    let new = observe_arrivals(&Arrivals::new(), &data, FIRST, 1, now_secs);

    assert_eq!(
        Readings::from_points(
            &ReadingInput {
                data: &data,
                settings: &settings,
                state: &state,
                arrivals: &new,
                now_secs
            },
            1
        ),
        Readings::default()
    );

    let old = observe_arrivals(&Arrivals::new(), &data, FIRST, 1, now_secs - 60);
    let arrived = Readings::from_points(
        &ReadingInput {
            data: &data,
            settings: &settings,
            state: &state,
            arrivals: &old,
            now_secs,
        },
        1,
    );
    assert!((0..3).all(|metric| arrived.0.contains_key(&(1, metric))));
}

/// A minute in which this many of the canary's 100 and the baseline's 900 responses were good, when
/// the counters of the hour before agreed or not.
fn with_good_answers(canary: f64, baseline: f64, agrees: bool) -> Readings {
    let points = [
        ("c_n", 100.0),
        ("c_s", 100.0),
        ("c_2", canary),
        ("b_n", 900.0),
        ("b_s", 900.0),
        ("b_2", baseline),
    ];
    let state = BakeState::new(FIRST, vec![60.0], (1.0, 1.0), 0.001).with_agreement(agrees);
    read_with(&state, &points, &Settings::default(), 130)
}

#[test]
fn errors_of_a_minute_that_contradicts_itself_are_not_read() {
    let doubtful = with_good_answers(90.0, 900.0, true);
    assert_eq!(
        doubtful.get(1, 0),
        Reading::default(),
        "ten answers are missing"
    );
    assert_eq!(
        doubtful.get(1, 1).canary,
        side(100, Some(0)),
        "response times and slow ones come of one metric"
    );
    assert_eq!(
        with_good_answers(90.0, 900.0, false).get(1, 0).canary,
        side(100, Some(0)),
        "they never agree here"
    );
}

#[test]
fn errors_of_a_minute_in_which_the_baseline_contradicts_itself_are_not_read() {
    let errors = |baseline| with_good_answers(100.0, baseline, true).get(1, 0);
    assert_eq!(errors(900.0).canary, side(100, Some(0)));
    assert_eq!(errors(810.0), Reading::default(), "90 answers are missing");
}

#[test]
fn a_canary_whose_counters_never_agree_is_judged_all_the_same() {
    let answers = |until: i64| -> Data {
        let points =
            |value: f64| -> Points { (0..until).map(|minute| (FIRST + minute, value)).collect() };
        let all = [
            ("c_n", 100.0),
            ("c_s", 100.0),
            ("c_2", 40.0),
            ("c_e", 30.0),
            ("b_n", 900.0),
            ("b_s", 900.0),
            ("b_2", 900.0),
        ];
        all.into_iter()
            .map(|(id, value)| (key(id), points(value)))
            .collect()
    };
    let read = |until: u32| {
        let data = answers(i64::from(until));
        let now_secs = (FIRST + i64::from(until)) * 60 + 130;
        let seen = observe_arrivals(&Arrivals::new(), &data, FIRST, until, now_secs - 60);
        let state = BakeState::new(FIRST, Vec::new(), (1.0, 1.0), 0.001).with_agreement(true);
        Readings::from_points(
            &ReadingInput {
                data: &data,
                settings: &Settings::default(),
                state: &state,
                arrivals: &seen,
                now_secs,
            },
            until,
        )
        .get(until, 0)
        .canary
    };

    assert_eq!(
        read(5),
        SideCounts::default(),
        "one final minute may have lost a point"
    );
    assert_eq!(read(6), side(100, Some(30)), "two have not");
}

#[test]
fn errors_that_are_usual_are_waited_for_where_they_are_absent() {
    // Of 5,000 requests 5 are usually bad.
    let points = [("c_n", 150.0), ("b_n", 5_000.0)];
    let baseline = |age_secs| {
        read(&points, &Settings::default(), age_secs)
            .get(1, 0)
            .baseline
    };
    assert_eq!(baseline(130), side(5_000, None));
    assert_eq!(baseline(250), side(5_000, Some(0)));
}

/// The canary in the second of two minutes with 1,000 events each, of which 14 were bad in the
/// first and none has arrived in the second.
fn after_bad_ones(
    [among, bad]: [&str; 2],
    metric: usize,
    settings: &Settings,
    dispersion: f64,
) -> SideCounts {
    let all = Points::from([(FIRST, 1_000.0), (FIRST + 1, 1_000.0)]);
    let data = Data::from([
        (key(&format!("c_{among}")), all.clone()),
        (key(&format!("b_{among}")), all),
        (key(&format!("c_{bad}")), Points::from([(FIRST, 14.0)])),
    ]);
    let state = BakeState::new(FIRST, Vec::new(), (dispersion, 1.0), 0.0);
    let now_secs = (FIRST + 2) * 60 + 250;
    let seen = observe_arrivals(&Arrivals::new(), &data, FIRST, 2, now_secs - 60);
    let input = ReadingInput {
        data: &data,
        settings,
        state: &state,
        arrivals: &seen,
        now_secs,
    };
    Readings::from_points(&input, 2).get(2, metric).canary
}

#[test]
fn a_minute_without_a_point_after_overdispersed_events_has_none() {
    let errors = |dispersion| after_bad_ones(["n", "e"], 0, &Settings::default(), dispersion);
    assert_eq!(errors(1.0), side(1_000, None), "14 were expected");
    assert_eq!(errors(8.0), side(1_000, Some(0)), "2 groups were expected");

    let counted = |dispersion: f64| {
        let mut metric = orders();
        metric["worse"] = json!("more");
        metric["dispersion"] = json!(dispersion);
        after_bad_ones(["m0n", "m0x"], 1, &settings(json!([metric])), 1.0)
    };
    assert_eq!(counted(1.0), side(1_000, None));
    assert_eq!(counted(8.0), side(1_000, Some(0)));
}

#[test]
fn a_minute_without_events_of_a_user_s_metric_is_no_data() {
    let settings = settings(json!([orders()]));
    let usable = |carts: f64| {
        let points = [
            ("c_m0n", carts),
            ("c_m0x", 0.0),
            ("b_m0n", carts),
            ("b_m0x", 0.0),
        ];
        read(&points, &settings, 300).usable(5, 1)
    };
    assert_eq!([usable(0.0), usable(1.0)], [0, 1]);
}
