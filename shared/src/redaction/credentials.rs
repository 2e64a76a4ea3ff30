//! Credentials that are known by their form, in any text: those of an `Authorization` header, a
//! name with its password in base64 or before a network, the id of an access key, the tokens of
//! sessions, private keys and generated tokens.
//!
//! Never masks a word that a sentence could have after such a header's scheme, and no text for
//! being long or in base64: AWS encodes what it means, too.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;

use crate::limits::{RANDOM_CHARS, SECRET_CHARS};

/// Base64 without its padding, whatever the bits after the last byte are.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));

/// What is in place of what was removed.
pub(crate) const MASK: &str = "***";

/// What comes before the credentials in a header of HTTP, in lower case.
pub(crate) const SCHEMES: [&str; 2] = ["basic", "bearer"];

/// A scheme that is also a word of sentences: only the header's name before it shows what it is.
const HEADER_SCHEME: &str = "token";

/// How the id of an access key begins, of a user and of a session
/// (docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html).
const KEY_KINDS: [&str; 2] = ["AKIA", "ASIA"];

/// How the tokens of sessions begin, in base64, now and before
/// (github.com/aws/aws-cli: `awscli/examples/sts/assume-role-with-saml.rst`).
const SESSION_STARTS: [&str; 2] = ["IQoJb3JpZ2lu", "FwoGZXIvYXdz"];

/// Length of the id of an access key.
const KEY_CHARS: usize = 20;

/// How tokens begin: what JSON with a key is in base64, as the parts of a JWT (RFC 7519) and the
/// configuration of Docker, and the tokens of Anthropic, DigitalOcean, Docker Hub, GitHub, GitLab,
/// Google, OpenAI, SendGrid, Shopify, Slack, Stripe and Vault, each as its maker documents it. Not
/// among them are those that begin as names can, such as `npm_` and `hf_`.
const TOKEN_STARTS: [&str; 29] = [
    "eyJ",
    "sk-ant-",
    "dop_v1_",
    "dckr_pat_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "gldt-",
    "glpat-",
    "glptt-",
    "glrt-",
    "AIza",
    "sk-proj-",
    "SG.",
    "shpat_",
    "xapp-",
    "xoxa-",
    "xoxb-",
    "xoxp-",
    "xoxs-",
    "rk_live_",
    "rk_test_",
    "sk_live_",
    "sk_test_",
    "whsec_",
    "hvs.",
];

/// What follows the password where a connection names its network
/// (github.com/go-sql-driver/mysql: DSN).
const NETWORKS: [&str; 2] = ["@tcp(", "@unix("];

/// What begins a key in PEM, what ends the line of its kind, and what begins its last line
/// (RFC 7468).
const PEM: [&str; 3] = ["-----BEGIN ", "-----", "-----END "];

/// A text without the credentials in it that are known by their form.
pub(super) fn without_credentials(text: &str) -> String {
    let text = without_passwords(&without_private_keys(text));
    let mut before = ["", ""];
    let text = masked_words(&text, is_of_token, |word| {
        let is_token = is_token(before, word);
        before = [before[1], word];
        is_token
    });
    let text = masked_words(&text, is_of_generated, is_generated);
    let text = masked_words(&text, is_of_base64, |word| {
        is_encoded_pair(word) || is_session_token(word)
    });
    masked_words(&text, |c: char| c.is_ascii_alphanumeric(), is_key_id)
}

/// A text without the keys in PEM that are private. Without its last line a key was cut.
fn without_private_keys(text: &str) -> String {
    let [begin, dashes, end] = PEM;
    let mut parts = text.split(begin);
    let mut kept = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        kept.push_str(begin);
        match part.split_once(dashes) {
            // The keys of PGP are blocks (RFC 9580).
            Some((kind, key)) if kind.contains("PRIVATE KEY") => {
                let length = key.find(end).unwrap_or(key.len());
                kept.extend([kind, dashes, MASK, &key[length..]]);
            }
            _ => kept.push_str(part),
        }
    }
    kept
}

/// A text without the passwords of `user:password@tcp(host)`. An address has lost them before.
fn without_passwords(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = next_network(rest) {
        let (before, from) = rest.split_at(at);
        let mut words = before.rsplit(|c: char| c.is_whitespace() || "\"'`".contains(c));
        let word = words.next().unwrap_or_default();
        let user = word.split_once(':').filter(|_| !word.contains("://"));

        match user {
            Some((_, password)) => {
                kept.push_str(&before[..before.len() - password.len()]);
                kept.push_str(MASK);
            }
            None => kept.push_str(before),
        }
        kept.push_str(&from[..1]);
        rest = &from[1..];
    }
    kept.push_str(rest);
    kept
}

