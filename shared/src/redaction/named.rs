//! Secrets that are known by the name before them, in any text: `TOKEN=…`, `token = …`,
//! `--api-key …`, a string in JSON, `password: …`, a variable with its value, an element of XML,
//! and a header such as `X-Api-Key` or `Authorization`.
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

/// How the name of a header with credentials ends, in small letters.
const AUTHORIZATION: &str = "authorization";

/// How the schemes of a signed request begin, whose signature has a name
/// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html).
const SIGNED: &str = "AWS4-";

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
    if name.to_ascii_lowercase().ends_with(AUTHORIZATION) {
        return authorized(after);
    }
    if !is_of_secret(name) {
        return None;
    }
    if let Some(text) = after.strip_prefix('>').filter(|_| before == Some('<')) {
        // Without its end it is a placeholder, as in `--token <token>`.
        let length = text.find('<').filter(|at| text[*at..].starts_with("</"))?;
        return (length > 0).then_some(1..1 + length);
    }
    let start = assigned(before, after)
        .or_else(|| member(before, after))
        .or_else(|| paired(after))
        .or_else(|| header(before, name, after))
        .or_else(|| argument(name, after))?;

    let (gap, value) = after.split_at(start);
    let length = match closing_quote(gap) {
        Some(quote) => quoted_length(value, quote),
        None => word_length(value, before),
    };
    let secret = &value[..length];
    let is_place = secret.starts_with("arn:") || is_directory(name, secret);
    (!secret.is_empty() && !is_place).then(|| start..start + length)
}

/// Where the credentials are in what follows the name of a header: with the word of a scheme before
/// them, or alone. Those in assignments are known by the names there.
fn authorized(after: &str) -> Option<Range<usize>> {
    let sign = past_quote(after).trim_start_matches(' ');
    let rest = sign.strip_prefix([':', '='])?;
    let value = past_quote(rest.trim_start_matches(' '));
    let first = &value[..word_length(value, None)];
    let rest = value[first.len()..].trim_start_matches(' ');
    let second = &rest[..word_length(rest, None)];

    let start = after.len() - value.len();
    let start_of_second = after.len() - rest.len();
    let end = start_of_second + second.len();
    match (is_credential(first), is_credential(second)) {
        (true, true) => Some(start..end),
        (true, false) => Some(start..start + first.len()),
        (false, true) => Some(start_of_second..end),
        (false, false) => None,
    }
}

fn is_credential(word: &str) -> bool {
    let is_assignment = word.trim_end_matches('=').contains('=');
    let is_other = is_assignment || word.starts_with("arn:");
    word.len() >= SECRET_CHARS && !is_plain(word) && !word.starts_with(SIGNED) && !is_other
}

/// Whether this is the working directory of a process, as its environment names it.
fn is_directory(name: &str, value: &str) -> bool {
    ["PWD", "OLDPWD"].contains(&name) && value.starts_with('/')
}

/// Where the value begins after `name=`, or after a sign with spaces or that of Ruby, `=>`, if it
/// is more than a word of a sentence. What quotes the name, too, ends after it.
fn assigned(before: Option<char>, after: &str) -> Option<usize> {
    let is_quoted = before.is_some_and(is_quote);
    if let Some(value) = after.strip_prefix('=')
        && !value.starts_with('>')
    {
        let opening = opening_quote(value).filter(|_| !is_quoted);
        return Some(1 + opening.map_or(0, str::len));
    }

    let closing = opening_quote(after).filter(|_| is_quoted);
    let sign = after[closing.map_or(0, str::len)..].trim_start_matches(' ');
    let rest = sign.strip_prefix("=>").or_else(|| sign.strip_prefix('='))?;
    let value = rest.trim_start_matches(' ');
    let opening = opening_quote(value).filter(|_| !is_quoted || closing.is_some());
    let start = after.len() - value.len() + opening.map_or(0, str::len);
    is_stated(value, opening).then_some(start)
}

