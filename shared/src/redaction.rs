//! What AWS's texts lose before they reach a message, a record or a log: the query of an address,
//! which can be its signature, its credentials, and known secrets.
//!
//! Never removes what an operator needs to understand the text: names, regions and ECS's own words
//! stay.

use std::cmp::Reverse;

use serde_json::Value;

use crate::limits::SECRET_CHARS;

const MASK: &str = "***";

/// Words of ECS's own messages of at least [`SECRET_CHARS`] letters. As the value of a variable
/// they are no secret, and masked they would make a refusal unreadable.
pub const WORDS: [&str; 33] = [
    "awsvpc",
    "bridge",
    "cluster",
    "command",
    "container",
    "containers",
    "cpuArchitecture",
    "definition",
    "environment",
    "essential",
    "execution",
    "executionRoleArn",
    "external",
    "family",
    "fargate",
    "FARGATE",
    "healthCheck",
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
    "secrets",
    "service",
    "setting",
    "specified",
    "volume",
];

/// A text with the query and the credentials of every address in it removed: a signed address lets
/// every reader fetch what it names.
#[must_use]
pub(crate) fn without_signatures(text: &str) -> String {
    const SCHEME_END: &str = "://";

    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(SCHEME_END) {
        let (scheme, after) = rest.split_at(at + SCHEME_END.len());
        let end = after
            .find(|c: char| c.is_whitespace() || "\"'<>`)]}|".contains(c))
            .unwrap_or(after.len());
        let (address, tail) = after.split_at(end);

        kept.push_str(scheme);
        kept.push_str(&unsigned(address));
        rest = tail;
    }
    kept.push_str(rest);
    kept
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
    let is_known = |secret: &str| WORDS.contains(&secret) || is_region(secret);

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

/// Whether a text is the name of a region of AWS, such as `us-gov-west-1`
/// (docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html).
fn is_region(text: &str) -> bool {
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
mod tests {
    use super::*;

    fn without(text: &str, values: &[&str], names: &[&str]) -> String {
        without_values(text, std::iter::empty(), values.iter().copied(), names)
    }

    #[test]
    fn an_address_keeps_its_path_and_loses_query_and_credentials() {
        let reason = "CannotPullContainerError: Get \"https://prod-eu-west-1-starport-layer-bucket\
                      .s3.eu-west-1.amazonaws.com/1a2b/3c4d?X-Amz-Security-Token=T&\
                      X-Amz-Signature=0a0a\": dial tcp 10.0.3.17:443: i/o timeout";
        assert_eq!(
            without_signatures(reason),
            "CannotPullContainerError: Get \"https://prod-eu-west-1-starport-layer-bucket\
             .s3.eu-west-1.amazonaws.com/1a2b/3c4d?***\": dial tcp 10.0.3.17:443: i/o timeout"
        );

        for (text, kept) in [
            (
                "GET http://a/b?c=d failed, see https://e/f",
                "GET http://a/b?*** failed, see https://e/f",
            ),
            ("(https://user:word@host/path)", "(https://***@host/path)"),
            ("cut at https://a/b?X-Amz-Sig", "cut at https://a/b?***"),
            (
                "postgres://app:pa/ss?w@db:5432/x",
                "postgres://***@db:5432/x",
            ),
            ("https://me:1234?5@host/x", "https://***@host/x"),
            (
                "https://me:12/34@example.com/x",
                "https://***@example.com/x",
            ),
            ("https://to/ken@example.com/x", "https://***@example.com/x"),
            (
                "https://me:p@s/s@example.com/x",
                "https://***@example.com/x",
            ),
            (
                "https://host:8080/lib@1.2.3/x",
                "https://host:8080/lib@1.2.3/x",
            ),
            (
                "https://example.com/of/me@example.com",
                "https://example.com/of/me@example.com",
            ),
            (
                "oci://registry:5000/web@sha256:0a",
                "oci://registry:5000/web@sha256:0a",
            ),
            ("http://host:8080?to=me", "http://host:8080?***"),
            ("really? yes", "really? yes"),
            ("", ""),
        ] {
            assert_eq!(without_signatures(text), kept);
        }
    }

    #[test]
    fn values_of_6_characters_are_masked_everywhere_and_those_of_5_are_kept() {
        let text = "abcde1, vwxyz and x-abcde1y";
        assert_eq!(
            without(text, &["vwxyz", "abcde1", ""], &[]),
            "***, vwxyz and x-***y"
        );
        assert_eq!(without("ab12cd34", &["ab12cd", "ab12cd34"], &[]), "***");
    }

    #[test]
    fn names_and_words_of_ecs_are_kept() {
        let text = "At least one of 'memory' or 'memoryReservation' must be specified for backend";
        assert_eq!(without(text, &["memory", "backend"], &["backend"]), text);
        assert_eq!(
            without("hunter, hunters and hunter", &["hunter"], &[]),
            "***, hunters and ***"
        );

        let text = "DATABASE_URL is not set for web-1";
        assert_eq!(
            without(text, &["DATABASE", "web-1x"], &["DATABASE_URL"]),
            text
        );
        assert_eq!(
            without(text, &["DATABASE"], &[]),
            "***_URL is not set for web-1"
        );
    }

    #[test]
    fn a_value_is_kept_as_whole_parts_of_a_name_only() {
        let name = "1.dkr.ecr.eu-west-1.amazonaws.com/example/hunter:stable@sha256:0a";
        for part in [
            "example",
            "example/hunter",
            "hunter",
            "stable",
            "amazonaws.com",
        ] {
            assert_eq!(without(part, &[part], &[name]), part);
        }
        for piece in [
            "xample",
            "example/hunt",
            "hunter:sta",
            "256:0a",
            "zonaws.com",
        ] {
            assert_eq!(without(piece, &[piece], &[name]), MASK, "{piece}");
        }
        assert_eq!(without("backend", &["backend"], &["backend"]), "backend");
    }

    #[test]
    fn a_known_secret_is_masked_although_it_is_a_name() {
        let secret = ["backend"];
        let text = without_values(
            "backend failed",
            secret.into_iter(),
            std::iter::empty(),
            &["backend"],
        );
        assert_eq!(text, "*** failed");
    }

    #[test]
    fn regions_are_kept_and_what_looks_like_one_is_not() {
        for region in [
            "eu-west-1",
            "ap-southeast-2",
            "us-gov-west-1",
            "eusc-de-east-1",
            "mx-central-1",
        ] {
            assert_eq!(without(region, &[region], &[]), region);
        }
        for secret in [
            "my-secret-1",
            "eu-west-12",
            "eu-west-x",
            "database-west-1",
            "a1b2-west-1",
            "eu-west",
        ] {
            assert_eq!(without(secret, &[secret], &[]), MASK, "{secret}");
        }
    }

    #[test]
    fn a_secret_is_masked_as_json_and_go_write_it_too() {
        let secret = "a\"b\\c<d&e>\n";
        for written in [
            secret,
            r#"a\"b\\c<d&e>\n"#,
            r#"a\"b\\c\u003cd\u0026e\u003e\n"#,
        ] {
            assert_eq!(without(&format!("[{written}]"), &[secret], &[]), "[***]");
        }
    }
}