/// Where the next name of a network is, with its `@`.
fn next_network(text: &str) -> Option<usize> {
    NETWORKS
        .iter()
        .filter_map(|network| text.find(network))
        .min()
}

/// A text in which the words that are credentials are masked. What is part of a word is `is_of`.
fn masked_words<'a>(
    text: &'a str,
    is_of: impl Fn(char) -> bool,
    mut is_credential: impl FnMut(&'a str) -> bool,
) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(&is_of) {
        let (between, from) = rest.split_at(start);
        let end = from.find(|c: char| !is_of(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);

        kept.push_str(between);
        kept.push_str(if is_credential(word) { MASK } else { word });
        rest = after;
    }
    kept.push_str(rest);
    kept
}

fn is_of_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~+/=".contains(c)
}

fn is_of_generated(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

fn is_generated(word: &str) -> bool {
    let is_known = TOKEN_STARTS.iter().any(|start| word.starts_with(start));
    is_known && word.len() >= RANDOM_CHARS
}

fn is_of_base64(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/".contains(c)
}

/// Whether a word is what a header has after its scheme. Without the header's name before it, it
/// must not be a plain word: "Basic authentication failed" has none.
fn is_token([earlier, before]: [&str; 2], word: &str) -> bool {
    let (name, scheme) = before.rsplit_once('=').unwrap_or((earlier, before));
    let is_header = name.to_ascii_lowercase().ends_with("authorization");

    let is_known = SCHEMES
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known));
    let is_of_header = is_header && scheme.eq_ignore_ascii_case(HEADER_SCHEME);
    let is_scheme = is_of_header || is_known && (is_header || !is_plain(word));
    word.len() >= SECRET_CHARS && is_scheme
}

/// Whether a word is one of a sentence, by its letters.
pub(super) fn is_plain(word: &str) -> bool {
    word.bytes()
        .all(|b| b.is_ascii_alphabetic() || b"-.".contains(&b))
}

/// Whether a word is a name and a password in base64, as a header with the scheme Basic has them.
fn is_encoded_pair(word: &str) -> bool {
    let Some(bytes) = decoded(word).filter(|_| word.len() >= 2 * SECRET_CHARS) else {
        return false;
    };
    let colon = bytes.iter().position(|b| *b == b':');
    bytes.iter().all(u8::is_ascii_graphic) && colon.is_some_and(|at| at > 0 && at + 1 < bytes.len())
}

fn is_session_token(word: &str) -> bool {
    let is_known = SESSION_STARTS.iter().any(|start| word.starts_with(start));
    is_known && word.len() > RANDOM_CHARS
}

/// The bytes of a word of base64 without its padding. A last letter that is a part of a byte only
/// is left out.
fn decoded(word: &str) -> Option<Vec<u8>> {
    let whole = word.len() - usize::from(word.len() % 4 == 1);
    LENIENT.decode(word.get(..whole)?).ok()
}