/// Where the string or the number begins after `"name":`.
fn member(before: Option<char>, after: &str) -> Option<usize> {
    let quote = opening_quote(after)?;
    let rest = after[quote.len()..].trim_start().strip_prefix(':')?;
    let rest = rest.trim_start();
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let number = Some(rest).filter(|_| digits >= SECRET_CHARS);
    let value = rest.strip_prefix(quote).or(number)?;
    let is_quoted = before.is_some_and(is_quote);
    is_quoted.then(|| after.len() - value.len())
}

/// Where the value begins after `name","value":"`, as a list of variables or parameters has it,
/// after `name,value=`, as the command line of AWS takes it, or after `name" value="` of XML.
fn paired(after: &str) -> Option<usize> {
    let rest = past_quote(after);
    let is_quoted = rest.len() < after.len();
    let more = rest.trim_start();
    let attribute = Some(more).filter(|more| is_quoted && more.len() < rest.len());
    let rest = more.strip_prefix(',').or(attribute)?;
    let rest = past_quote(rest.trim_start());
    let end = rest.find(|c: char| !c.is_ascii_alphabetic())?;
    let (key, rest) = rest.split_at(end);
    if !key.to_ascii_lowercase().ends_with("value") {
        return None;
    }

    let sign = past_quote(rest).trim_start();
    let value = sign.strip_prefix([':', '='])?.trim_start();
    let quote = opening_quote(value);
    let is_value = quote.is_some() || sign.starts_with('=');
    is_value.then(|| after.len() - value.len() + quote.map_or(0, str::len))
}

fn is_quote(c: char) -> bool {
    "\"'".contains(c)
}

/// What quotes a name or a value at the beginning of a text. JSON within JSON escapes its quotation
/// marks, once more at each level.
fn opening_quote(text: &str) -> Option<&str> {
    let escapes = text.len() - text.trim_start_matches('\\').len();
    let is_double = text[escapes..].starts_with('"');
    let is_single = text.starts_with('\'');
    (is_double || is_single).then(|| &text[..=escapes])
}

/// What quotes the value that follows a text.
fn closing_quote(text: &str) -> Option<&str> {
    let before = text.strip_suffix(is_quote)?;
    Some(&text[before.trim_end_matches('\\').len()..])
}

fn past_quote(text: &str) -> &str {
    &text[opening_quote(text).map_or(0, str::len)..]
}

/// Whether a value is quoted, or longer than a short word and not one of a sentence.
fn is_stated(value: &str, quote: Option<&str>) -> bool {
    quote.is_some() || first_word(value).len() >= SECRET_CHARS && !is_text(value)
}

/// Where the value begins after `name: `. Only a name with `X-` is that of a header for sure: what
/// is before a colon can be an image or an address, too, and what follows a sentence or a status.
fn header(before: Option<char>, name: &str, after: &str) -> Option<usize> {
    let rest = after.strip_prefix(':')?;
    let value = rest.trim_start_matches(' ');
    let is_quoted = before.is_some_and(is_quote);
    let quote = opening_quote(value).filter(|_| !is_quoted);

    let is_header = name.to_ascii_lowercase().starts_with("x-");
    let is_separate = quote.is_some() || rest.starts_with(' ') || is_of_go(before, name);
    let is_named = is_separate && before != Some('/') && is_stated(value, quote);
    let start = after.len() - value.len() + quote.map_or(0, str::len);
    (is_header || is_named).then_some(start)
}

/// Whether a name can be one of Go, which prints members and maps without a space after the colon:
/// the name of an image has no capital letter.
fn is_of_go(before: Option<char>, name: &str) -> bool {
    let is_first = before.is_none_or(|c| c.is_whitespace() || "{[(&,".contains(c));
    is_first && name.bytes().any(|b| b.is_ascii_uppercase())
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
    let ends = |at: &usize| !value[..*at].ends_with('\\');
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
