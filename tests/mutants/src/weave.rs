//! Puts mutations into source code, each behind a switch.
//!
//! An edit whose replacement contains [`MUTATED`] is put in as it is written, with the switch in
//! place of that word. Around any other edit goes an `if`: statements (text that ends with `;`) are
//! chosen between as statements, everything else as an expression.

use std::ops::Range;

use thiserror::Error;

/// Stands for the switch in a replacement.
pub const MUTATED: &str = "MUTATED";

/// The module that holds the switches; it is written into the copy of the crate `slipway`.
pub const SWITCHES: &str = include_str!("switches.rs.txt");

/// An edit of one file, by the number of its mutation.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'a> {
    pub number: usize,
    pub find: &'a str,
    pub replace: &'a str,
}

/// Why an edit cannot be put in.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum WeaveError {
    #[error("mutation {number}: `find` occurs {count} times; expected exactly once")]
    Count { number: usize, count: usize },
    #[error("mutations {first} and {second} overlap in a way that cannot be put in together")]
    Overlap { first: usize, second: usize },
}

struct Spot<'a> {
    range: Range<usize>,
    edit: Placed<'a>,
}

impl Spot<'_> {
    fn is_verbatim(&self) -> bool {
        self.edit.replace.contains(MUTATED)
    }
}

