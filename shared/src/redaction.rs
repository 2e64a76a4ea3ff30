//! Removes from AWS's texts, before they reach a message, a record or a log, the query of an
//! address, which can be its signature, credentials, and known secrets.
//!
//! Never removes what an operator needs to understand the text: names, regions and ECS's own words
//! stay.

mod credentials;
mod named;

use std::cmp::Reverse;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::limits::{CUT_CHARS, SECRET_CHARS};

use credentials::without_credentials;
pub(crate) use credentials::{MASK, SCHEMES};
use named::{SEPARATORS, ends_value, without_named};

/// The separator between the reasons of one task.
const JOINT: &str = "; ";

/// What an address percent-encodes: all but the unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What comes between the scheme of an address and its host.
const SCHEME_END: &str = "://";

/// Words of ECS's own messages of at least [`SECRET_CHARS`] letters. As the value of a variable
/// they are not secret, and masking them would make a refusal unreadable.
pub const WORDS: [&str; 47] = [
    "awsvpc",
    "breaker",
    "bridge",
    "circuit",
    "cluster",
    "command",
    "container",
    "containers",
    "cpuArchitecture",
    "default",
    "definition",
    "deployment",
    "disabled",
    "enabled",
    "environment",
    "essential",
    "execution",
    "executionRoleArn",
    "external",
    "failed",
    "family",
    "FARGATE",
    "fargate",
    "health",
    "healthCheck",
    "instance",
    "invalid",
    "logging",
    "memory",
    "memoryReservation",
    "network",
    "networkMode",
    "platform",
    "portMappings",
    "privileged",
    "reason",
    "region",
    "running",
    "secrets",
    "service",
    "setting",
    "specified",
    "started",
    "stopped",
    "target",
    "timeout",
    "volume",
];

/// A text with the query of every address in it removed, and the secrets that are recognised by
/// their form or by a name before them: a signed address lets every reader fetch what it names.
#[must_use]
pub(crate) fn without_signatures(text: &str) -> String {
    without_recognised(&without_queries(text))
}

fn without_recognised(text: &str) -> String {
    without_named(&without_credentials(text))
}

fn without_queries(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(SCHEME_END) {
        let (scheme, after) = rest.split_at(at + SCHEME_END.len());
        let address = address_at(after);

        kept.push_str(scheme);
        kept.push_str(&unsigned(address));
        rest = &after[address.len()..];
    }
    kept.push_str(rest);
    kept
}

/// The address at the beginning of a text, after its scheme. Credentials and queries can have
/// brackets and apostrophes, so that these end an address only where nothing of it follows.
fn address_at(text: &str) -> &str {
    let end = text
        .find(|c: char| c.is_whitespace() || "\"<>`".contains(c))
        .unwrap_or(text.len());
    let address = text[..end].trim_end_matches(|c: char| "'),.:;]}|".contains(c));

    // Another address in its path is one of its own, so that its credentials are looked for.
    match address.split_once(SCHEME_END) {
        Some((before, _)) if !before.contains('?') => before,
        _ => address,
    }
}

fn unsigned(address: &str) -> String {
    let mut rest = address;
    while let Some(at) = credentials_end(rest) {
        rest = &rest[at + 1..];
    }

    let credentials = if rest.len() < address.len() {
        format!("{MASK}@")
    } else {
        String::new()
    };
    match rest.split_once('?') {
        Some((path, _)) => format!("{credentials}{path}?{MASK}"),
        None => format!("{credentials}{rest}"),
    }
}

/// Where the `@` after credentials is, if an address has some. A password can have letters that end
/// a host, so that only what comes after them shows that it was one.
fn credentials_end(address: &str) -> Option<usize> {
    let end = address.find(['/', '?', '#']).unwrap_or(address.len());
    let start = &address[..end];
    if let Some(at) = start.rfind('@') {
        return Some(at);
    }

    let is_port = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    match start.split_once(':') {
        Some((_, password)) if !is_port(password) || address[end..].starts_with('?') => {
            address.rfind('@')
        }
        None if start.contains('.') => None,
        _ => {
            let path_end = address.find('?').unwrap_or(address.len());
            let at = address[..path_end].rfind('@')?;
            is_host(&address[at + 1..]).then_some(at)
        }
    }
}

