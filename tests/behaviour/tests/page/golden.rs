//! The page of a small ledger, byte by byte, in `tests/golden`, and its style sheet.

use std::path::PathBuf;

use harness::demo::root;

use crate::stored::{Stored, time};

/// The page of a ledger with a pair that waits for a decision, a promotion, failures and refusals.
pub(crate) fn small() -> String {
    let stored = Stored::read(include_str!("small.jsonl"));
    stored.page(time("2026-01-31T12:00:00Z"))
}

/// A page without its style sheet, and the sheet.
fn without_style(page: &str) -> (String, String) {
    let (before, rest) = page.split_once("<style>\n").expect("a style sheet");
    let (style, after) = rest.split_once("</style>").expect("its end");
    (format!("{before}<style></style>{after}"), style.to_owned())
}

#[track_caller]
fn same(file: &str, text: &str) {
    let path: PathBuf = root().join("tests/golden").join(file);
    if std::env::var_os("SLIPWAY_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, text).expect("the file is written");
    }

    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let mut lines = golden.lines().zip(text.lines());
    let line = lines.position(|(one, other)| one != other);
    assert!(
        golden == text,
        "tests/golden/{file} differs from line {:?}; write it: SLIPWAY_WRITE_GOLDEN=1 cargo test \
         --package behaviour --test page golden",
        line.map(|index| index + 1)
    );
}

#[test]
fn the_page_and_its_style_sheet_are_kept() {
    let (page, style) = without_style(&small());
    same("releases.html", &page);
    same("releases.css", &style);
}

#[test]
fn the_same_ledger_is_the_same_page() {
    assert_eq!(small(), small());
}
