use super::*;

/// The key of a query's id.
#[track_caller]
pub(crate) fn key(id: &str) -> Key {
    let found = all().into_iter().find(|key| key.id() == id);
    found.unwrap_or_else(|| panic!("a series has the id {id}"))
}

/// Every series of a judgement with four thresholds, the most custom metrics, and a further source
/// that uses the names of others.
fn all() -> Vec<Key> {
    let mut metrics = vec![
        Metric::Requests,
        Metric::Responses2xx,
        Metric::Responses3xx,
        Metric::Responses4xx,
        Metric::Responses5xx,
        Metric::RefusedConnections,
        Metric::ResponseTimes,
        Metric::HourlyResponseTimes,
    ];
    metrics.extend([75, 90, 99].map(Metric::HourlyPercentile));
    metrics.extend((0..4).flat_map(|index| [Metric::Slow(index), Metric::SlowToPromote(index)]));

    let parts = [CustomPart::Count, CustomPart::Total, CustomPart::Value];
    metrics.extend((0..10).flat_map(|index| parts.map(|part| Metric::Custom(index, part))));
    metrics.extend(["n", "e", "p75", "m0x"].map(Metric::Further));
    Side::BOTH
        .into_iter()
        .flat_map(|side| metrics.iter().map(move |metric| Key::new(side, *metric)))
        .collect()
}

#[test]
fn every_series_has_an_id_of_its_own() {
    let ids: std::collections::BTreeSet<String> = all().into_iter().map(Key::id).collect();
    assert_eq!(ids.len(), all().len());
}

const AT: i64 = 29_460_060;

const ERRORS: Counter = Counter {
    metric: Metric::Responses5xx,
    among: Metric::Requests,
    usual_rate: 0.01,
    dispersion: 1.0,
};

/// The errors of a side in a minute of 1,000 requests that are absent, this many seconds after its
/// end, when these points are there besides.
fn absent(side: Side, points: &[(&str, i64, f64)], age_secs: i64) -> Option<f64> {
    let mut data = Data::new();
    for id in ["c_n", "b_n"] {
        let minutes = (AT - 1..=AT + 1).map(|at| (at, 1_000.0));
        data.insert(key(id), minutes.collect());
    }
    for (id, after, value) in points {
        let series = data.entry(key(id)).or_default();
        series.insert(AT + after, *value);
    }

    let observed = Observations {
        data: &data,
        now_secs: (AT + 1) * 60 + age_secs,
        usual_error_rate: 0.0,
        dispersion: 1.0,
    };
    observed.count(side, &ERRORS, AT)
}

#[test]
fn usual_errors_that_are_absent_are_unknown_of_the_live_colour_only() {
    assert_eq!(absent(Side::Baseline, &[], 130), None);
    assert_eq!(absent(Side::Canary, &[], 130), Some(0.0));
}

#[test]
fn errors_around_a_minute_make_their_absence_unknown() {
    for around in [("c_e", -1, 50.0), ("c_e", 1, 50.0), ("b_e", 0, 50.0)] {
        assert_eq!(absent(Side::Canary, &[around], 130), None, "{around:?}");
    }
    assert_eq!(absent(Side::Canary, &[("b_e", 1, 50.0)], 130), Some(0.0));

    let nothing_to_compare = [("c_n", -1, 0.0), ("c_e", -1, 50.0)];
    assert_eq!(absent(Side::Canary, &nothing_to_compare, 130), Some(0.0));
}

#[test]
fn a_surprising_absence_is_believed_four_minutes_after_the_end_of_its_minute() {
    let errors = [("b_e", 0, 50.0)];
    assert_eq!(absent(Side::Canary, &errors, 239), None);
    assert_eq!(absent(Side::Canary, &errors, 240), Some(0.0));
}

#[test]
fn only_a_whole_number_that_the_judge_can_count_is_a_count() {
    let most = COUNTED_A_MINUTE as f64;
    assert_eq!([whole(0.0), whole(7.0)], [Some(0), Some(7)]);
    assert_eq!(whole(most), Some(COUNTED_A_MINUTE));
    assert_eq!([whole(7.5), whole(-1.0), whole(most + 1.0)], [None; 3]);
    assert_eq!([whole(f64::NAN), whole(f64::INFINITY)], [None; 2]);
}