/// The text with all edits in it.
///
/// # Errors
/// An edit whose text is not found exactly once, and edits that overlap.
pub fn weave(text: &str, edits: &[Placed<'_>]) -> Result<String, WeaveError> {
    let signs = signs(text);
    let mut spots = Vec::with_capacity(edits.len());
    for &edit in edits {
        let mut found = places(&signs, edit.find);
        if found.len() != 1 {
            return Err(WeaveError::Count {
                number: edit.number,
                count: found.len(),
            });
        }

        spots.push(Spot {
            range: found.remove(0),
            edit,
        });
    }

    // What contains others comes before them.
    spots.sort_by_key(|spot| {
        (
            spot.range.start,
            usize::MAX - spot.range.end,
            spot.is_verbatim(),
        )
    });
    woven(text, 0..text.len(), &spots)
}

/// The characters of source code that formatting leaves alone, each with its position: no white
/// space, no comma before a closing bracket, no backslash that continues a string on the next line.
fn signs(text: &str) -> Vec<(usize, char)> {
    let mut signs: Vec<(usize, char)> = Vec::with_capacity(text.len());
    let mut characters = text.char_indices().peekable();

    while let Some((at, character)) = characters.next() {
        let continues =
            character == '\\' && characters.peek().is_some_and(|(_, next)| *next == '\n');
        if character.is_whitespace() || continues {
            continue;
        }

        if matches!(character, ')' | ']' | '}')
            && signs.last().is_some_and(|(_, last)| *last == ',')
        {
            signs.pop();
        }
        signs.push((at, character));
    }

    signs
}

/// Where a piece of source code stands, however it is formatted.
fn places(text: &[(usize, char)], find: &str) -> Vec<Range<usize>> {
    let wanted: Vec<char> = signs(find)
        .into_iter()
        .map(|(_, character)| character)
        .collect();
    let is_there = |window: &&[(usize, char)]| window.iter().map(|(_, found)| found).eq(&wanted);

    text.windows(wanted.len().max(1))
        .filter(is_there)
        .filter_map(|window| {
            let (first, last) = (window.first()?, window.last()?);
            Some(first.0..last.0 + last.1.len_utf8())
        })
        .collect()
}

/// A part of the text with the edits that lie in it.
fn woven(text: &str, range: Range<usize>, spots: &[Spot<'_>]) -> Result<String, WeaveError> {
    let mut output = String::new();
    let mut at = range.start;

    let mut rest = spots;
    while let Some((outer, after)) = rest.split_first() {
        let inside = after
            .iter()
            .take_while(|spot| spot.range.start < outer.range.end)
            .count();
        let (inner, next) = after.split_at(inside);
        let crosses = |spot: &&Spot<'_>| spot.range.end > outer.range.end;

        if let Some(other) = inner
            .iter()
            .find(|spot| crosses(spot) || outer.is_verbatim())
        {
            return Err(WeaveError::Overlap {
                first: outer.edit.number,
                second: other.edit.number,
            });
        }

        output.push_str(&text[at..outer.range.start]);
        let original = woven(text, outer.range.clone(), inner)?;
        output.push_str(&switched(&outer.edit, &original));
        at = outer.range.end;
        rest = next;
    }

    output.push_str(&text[at..range.end]);
    Ok(output)
}

fn switched(edit: &Placed<'_>, original: &str) -> String {
    let Placed {
        number,
        find,
        replace,
    } = edit;
    let switch = format!("slipway::mutants::is({number})");
    if replace.contains(MUTATED) {
        return replace.replace(MUTATED, &switch);
    }
    if find.trim_end().ends_with(';') {
        return format!("if {switch} {{ {replace} }} else {{ {original} }}");
    }
    format!("(if {switch} {{ {replace} }} else {{ {original} }})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed<'a>(number: usize, find: &'a str, replace: &'a str) -> Placed<'a> {
        Placed {
            number,
            find,
            replace,
        }
    }

    #[test]
    fn an_expression_a_statement_and_a_guard_are_put_behind_switches() {
        let text = "let a = b < c; save(a).await?; match a { x => 1 }";
        let edits = [
            placed(0, "b < c", "b <= c"),
            placed(1, "save(a).await?;", ""),
            placed(2, "x =>", "x if !MUTATED =>"),
        ];

        assert_eq!(
            weave(text, &edits).as_deref(),
            Ok(
                "let a = (if slipway::mutants::is(0) { b <= c } else { b < c }); \
                if slipway::mutants::is(1) {  } else { save(a).await?; } match a { x if !slipway::mutants::is(2) => 1 }"
            )
        );
    }

    #[test]
    fn an_edit_within_another_stays_in_its_original_branch() {
        let woven = weave(
            "f(a + b)",
            &[
                placed(0, "f(a + b)", "0"),
                placed(1, "a", "1"),
                placed(2, "f(a + b)", "9"),
            ],
        );
        assert_eq!(
            woven.as_deref(),
            Ok(
                "(if slipway::mutants::is(0) { 0 } else { (if slipway::mutants::is(2) { 9 } else { \
                f((if slipway::mutants::is(1) { 1 } else { a }) + b) }) })"
            )
        );
    }

    #[test]
    fn formatting_does_not_hide_a_place() {
        let text = "save(\n    first,\n    \"one \\\n     two\",\n);\nnext();";
        let woven = weave(text, &[placed(0, "save(first, \"one two\");", "")]);
        assert_eq!(
            woven.as_deref(),
            Ok(format!(
                "if slipway::mutants::is(0) {{  }} else {{ {} }}\nnext();",
                &text[..text.len() - 8]
            )
            .as_str())
        );
    }

    #[test]
    fn what_cannot_be_put_in_is_refused_by_number() {
        let count = |text, edit| weave(text, &[edit]);
        assert_eq!(
            count("a b a", placed(3, "a", "c")),
            Err(WeaveError::Count {
                number: 3,
                count: 2
            })
        );
        assert_eq!(
            count("b", placed(3, "a", "c")),
            Err(WeaveError::Count {
                number: 3,
                count: 0
            })
        );

        let crossing = [placed(0, "a b", "x"), placed(1, "b c", "y")];
        assert_eq!(
            weave("a b c", &crossing),
            Err(WeaveError::Overlap {
                first: 0,
                second: 1
            })
        );

        let within_verbatim = [placed(0, "a b", "a if MUTATED"), placed(1, "b", "y")];
        assert_eq!(
            weave("a b c", &within_verbatim),
            Err(WeaveError::Overlap {
                first: 0,
                second: 1
            })
        );
    }
}
