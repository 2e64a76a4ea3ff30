use super::super::arrival::{Arrivals, observe_arrivals};
use super::super::bake_state::BakeState;
use super::super::config::Settings;
use super::super::readings::ReadingInput;
use super::*;
use crate::metrics::source::tests::key;
use crate::metrics::source::{Data, Points};
use crate::strategy::canary::values::SeriesHarm;

const FIRST: i64 = 29_460_060;

#[test]
fn what_was_measured_fits_in_one_line() {
    let errors = Errors {
        dispersion: 2.25,
        rate: 0.001_234,
        requests: 60_000.0,
    };

    assert_eq!(
        measured("green", &[61.2, 120.4, 300.6, 450.9], &errors, 1.75),
        "measured green over the hour before: p75 61 ms, p90 120 ms, p99 301 ms; 5xx 0.12% of \
         60,000 requests, overdispersion 2.2 (slow requests 1.8)"
    );
    assert_eq!(
        measured("green", &[], &errors, 1.0),
        "measured green over the hour before: no response times; only errors are judged"
    );
    assert_eq!(
        [baked(4, 30), baked(31, 30)],
        ["4m00s of 30m00s baked", "30m00s of 30m00s baked"]
    );
}

fn series_of(minutes: usize, doubtful: bool, harm: Option<SeriesHarm>) -> Series {
    Series {
        name: "memory".to_owned(),
        minutes,
        medians: Some((900.0, 500.0)),
        harm,
        doubtful,
    }
}

#[test]
fn each_finding_on_a_series_has_its_text() {
    let found = SeriesHarm {
        minutes: 10,
        p: 9.1e-5,
        limit: 1.4e-4,
    };
    let harmful = "memory 900 vs 500 in the median: worse than tolerated by ranks of 10 minutes, \
                   p = 9.10e-5, limit 1.40e-4";
    let worse = series_of(12, true, Some(found));

    assert_eq!(
        (harm(&worse).as_deref(), series(&worse).as_str()),
        (Some(harmful), harmful)
    );

    let doubtful =
        "memory 900 vs 500 in the median of 12 minutes: looks worse than tolerated, not certain";
    assert_eq!(harm(&series_of(12, true, None)), None);
    assert_eq!(series(&series_of(12, true, None)), doubtful);

    let calm = "memory 900 vs 500 in the median of 12 minutes: within tolerance";
    assert_eq!(series(&series_of(12, false, None)), calm);

    let nothing = Series {
        medians: None,
        ..series_of(0, false, None)
    };
    let blind = "memory has values of both colours in 0 minutes, 5 needed: no data is never a pass";
    assert_eq!(series(&nothing), blind);
}

#[test]
fn a_series_without_enough_values_or_with_doubts_is_an_objection() {
    let doubtful =
        "memory 900 vs 500 in the median of 5 minutes: looks worse than tolerated, not certain";
    let few = "memory has values of both colours in 4 minutes, 5 needed: no data is never a pass";

    assert_eq!(objection(&series_of(4, false, None)).as_deref(), Some(few));
    assert_eq!(objection(&series_of(5, false, None)), None);
    assert_eq!(
        objection(&series_of(5, true, None)).as_deref(),
        Some(doubtful)
    );
    assert_eq!(
        [unmeasured("m", 4).is_some(), unmeasured("m", 5).is_some()],
        [true, false]
    );
}

/// The message on traffic after this many minutes of these requests, and bad ones of the baseline.
fn traffic_message(minutes: u32, canary: f64, baseline: f64, bad: f64, end: u32) -> Option<String> {
    let points = |value: f64| -> Points {
        (0..i64::from(minutes))
            .map(|minute| (FIRST + minute, value))
            .collect()
    };

    let all = [("c_n", canary), ("b_n", baseline), ("b_e", bad)];
    let data: Data = all
        .into_iter()
        .map(|(id, value)| (key(id), points(value)))
        .collect();
    let state = BakeState::new(FIRST, Vec::new(), (1.0, 1.0), 0.0);
    let now_secs = (FIRST + i64::from(minutes)) * 60 + 120;
    let seen = observe_arrivals(&Arrivals::new(), &data, FIRST, minutes, now_secs - 60);
    let settings = Settings::default();
    let readings = Readings::from_points(
        &ReadingInput {
            data: &data,
            settings: &settings,
            state: &state,
            arrivals: &seen,
            now_secs,
        },
        minutes,
    );

    traffic(
        &readings,
        &settings.metrics(&[])[0],
        minutes,
        end,
        20_f64.ln(),
    )
}

#[test]
fn too_little_traffic_is_reported_from_the_third_minute_on() {
    let thin = "too little traffic: a promotion needs about 1722 minutes at this rate (9 requests \
                to the new colour in 3 minutes), and the bake ends after 30";
    assert_eq!(
        traffic_message(2, 3.0, 57.0, 0.0, 30),
        None,
        "it is too early"
    );
    assert_eq!(
        traffic_message(3, 3.0, 57.0, 0.0, 30).as_deref(),
        Some(thin)
    );
    assert_eq!(traffic_message(3, 1_000.0, 9_000.0, 0.0, 30), None);
    // Of 1,720 to 1,722 minutes that are needed, a bake of 1,719 is not reported as too short.
    assert!(traffic_message(3, 3.0, 57.0, 0.0, 1_718).is_some());
    assert_eq!(traffic_message(3, 3.0, 57.0, 0.0, 1_719), None);
}

#[test]
fn a_side_without_requests_is_named() {
    let rest = "was counted in 3 minutes; the comparison needs traffic on both sides";
    assert_eq!(
        traffic_message(3, 0.0, 57.0, 0.0, 30),
        Some(format!("no request to the new colour {rest}"))
    );
    assert_eq!(
        traffic_message(3, 3.0, 0.0, 0.0, 30),
        Some(format!("no request to the live colour {rest}"))
    );
}

#[test]
fn more_requests_than_twice_the_share_are_remarked_on() {
    let noted = |canary, baseline| beyond_share(5, canary, baseline);
    assert_eq!(noted(0, 0), None);
    assert_eq!(noted(500, 9_500), None);
    assert_eq!(noted(1_000, 9_000), None);
    // 1,100 are a hundred more than twice 5 % of 10,000.
    assert_eq!(noted(1_100, 8_900), None);
    let text = "the new colour got 12.00% of the requests with 5% of the traffic: requests that \
        reach it by a test rule or another way count as its own";
    assert_eq!(noted(1_200, 8_800).as_deref(), Some(text));
    // Some requests of a person beside hardly any traffic.
    assert_eq!(noted(60, 40), None);
}
