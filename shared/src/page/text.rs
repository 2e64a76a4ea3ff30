//! Texts of the ledger as the page shows them.

use crate::judge::report::visible;
use crate::timestamp::Timestamp;

/// How much of a reason is shown, in characters.
const REASON_SHOWN: usize = 240;

/// An instant to the minute: `2026-01-05 09:00`.
pub(super) fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    match (text.get(..10), text.get(11..16)) {
        (Some(day), Some(minute)) => format!("{day} {minute}"),
        _ => text,
    }
}

/// The day of an instant in its year: `01-05`.
pub(super) fn day(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(5..10).unwrap_or_default().to_owned()
}

/// A reason on one line, cut where it is long.
pub(super) fn reason(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    if line.is_empty() {
        return "no reason was recorded".to_owned();
    }
    let shown: String = line.chars().take(REASON_SHOWN).collect();
    let end = if shown.len() < line.len() { "…" } else { "" };
    visible(&shown) + end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::at;

    #[test]
    fn a_reason_is_one_line_and_ends_where_it_is_cut() {
        assert_eq!(reason("unhealthy:\n 2 of 2\t"), "unhealthy: 2 of 2");
        assert_eq!(reason("a\u{202e}b"), "a⟨U+202E⟩b");
        assert_eq!(reason(" "), "no reason was recorded");
        let long = "é".repeat(REASON_SHOWN + 1);
        assert_eq!(reason(&long), "é".repeat(REASON_SHOWN) + "…");
        assert_eq!(moment(at(61)), "2026-01-05 09:01");
        assert_eq!(day(at(0)), "01-05");
    }
}
