//! What the tables of the page contain.

use super::super::stored::{StoredMinute, StoredReading, StoredSide};
use super::super::table::{metric_row, minute_rows, quality_rows, setting_rows};
use super::super::*;
use super::{judged, reading};
use crate::judge::JudgeConfig;
use crate::judge::clean::{Reading, SideCounts};

#[test]
fn each_minute_is_sorted_by_what_became_of_it() {
    let side = |n, bad| StoredSide { n, bad };
    let minute = |t, c, b, used| StoredMinute {
        t,
        readings: vec![StoredReading {
            c,
            b,
            promote: None,
            used,
        }],
    };
    let full = side(Some(10), Some(1));
    let other = side(Some(90), Some(1));
    let minutes = [
        minute(1, full, other, Some(1)),
        minute(2, full, other, Some(4)),
        minute(3, side(Some(10), None), other, None),
        minute(4, side(None, Some(1)), other, None),
        minute(5, full, side(Some(90), None), None),
        minute(6, side(Some(0), Some(0)), other, None),
        minute(7, full, side(Some(0), Some(0)), None),
        minute(8, full, other, None),
        minute(9, full, other, None),
        minute(10, side(None, None), other, None),
    ];
    let expected = Quality {
        metric: "errors".to_owned(),
        usable: 2,
        late: vec![2],
        missing: vec![3, 4, 5],
        idle: vec![6, 7],
        left_out: vec![8],
        waiting: vec![9, 10],
    };

    assert_eq!(Quality::from_minutes("errors", &minutes, 0, 8), expected);
}

#[test]
fn a_minute_that_did_not_count_is_in_no_total() {
    let mut judgement = judged(30, 6, |minute| match minute {
        2 => Reading {
            canary: SideCounts {
                requests: Some(1_000),
                bad: None,
            },
            ..reading(0, 0)
        },
        3 => reading(0, 0),
        _ => reading(1_000, u64::from(minute)),
    });
    judgement.minutes[5].readings[0].used = None;

    let all = series::total(&judgement, 0);
    assert_eq!(
        (
            all.used,
            all.totals.canary.requests,
            all.totals.canary.bad,
            all.totals.baseline.bad
        ),
        (3, 3_000, 10, 27)
    );

    let rows: Vec<(String, String, String)> = minute_rows(&judgement, 0)
        .into_iter()
        .map(|row| (row.minutes, row.canary, row.canary_rate))
        .collect();
    let row = |minutes: &str, canary: &str, rate: &str| {
        (minutes.to_owned(), canary.to_owned(), rate.to_owned())
    };

    assert_eq!(
        rows,
        [
            row("1", "1 / 1,000", "0.10%"),
            row("2", "–", "–"),
            row("3", "–", "–"),
            row("4", "4 / 1,000", "0.40%"),
            row("5", "5 / 1,000", "0.50%"),
            row("6", "–", "–"),
        ]
    );
}

#[test]
fn the_table_of_metrics_shows_what_was_found_of_each() {
    let judgement = judged(30, 3, |_| reading(1_000, 1));
    let finding = |judgement: &Judgement, decisive| metric_row(judgement, 0, decisive).finding;
    assert_eq!(finding(&judgement, true), "worse than tolerated");
    assert_eq!(finding(&judgement, false), "not settled");

    let mut shown = judgement.clone();
    shown.verdict.evidence[0].health = Some(-0.05_f64.ln());
    assert_eq!(finding(&shown, false), "no worse than its bound");

    shown.verdict.evidence[0].health = Some(-0.05_f64.ln() - 1e-9);
    assert_eq!(finding(&shown, false), "not settled");

    shown.verdict.evidence[0].health = None;
    assert_eq!(finding(&shown, false), "no harm shown");

    let row = metric_row(&judgement, 0, false);
    assert_eq!(
        (row.name.as_str(), row.share.as_str(), row.ratio.as_str()),
        ("5xx", "100%", "1.0x")
    );
    assert_eq!(
        (row.limit.as_str(), row.bound.as_deref()),
        ("1.1x, if above 0.01%", Some("2x, if above 0.1%"))
    );
    assert_eq!(
        (row.canary.percent.as_str(), row.canary.counts.as_str()),
        ("0.10%", "3 of 3,000")
    );
    assert_eq!(
        (row.baseline.percent.as_str(), row.baseline.counts.as_str()),
        ("0.10%", "27 of 27,000")
    );
    assert_eq!(metric_row(&shown, 0, false).health, "not needed");
}

#[test]
fn minutes_that_did_not_count_are_listed_with_the_reason() {
    let judgement = judged(30, 6, |minute| match minute {
        1 => Reading {
            canary: SideCounts {
                requests: Some(1_000),
                bad: None,
            },
            ..reading(0, 0)
        },
        2 => reading(0, 0),
        _ => reading(1_000, 1),
    });
    let rows = quality_rows(&judgement);

    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].names, ["5xx"]);

    let cells = &rows[0].cells;
    assert_eq!(
        (
            cells.usable.as_str(),
            cells.waiting.as_str(),
            cells.dispersion.as_str()
        ),
        ("4 of 6", "none", "none")
    );
    assert_eq!(
        cells.skipped,
        ["1: value missing", "2: no requests on one side"]
    );
}

#[test]
fn a_setting_that_is_not_the_default_shows_the_default() {
    let rows = setting_rows(&JudgeConfig {
        tau: 1.3,
        end: 45,
        ..JudgeConfig::default()
    });
    let changed: Vec<(&str, &str, &str)> = rows
        .iter()
        .filter_map(|row| Some((row.name, row.value.as_str(), row.default.as_deref()?)))
        .collect();

    assert_eq!(changed, [("tau", "1.3", "1.1"), ("end", "45", "30")]);

    let values: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row.name, row.value.as_str()))
        .collect();
    assert_eq!(
        values,
        [
            ("alpha", "0.005"),
            ("alpha_exam", "0.005"),
            ("alpha_promote", "0.05"),
            ("tau", "1.3"),
            ("eps", "0.0001"),
            ("tau_promote", "2"),
            ("eps_promote", "0.001"),
            ("w_errors", "0.5"),
            ("w_latency", "0.125"),
            ("dispersion_errors", "1"),
            ("dispersion_latency", "1"),
            ("min_bad", "3"),
            ("min_minutes", "5"),
            ("end", "45"),
        ]
    );
}