fn is_key_id(word: &str) -> bool {
    let is_kind = KEY_KINDS.iter().any(|kind| word.starts_with(kind));
    let is_of_id = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    is_kind && word.len() == KEY_CHARS && word.bytes().all(is_of_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_header_has_after_its_scheme_is_masked_and_a_sentence_is_kept() {
        for (text, kept) in [
            (
                "[curl -H Authorization: Bearer hunter22 x]",
                "[curl -H Authorization: Bearer *** x]",
            ),
            (
                r#""authorization":"bearer secret""#,
                r#""authorization":"bearer ***""#,
            ),
            (
                "Proxy-Authorization: Basic abcdef",
                "Proxy-Authorization: Basic ***",
            ),
            ("AUTHORIZATION=Bearer abcdef", "AUTHORIZATION=Bearer ***"),
            ("BEARER a1.b2-c3_d4~e5+f6/g7==", "BEARER ***"),
            ("Basic authentication failed", "Basic authentication failed"),
            ("the bearer token is missing", "the bearer token is missing"),
            ("Bearer abc1", "Bearer abc1"),
            ("basics hunter22", "basics hunter22"),
            ("", ""),
        ] {
            assert_eq!(without_credentials(text), kept);
        }
    }

    #[test]
    fn a_name_with_its_password_in_base64_is_masked() {
        // app:hunter22, app:hunter2 and app:hunter.
        for encoded in ["YXBwOmh1bnRlcjIy", "YXBwOmh1bnRlcjI=", "YXBwOmh1bnRlcg=="] {
            let text = format!("./run --header={encoded} failed");
            let padding = encoded.trim_start_matches(|c: char| c != '=');
            let kept = format!("./run --header=***{padding} failed");
            assert_eq!(without_credentials(&text), kept);
        }

        // ECS cut them within a byte.
        for cut in ["YXBwOmh1bnRlcjIyM", "YXBwOmh1bnRlcjIyMz", "YXBwOmh1bnRlcj"] {
            assert_eq!(without_credentials(cut), MASK, "{cut}");
        }

        // a:bc is too short, and hunter22hunter, :hunter22hunter and hunter22hunter: are not pairs.
        for kept in [
            "YTpiYw",
            "aHVudGVyMjJodW50ZXI",
            "Omh1bnRlcjIyaHVudGVy",
            "aHVudGVyMjJodW50ZXI6",
            "Unauthorized",
            "CannotPullContainerError",
        ] {
            assert_eq!(without_credentials(kept), kept);
        }
    }

    #[test]
    fn generated_tokens_are_masked_and_short_or_other_words_are_kept() {
        for start in TOKEN_STARTS {
            let rest = "0123456789abcdefghij";
            let token = &format!("{start}{rest}")[..20];
            let text = format!("run --with={token}: bad token '{token}'");
            assert_eq!(
                without_credentials(&text),
                "run --with=***: bad token '***'"
            );

            let shorter = &token[..19];
            assert_eq!(without_credentials(shorter), shorter);
        }
        for kept in ["my_ghp_0123456789abcdefghij", "GHP_0123456789abcdefghij"] {
            assert_eq!(without_credentials(kept), kept);
        }
    }

    #[test]
    fn the_token_of_a_session_is_masked_with_all_letters_of_base64() {
        for start in SESSION_STARTS {
            let token = format!("{start}X2VjEJ3//+wEaCXVz");
            let text = format!("session '{token}==' has expired, or {start} of it");
            let kept = format!("session '***==' has expired, or {start} of it");
            assert_eq!(without_credentials(&text), kept);
        }
    }

    #[test]
    fn a_private_key_is_masked_and_its_kind_and_a_certificate_are_kept() {
        for (text, kept) in [
            (
                "no file -----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----.",
                "no file -----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----.",
            ),
            (
                "a -----BEGIN PRIVATE KEY-----\\nMIIabc",
                "a -----BEGIN PRIVATE KEY-----***",
            ),
            (
                "-----BEGIN CERTIFICATE-----\nMIIabc\n-----END CERTIFICATE-----",
                "-----BEGIN CERTIFICATE-----\nMIIabc\n-----END CERTIFICATE-----",
            ),
            (
                "-----BEGIN CERTIFICATE-----\nMIIabc\n-----END CERTIFICATE-----\n\
                 -----BEGIN EC PRIVATE KEY-----\nMIIdef\n-----END EC PRIVATE KEY-----",
                "-----BEGIN CERTIFICATE-----\nMIIabc\n-----END CERTIFICATE-----\n\
                 -----BEGIN EC PRIVATE KEY-----***-----END EC PRIVATE KEY-----",
            ),
            (
                "-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQdGabc\n\
                 -----END PGP PRIVATE KEY BLOCK-----",
                "-----BEGIN PGP PRIVATE KEY BLOCK-----***-----END PGP PRIVATE KEY BLOCK-----",
            ),
            ("-----BEGIN PRIVATE KEY", "-----BEGIN PRIVATE KEY"),
        ] {
            assert_eq!(without_credentials(text), kept);
        }
    }

    #[test]
    fn a_password_before_a_network_is_masked_and_what_is_an_address_is_kept() {
        for (text, kept) in [
            (
                "dial app:hunter22@tcp(db:3306)/shop failed",
                "dial app:***@tcp(db:3306)/shop failed",
            ),
            (
                "[DSN=app:p@ss:word@tcp(db)/a \"b:c@unix(/run/db)/d\"]",
                "[DSN=app:***@tcp(db)/a \"b:***@unix(/run/db)/d\"]",
            ),
            ("mysql://***@tcp(db:3306)/a", "mysql://***@tcp(db:3306)/a"),
            ("ä@tcp(db)/a", "ä@tcp(db)/a"),
            ("web:1@sha256:0a (tcp)", "web:1@sha256:0a (tcp)"),
        ] {
            assert_eq!(without_credentials(text), kept);
            assert_eq!(without_credentials(kept), kept, "a second time");
        }
    }

    #[test]
    fn the_id_of_an_access_key_is_masked() {
        for id in ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"] {
            let text = format!("KEY={id}/20260105 of {id}");
            assert_eq!(without_credentials(&text), "KEY=***/20260105 of ***");
        }
        for kept in [
            "AKIAIOSFODNN7EXAMPL",
            "AKIAIOSFODNN7EXAMPLES",
            "AROAIOSFODNN7EXAMPLE",
            "AKIAIOSFODNN7example",
        ] {
            assert_eq!(without_credentials(kept), kept);
        }
    }
}
