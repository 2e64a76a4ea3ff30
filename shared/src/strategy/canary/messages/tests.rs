use super::super::arrival::{Sightings, sightings};
use super::super::bake_state::Memory;
use super::super::config::Settings;
use super::*;
use crate::metrics::queries::{Data, Points};
use crate::metrics::values::Harm;

const FIRST: i64 = 29_460_060;

#[test]
fn what_was_measured_is_said_in_one_line() {
    let errors = Errors {
        dispersion: 2.25,
        rate: 0.001_234,
        requests: 60_000.0,
    };
    assert_eq!(
        measured("green", &[61.2, 120.4, 300.6, 450.9], &errors, 1.75),
        "measured green over the hour before: p75 61 ms, p90 120 ms, p99 301 ms; 5xx 0.123% of 60000 requests, in \
         clumps of 2.2 (slow ones of 1.8)"
    );
    assert_eq!(
        measured("green", &[], &errors, 1.0),
        "measured green over the hour before: no response times, so errors alone are judged"
    );
    assert_eq!(
        [baked(4, 30), baked(31, 30)],
        ["4m00s of 30m00s baked", "30m00s of 30m00s baked"]
    );
}

fn series_of(minutes: usize, doubtful: bool, harm: Option<Harm>) -> Series {
    Series {
        name: "memory".to_owned(),
        minutes,
        medians: Some((900.0, 500.0)),
        harm,
        doubtful,
    }
}

#[test]
fn a_series_is_said_to_be_what_it_is() {
    let found = Harm {
        minutes: 10,
        p: 9.1e-5,
        limit: 1.4e-4,
    };
    let harmful = "memory 900 vs 500 in the median: worse than tolerated by ranks of 10 minutes, p = 9.1e-5, limit 1.4e-4";
    let worse = series_of(12, true, Some(found));
    assert_eq!(
        (harm(&worse).as_deref(), series(&worse).as_str()),
        (Some(harmful), harmful)
    );
    let doubtful = "memory 900 vs 500 in the median of 12 minutes: looks worse than tolerated, and is not certain";
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
    let doubtful = "memory 900 vs 500 in the median of 5 minutes: looks worse than tolerated, and is not certain";
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

/// What is said after so many minutes of so many requests, and bad ones of the baseline.
fn said(minutes: u32, canary: f64, baseline: f64, bad: f64, end: u32) -> Option<String> {
    let points = |value: f64| -> Points {
        (0..i64::from(minutes))
            .map(|minute| (FIRST + minute, value))
            .collect()
    };
    let all = [("c_n", canary), ("b_n", baseline), ("b_e", bad)];
    let data: Data = all
        .into_iter()
        .map(|(id, value)| (id.to_owned(), points(value)))
        .collect();
    let memory = Memory::new(FIRST, Vec::new(), (1.0, 1.0), 0.0);
    let now_secs = (FIRST + i64::from(minutes)) * 60 + 120;
    let seen = sightings(&Sightings::new(), &data, FIRST, minutes, now_secs - 60);
    let settings = Settings::default();
    let readings = Readings::of(&data, &settings, &memory, &seen, minutes, now_secs);
    traffic(
        &readings,
        &settings.metrics(&[])[0],
        minutes,
        end,
        20_f64.ln(),
    )
}

#[test]
fn too_little_traffic_is_said_from_the_third_minute_on_and_only_where_it_is() {
    let thin = "too little traffic: to show that it is as good as the live one, the new colour needs about 1722 minutes \
                at this rate (9 requests in 3 minutes), and the bake ends after 30";
    assert_eq!(
        said(2, 3.0, 57.0, 0.0, 30),
        None,
        "it is too early to say so"
    );
    assert_eq!(said(3, 3.0, 57.0, 0.0, 30).as_deref(), Some(thin));
    assert_eq!(said(3, 1_000.0, 9_000.0, 0.0, 30), None);
}

#[test]
fn a_side_without_requests_is_named() {
    let rest = "was counted in 3 minutes; without traffic on both sides nothing can be shown";
    assert_eq!(
        said(3, 0.0, 57.0, 0.0, 30),
        Some(format!("no request to the new colour {rest}"))
    );
    assert_eq!(
        said(3, 3.0, 0.0, 0.0, 30),
        Some(format!("no request to the live colour {rest}"))
    );
}
