//! The report of each case, byte by byte, in `tests/golden`: plain pages and their style sheet.
//!
//! Not snapshots of insta: those begin with a header of their own and would not be plain pages.

use slipway::judge::Decision;
use slipway::judge::report::html;

use super::judgement;

/// A page must open at once on a phone.
const PAGE_BYTES_MAX: usize = 100_000;

#[track_caller]
fn check(case: &str, decision: Decision) {
    let judgement = judgement(case);
    assert_eq!(judgement.verdict().decision, decision);

    let page = html(&judgement);
    assert!(page.len() < PAGE_BYTES_MAX, "{} bytes", page.len());

    let (page, _) = without_style(&page);
    same(&format!("{case}.html"), &page);
}

/// A page without its style sheet, and the sheet, which is the same in every page.
fn without_style(page: &str) -> (String, String) {
    let (before, rest) = page.split_once("<style>\n").unwrap();
    let (style, after) = rest.split_once("</style>").unwrap();
    (format!("{before}<style></style>{after}"), style.to_owned())
}

#[track_caller]
fn same(file: &str, text: &str) {
    let path = format!("{}/../golden/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("SLIPWAY_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }

    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let line = golden
        .lines()
        .zip(text.lines())
        .position(|(a, b)| a != b)
        .map(|index| index + 1);

    assert!(
        golden == text,
        "tests/golden/{file} differs from line {line:?}; write it: SLIPWAY_WRITE_GOLDEN=1 cargo \
         test -p sandbox --test judge golden"
    );
}

#[test]
fn a_good_canary_is_promoted() {
    check("promoted", Decision::Promote);
}

#[test]
fn errors_roll_back() {
    check("rolled-back-by-errors", Decision::Rollback);
}

#[test]
fn latency_rolls_back() {
    check("rolled-back-by-latency", Decision::Rollback);
}

#[test]
fn too_little_traffic_is_inconclusive() {
    check("too-little-traffic", Decision::Inconclusive);
}

#[test]
fn an_incident_on_both_sides_is_not_rolled_back() {
    check("shared-incident", Decision::Promote);
}

#[test]
fn late_metrics_are_listed() {
    check("late-metrics", Decision::Rollback);
}

#[test]
fn the_style_sheet_is_kept() {
    let (_, style) = without_style(&html(&judgement("promoted")));
    same("report.css", &style);
}

#[test]
fn the_stored_form_is_kept() {
    same(
        "late-metrics.json",
        &(judgement("late-metrics").to_json() + "\n"),
    );
}
