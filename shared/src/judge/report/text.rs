//! Makes names from outside safe to read.
//!
//! The templates escape markup. What is left are characters that a browser obeys without showing
//! them: marks that reverse the text after them could make `1.02%` read as `%20.1`, and invisible
//! ones make two names look the same. They are written out, and right-to-left names are isolated
//! from the numbers around them.

/// First strong isolate and its end (Unicode Standard Annex 9): what is between has its own
/// direction.
const ISOLATE: (char, char) = ('\u{2068}', '\u{2069}');

/// A name with its invisible characters written out, such as `⟨U+202E⟩`.
pub(crate) fn visible(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    for c in name.chars() {
        if is_invisible(c) {
            shown.push_str(&format!("⟨U+{:04X}⟩", c as u32))
        } else {
            shown.push(c)
        }
    }

    if shown.trim().is_empty() {
        "(no name)".to_owned()
    } else {
        shown
    }
}

/// A name inside a sentence: visible, and isolated where its direction may differ.
pub(super) fn isolated(name: &str) -> String {
    let shown = visible(name);
    if name.is_ascii() {
        shown
    } else {
        format!("{}{shown}{}", ISOLATE.0, ISOLATE.1)
    }
}

fn is_invisible(c: char) -> bool {
    let marks = [
        '\u{ad}', '\u{61c}', '\u{180e}', '\u{2028}', '\u{2029}', '\u{3164}', '\u{feff}',
    ];
    let ranges = [
        '\u{200b}'..='\u{200f}',
        '\u{202a}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
        '\u{e0000}'..='\u{e0fff}',
    ];
    c.is_control() || marks.contains(&c) || ranges.iter().any(|range| range.contains(&c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_that_reverse_text_are_written_out() {
        assert_eq!(visible("a\u{202e}b\0"), "a⟨U+202E⟩b⟨U+0000⟩");
        assert_eq!(visible("plain <b>"), "plain <b>");
        assert_eq!(visible(" \t"), " ⟨U+0009⟩");
        assert_eq!(visible(""), "(no name)");
    }

    #[test]
    fn a_right_to_left_name_does_not_reach_into_the_sentence() {
        assert_eq!(isolated("שגיאות"), "\u{2068}שגיאות\u{2069}");
        assert_eq!(isolated("5xx"), "5xx");
    }
}
