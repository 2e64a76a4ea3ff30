//! What AWS's texts lose before they reach a message, a record or a log: the query of an address,
//! which can be its signature, and the values of environment variables.
//!
//! Never removes what a person needs to understand the text: names and ECS's own words stay.

use crate::limits::SECRET_CHARS;

const MASK: &str = "***";

/// Words of ECS's own messages of at least [`SECRET_CHARS`] letters. As the value of a variable
/// they are no secret, and masked they would make a refusal unreadable.
const WORDS: [&str; 33] = [
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
pub fn without_signatures(text: &str) -> String {
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
    let (path, query) = match address.split_once('?') {
        Some((path, _)) => (path, format!("?{MASK}")),
        None => (address, String::new()),
    };
    let host_end = path.find('/').unwrap_or(path.len());
    let path = match path[..host_end].rfind('@') {
        Some(at) => format!("{MASK}{}", &path[at..]),
        None => path.to_owned(),
    };
    path + &query
}

/// A text with `values` masked, except those that are a word of ECS or one of `names`. Shorter
/// values than [`SECRET_CHARS`] stay: masking every `1` or `true` would make the text unreadable.
#[must_use]
pub fn without_values<'a>(
    text: &str,
    values: impl Iterator<Item = &'a str>,
    names: &[&str],
) -> String {
    let mut values: Vec<&str> = values
        .filter(|value| value.len() >= SECRET_CHARS)
        .filter(|value| !WORDS.contains(value) && !names.contains(value))
        .collect();

    // The longest first: a value can be a part of another one.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));

    values
        .into_iter()
        .fold(text.to_owned(), |text, value| masked(&text, value))
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
        without_values(text, values.iter().copied(), names)
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
    }
}
