//! Secrets that are known by the name before them, in any text: `TOKEN=…`, `--api-key …`, a string
//! in JSON, `password: …`, and a header such as `X-Api-Key`.
//!
//! Never masks what a sentence or a reference has after such a name: `web-token:1.4`, `secret: not
//! found`. An ARN is not a secret, and neither is a working directory.

use std::ops::Range;

use super::credentials::{MASK, is_plain};
use crate::limits::SECRET_CHARS;

/// How the name of a secret ends, in small letters and without what separates its words.
const ENDS: [&str; 15] = [
    "accesskey",
    "accountkey",
    "apikey",
    "encryptionkey",
    "masterkey",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "secret",
    "secretkey",
    "secretkeybase",
    "signature",
    "token",
];

/// What can quote a name or a value. JSON within JSON escapes its quotation marks.
const QUOTES: [&str; 3] = ["\\\"", "\"", "'"];

/// What is between assignments in a list or in the text of a connection.
pub(super) const SEPARATORS: [char; 3] = [';', '&', ','];

/// A text without the values of what is named as a secret in it.
pub(super) fn without_named(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_of_name) {
        let (between, from) = rest.split_at(start);
        let end = from.find(|c: char| !is_of_name(c)).unwrap_or(from.len());
        let (name, after) = from.split_at(end);

        let before = between.chars().next_back();
        kept.push_str(between);
        kept.push_str(name);
        rest = match secret_after(before, name, after) {
            Some(secret) => {
                kept.push_str(&after[..secret.start]);
                kept.push_str(MASK);
                &after[secret.end..]
            }
            None => after,
        };
    }
    kept.push_str(rest);
    kept
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

fn is_of_secret(name: &str) -> bool {
    // As a word of its own: not `bypass`.
    let last = name.rsplit(['-', '_', '.']).next().unwrap_or_default();
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let compact: String = letters.map(|c| c.to_ascii_lowercase()).collect();
    last.eq_ignore_ascii_case("pass")
        || last.eq_ignore_ascii_case("sig")
        || ENDS.iter().any(|end| compact.ends_with(end))
}

/// Where the secret is in what follows a name.
fn secret_after(before: Option<char>, name: &str, after: &str) -> Option<Range<usize>> {
    if !is_of_secret(name) {
        return None;
    }
    let start = assigned(before, after)
        .or_else(|| member(before, after))
        .or_else(|| header(before, name, after))
        .or_else(|| argument(name, after))?;

    let (gap, value) = after.split_at(start);
    let length = match QUOTES.into_iter().find(|quote| gap.ends_with(quote)) {
        Some(quote) => quoted_length(value, quote),
        None => word_length(value, before),
    };
    let secret = &value[..length];
    let is_place = secret.starts_with("arn:") || is_directory(name, secret);
    (!secret.is_empty() && !is_place).then(|| start..start + length)
}

/// Whether this is the working directory of a process, as its environment names it.
fn is_directory(name: &str, value: &str) -> bool {
    ["PWD", "OLDPWD"].contains(&name) && value.starts_with('/')
}

/// Where the value begins after `name=`. What quotes the name, too, ends after it.
fn assigned(before: Option<char>, after: &str) -> Option<usize> {
    let value = after.strip_prefix('=')?;
    let quote = QUOTES.into_iter().find(|quote| value.starts_with(quote));
    let is_quoted = before.is_some_and(is_quote);
    Some(1 + quote.filter(|_| !is_quoted).map_or(0, str::len))
}

/// Where the string or the number begins after `"name":`.
fn member(before: Option<char>, after: &str) -> Option<usize> {
    let quote = QUOTES.into_iter().find(|quote| after.starts_with(quote))?;
    let rest = after[quote.len()..].trim_start().strip_prefix(':')?;
    let rest = rest.trim_start();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let number = Some(rest).filter(|_| digits >= SECRET_CHARS);
    let value = rest.strip_prefix(quote).or(number)?;
    let is_quoted = before.is_some_and(is_quote);
    is_quoted.then(|| after.len() - value.len())
}

fn is_quote(c: char) -> bool {
    "\"'".contains(c)
}

/// Where the value begins after `name: `. Only a name with `X-` is that of a header for sure: what
/// is before a colon can be an image or an address, too, and what follows a sentence or a status.
fn header(before: Option<char>, name: &str, after: &str) -> Option<usize> {
    let rest = after.strip_prefix(':')?;
    let value = rest.trim_start_matches(' ');
    let is_quoted = before.is_some_and(is_quote);
    let quote = QUOTES.into_iter().find(|quote| value.starts_with(quote));
    let quote = quote.filter(|_| !is_quoted);

    let is_header = name.to_ascii_lowercase().starts_with("x-");
    let is_secret = quote.is_some() || first_word(value).len() >= SECRET_CHARS && !is_text(value);
    let is_named = rest.starts_with(' ') && before != Some('/') && is_secret;
    let start = after.len() - value.len() + quote.map_or(0, str::len);
    (is_header || is_named).then_some(start)
}

fn first_word(text: &str) -> &str {
    text.split(char::is_whitespace).next().unwrap_or_default()
}

/// Whether a text begins with a word of a sentence.
fn is_text(text: &str) -> bool {
    is_plain(first_word(text).trim_matches(|c: char| !c.is_alphanumeric()))
}

/// Where the next word of a command begins, if it is not one of a sentence about an option.
fn argument(name: &str, after: &str) -> Option<usize> {
    let value = after.trim_start_matches([' ', ',', '"', '\'', '\\']);
    let start = after.len() - value.len();
    let gap = &after[..start];
    let is_of_sentence = is_text(value);

    let is_next = name.starts_with('-') && gap.contains([' ', ',']);
    let is_value = gap.ends_with(is_quote) || !is_of_sentence;
    (is_next && is_value && !value.starts_with('-')).then_some(start)
}

/// The length of a value to the quotation mark that ends it.
fn quoted_length(value: &str, quote: &str) -> usize {
    let ends = |at: &usize| quote.len() > 1 || !value[..*at].ends_with('\\');
    let mut found = value.match_indices(quote).map(|(at, _)| at);
    found.find(ends).unwrap_or(value.len())
}

/// The length of a value that nothing quotes: a word, or one of several assignments. What encloses
/// it, and the end of a sentence, is not a part of it.
fn word_length(value: &str, before: Option<char>) -> usize {
    let separator = match before {
        Some('?') => Some('&'),
        other => other.filter(|c| SEPARATORS.contains(c)),
    };
    let ends = |c: char| Some(c) == separator || ends_value(c);
    let end = value.find(ends).unwrap_or(value.len());
    let value = &value[..end];
    value
        .trim_end_matches(|c: char| "'),.:;]}|\\".contains(c))
        .len()
}

/// Whether a value that nothing quotes ends before a character, wherever it is.
pub(super) fn ends_value(c: char) -> bool {
    c.is_whitespace() || "\"`".contains(c)
}
