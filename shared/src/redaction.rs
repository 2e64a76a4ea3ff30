//! What AWS's texts lose before they reach a message, a record or a log: the query of an address,
//! which can be its signature, its credentials, and known secrets.
//!
//! Never removes what an operator needs to understand the text: names, regions and ECS's own words
//! stay.

use std::cmp::Reverse;

use serde_json::Value;

use crate::limits::SECRET_CHARS;

const MASK: &str = "***";

/// What comes between the scheme of an address and its host.
const SCHEME_END: &str = "://";

/// Words of ECS's own messages of at least [`SECRET_CHARS`] letters. As the value of a variable
/// they are no secret, and masked they would make a refusal unreadable.
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

/// A text with the query and the credentials of every address in it removed: a signed address lets
/// every reader fetch what it names.
#[must_use]
pub(crate) fn without_signatures(text: &str) -> String {
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

/// A text with `secrets` masked, and those `values` that are not whole parts of one of `names`.
/// What is a region, a word of ECS or shorter than [`SECRET_CHARS`] stays: masking every `1` or
/// `true` would make the text unreadable.
#[must_use]
pub(crate) fn without_values<'a>(
    text: &str,
    secrets: impl Iterator<Item = &'a str>,
    values: impl Iterator<Item = &'a str>,
    names: &[&str],
) -> String {
    let is_named = |value: &str| names.iter().any(|name| has_part(name, value));
    let is_known = |secret: &str| WORDS.contains(&secret) || is_region_name(secret);

    let mut forms: Vec<String> = secrets
        .chain(values.filter(|value| !is_named(value)))
        .filter(|secret| secret.len() >= SECRET_CHARS)
        .filter(|secret| !is_known(secret))
        .flat_map(written_forms)
        .collect();

    // The longest first: a secret can be a part of another one.
    forms.sort_by_key(|form| Reverse(form.len()));

    forms
        .iter()
        .fold(text.to_owned(), |text, form| masked(&text, form))
}

/// Whether a value is a whole part of a name, or several: `api` and `example/api` of
/// `example/api:1`. Any other piece of a name is no name.
fn has_part(name: &str, value: &str) -> bool {
    let ends = |next: Option<char>| next.is_none_or(|c| "/:-_.@".contains(c));

    name.match_indices(value).any(|(at, _)| {
        let (before, from) = name.split_at(at);
        ends(before.chars().next_back()) && ends(from[value.len()..].chars().next())
    })
}

/// A secret as AWS's texts have it: plain, in a string of JSON, and as Go writes one, which escapes
/// more.
fn written_forms(secret: &str) -> [String; 3] {
    let quoted = Value::from(secret).to_string();
    let json = quoted[1..quoted.len() - 1].to_owned();
    let go = json
        .replace('&', "\\u0026")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e");
    [secret.to_owned(), json, go]
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