/// Whether a text begins with a name of several parts, as a host does and a version does not.
fn is_host(text: &str) -> bool {
    let host = text.split(['/', ':', '?', '#']).next().unwrap_or_default();
    host.rsplit_once('.')
        .is_some_and(|(_, last)| last.len() > 1 && last.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// A secret in one of the forms that a text can have it in.
struct Form {
    text: String,
    /// Whether its variable is named as a secret: then it is not a word or a name that explains a
    /// text.
    is_secret: bool,
}

/// A text with `secrets` masked, and those `values` that are not whole parts of one of `names`;
/// then without signatures. The text can have lost its signatures before.
///
/// A value that is a region or a word of ECS stays, and what is shorter than [`SECRET_CHARS`]:
/// masking every `1` or `true` would make the text unreadable.
#[must_use]
pub(crate) fn without_values<'a>(
    text: &str,
    secrets: impl Iterator<Item = &'a str>,
    values: impl Iterator<Item = &'a str>,
    names: &[&str],
) -> String {
    let is_named = |value: &str| names.iter().any(|name| has_part(name, value));
    let is_known = |value: &str| WORDS.contains(&value) || is_region_name(value);

    let values = values
        .flat_map(parts)
        .filter(|value| !is_named(value) && !is_known(value));
    let mut forms: Vec<Form> = secrets
        .flat_map(parts)
        .map(|secret| (secret, true))
        .chain(values.map(|value| (value, false)))
        .filter(|(secret, _)| secret.len() >= SECRET_CHARS)
        .flat_map(|(secret, is_secret)| {
            let forms = written_forms(secret).into_iter();
            forms.map(move |text| Form { text, is_secret })
        })
        .collect();

    // The longest first: a secret can be a part of another one.
    forms.sort_by_key(|form| Reverse(form.text.len()));

    let kept = forms
        .iter()
        .fold(text.to_owned(), |text, form| masked(&text, &form.text));

    let can_be_cut = text.chars().count() >= CUT_CHARS || kept.contains(MASK);
    let kept = if can_be_cut {
        let is_kept = |value: &str| is_named(value) || is_known(value);
        without_beginnings(&kept, &forms, is_kept)
    } else {
        kept
    };
    without_signatures(&kept)
}

/// A value with its lines, and each without what quotes it: of a key that has several lines, a text
/// can have one, and the quotation marks in a file of variables are not part of the value.
fn parts(value: &str) -> impl Iterator<Item = &str> {
    let lines = value.lines().flat_map(|line| [line, unquoted(line)]);
    [value, unquoted(value)].into_iter().chain(lines)
}

fn unquoted(part: &str) -> &str {
    part.trim().trim_matches(['"', '\''])
}

/// A text in which the beginnings of secrets are masked where it ends, or one of the reasons that
/// it is joined from: ECS cuts a reason that is too long.
fn without_beginnings(text: &str, forms: &[Form], is_kept: impl Fn(&str) -> bool) -> String {
    let shortened = |reason: &str| {
        let longest = forms
            .iter()
            .filter_map(|form| beginning(reason, form, &is_kept))
            .max();
        match longest {
            Some(length) => format!("{}{MASK}", &reason[..reason.len() - length]),
            None => reason.to_owned(),
        }
    };
    let reasons: Vec<String> = text.split(JOINT).map(shortened).collect();
    reasons.join(JOINT)
}

/// The length of the longest beginning of a secret with which a text ends. One that is a whole word
/// is more likely a word of the text, unless the variable is named as a secret.
fn beginning(text: &str, form: &Form, is_kept: impl Fn(&str) -> bool) -> Option<usize> {
    let is_letter = |c: char| c.is_ascii_alphabetic();
    let is_masked = |at: usize| {
        let (start, rest) = form.text.split_at(at);
        let is_word = start.chars().all(is_letter) && !rest.starts_with(is_letter);
        text.ends_with(start) && (form.is_secret || !is_word && !is_kept(start))
    };

    let ends = form.text.char_indices().map(|(at, _)| at);
    ends.take_while(|at| *at <= text.len())
        .filter(|at| *at >= SECRET_CHARS && is_masked(*at))
        .last()
}

/// Whether a value is a whole part of a name, or several: `api` and `example/api` of
/// `example/api:1`. Any other piece of a name is not a name.
fn has_part(name: &str, value: &str) -> bool {
    let ends = |next: Option<char>| next.is_none_or(|c| "/:-_.@".contains(c));

    name.match_indices(value).any(|(at, _)| {
        let (before, from) = name.split_at(at);
        ends(before.chars().next_back()) && ends(from[value.len()..].chars().next())
    })
}

/// A secret as AWS's texts have it: plain, in a string of JSON, once or twice, as Go writes one,
/// which escapes more, and in an address; and what is left of each where an address lost its query.
fn written_forms(secret: &str) -> Vec<String> {
    let json = escaped(secret);
    let twice = escaped(&json);
    let go = json
        .replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e");

    let mut forms = Vec::from([secret.to_owned(), json, go]);
    forms.extend([twice, percent_encoded(secret)]);
    let shortened: Vec<String> = forms.iter().flat_map(|form| shortened(form)).collect();
    forms.extend(shortened);
    forms
}

/// A text as a string of JSON has it.
fn escaped(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A text as an address has it (RFC 3986).
fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// What is left of a secret in a text that lost its signatures before: all of it and each piece,
/// also of a path whose address begins before it.
fn shortened(form: &str) -> Vec<String> {
    let cut = without_queries(form);
    let pieces = cut.split(MASK).filter(|piece| !piece.ends_with(SCHEME_END));
    let mut left: Vec<String> = pieces.map(ToOwned::to_owned).collect();
    if let Some((path, _)) = form.split_once('?') {
        left.extend([format!("{path}?{MASK}"), format!("{path}?")]);
    }
    left.extend([without_recognised(&cut), cut]);

    // A name before it masked its first word or assignment.
    let ends = [form.find(ends_value), form.find(SEPARATORS)];
    let rests = ends.into_iter().flatten().map(|at| &form[at..]);
    left.extend(rests.map(|rest| format!("{MASK}{rest}")));

    left.retain(|left| left.len() >= SECRET_CHARS && left != form);
    left
}

/// Whether a text is the name of a region of AWS, such as `us-gov-west-1`, and not only of that
/// form: any other text may be a secret
/// (docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html).
fn is_region_name(text: &str) -> bool {
    const SIDES: [&str; 5] = ["central", "north", "south", "east", "west"];

    let Some((place, number)) = text.rsplit_once('-') else {
        return false;
    };
    let mut parts = place.split('-');
    let area = parts.next().unwrap_or_default();
    let side = parts.next_back().unwrap_or_default();

    let is_area = (2..=4).contains(&area.len()) && area.bytes().all(|b| b.is_ascii_lowercase());
    let is_number = number.len() == 1 && number.bytes().all(|b| b.is_ascii_digit());
    is_area && is_number && SIDES.iter().any(|known| side.starts_with(known))
}

/// Masks a value everywhere, but one that is a word not inside a longer word.
fn masked(text: &str, value: &str) -> String {
    let is_word = value.bytes().all(|b| b.is_ascii_alphabetic());
    let of_word = |c: Option<char>| is_word && c.is_some_and(char::is_alphanumeric);

    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(value) {
        let (before, from) = rest.split_at(at);
        let after = &from[value.len()..];
        let last = before.chars().next_back().or(kept.chars().next_back());
        let is_part = of_word(last) || of_word(after.chars().next());

        kept.push_str(before);
        kept.push_str(if is_part { value } else { MASK });
        rest = after;
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests;
