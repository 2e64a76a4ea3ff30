//! What a check requests and expects, as the user parameters state it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::url::CheckUrl;
use crate::limits::{CHECK_ATTEMPTS, CHECK_LATENCY_MS, TASK_NAME_CHARS};
use crate::redaction::without_signatures;

/// Headers that belong to the connection or to a body.
const OF_THE_CONNECTION: [&str; 4] = [
    "connection",
    "content-length",
    "transfer-encoding",
    "upgrade",
];

/// The statuses by which rules refuse a request.
pub(super) const REFUSALS: [u16; 2] = [403, 404];

/// A check of one URL, which is requested with GET.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpCheck {
    /// Its name in the results, such as `health`, another one in each check of the action.
    pub name: String,
    /// `https://` or `http://`, the name of a load balancer, and a path.
    pub url: String,
    /// For a pair of which each colour has a load balancer of its own: the URL of green, where
    /// `url` is that of blue. That of the idle colour is requested.
    pub green_url: Option<String>,
    /// Headers to send, by their names, such as that of a test rule.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The one of `headers` by which rules decide which version responds. The same request with
    /// another value of it is made too, and must be refused with status 403 or 404: it proves that
    /// no request with this header is left to the production rule.
    pub decided_by: Option<String>,
    /// The status that passes, or a list of them; 200 when not given.
    pub status: Option<Statuses>,
    /// A text that is in the first 64 KiB of the body.
    pub body_contains: Option<String>,
    /// A header of the response with its whole value.
    pub response_header: Option<ExpectedHeader>,
    /// The longest time from the request to the end of the response, in milliseconds.
    #[schemars(range(min = 1, max = CHECK_LATENCY_MS))]
    pub max_latency_ms: Option<u32>,
    /// How many attempts are made at most, one a job; 1 when not given.
    #[schemars(range(min = 1, max = CHECK_ATTEMPTS))]
    pub attempts: Option<u32>,
    /// How many of the attempts must pass; 1 when not given.
    #[schemars(range(min = 1, max = CHECK_ATTEMPTS))]
    pub required: Option<u32>,
}

/// One status or several.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "expected a status of HTTP, or a list of statuses"
)]
pub enum Statuses {
    One(u16),
    Several(Vec<u16>),
}

/// A header that a response must have.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedHeader {
    pub name: String,
    pub value: String,
}

impl Statuses {
    fn list(&self) -> &[u16] {
        match self {
            Self::One(status) => std::slice::from_ref(status),
            Self::Several(list) => list,
        }
    }
}

impl HttpCheck {
    pub(super) fn statuses(&self) -> &[u16] {
        match &self.status {
            Some(statuses) => statuses.list(),
            None => &[200],
        }
    }

    pub(super) fn attempts(&self) -> u32 {
        self.attempts.unwrap_or(1)
    }

    pub(super) fn required(&self) -> u32 {
        self.required.unwrap_or(1)
    }

    /// Checks its parameters; `at` is where they are.
    ///
    /// # Errors
    /// The field, what was found, and what is expected.
    pub fn validate(&self, at: &str) -> Result<(), String> {
        if !is_check_name(&self.name) {
            return Err(format!(
                "`{at}.name` is `{}`; expected 1 to {TASK_NAME_CHARS} small letters, digits and \
                 hyphens",
                self.name
            ));
        }
        let url = parsed(&format!("{at}.url"), &self.url)?;
        self.validate_headers(at, &url)?;
        self.validate_green_url(at, &url)?;
        self.validate_expectations(at)?;
        self.validate_decided_by(at)?;
        self.validate_attempts(at)
    }

    fn validate_green_url(&self, at: &str, blue: &CheckUrl<'_>) -> Result<(), String> {
        let Some(url) = &self.green_url else {
            return Ok(());
        };
        let green = parsed(&format!("{at}.green_url"), url)?;
        self.validate_headers(at, &green)?;
        if green.host().eq_ignore_ascii_case(blue.host()) {
            return Err(format!(
                "`{at}.green_url` has the host `{}` of `url`; expected that of green's own load \
                 balancer",
                green.host()
            ));
        }
        Ok(())
    }

    fn validate_decided_by(&self, at: &str) -> Result<(), String> {
        let Some(name) = &self.decided_by else {
            return Ok(());
        };
        if !self.headers.contains_key(name) {
            return Err(format!(
                "`{at}.decided_by` is `{name}`; expected the name of one of `headers`"
            ));
        }
        let statuses = self.statuses();
        if statuses.iter().any(|status| REFUSALS.contains(status)) {
            return Err(format!(
                "`{at}.status` is `{}`; expected no status of a refusal ({}) with `decided_by`",
                listed(statuses),
                listed(&REFUSALS)
            ));
        }
        Ok(())
    }

    fn validate_headers(&self, at: &str, url: &CheckUrl<'_>) -> Result<(), String> {
        for (name, value) in &self.headers {
            let lower = name.to_ascii_lowercase();
            if !is_header_name(name) || OF_THE_CONNECTION.contains(&lower.as_str()) {
                return Err(format!(
                    "`{at}.headers` has the name `{name}`; expected letters, digits and hyphens, \
                     and none of {}",
                    OF_THE_CONNECTION.join(", ")
                ));
            }
            if lower == "host" && url.is_encrypted() {
                return Err(format!(
                    "`{at}.headers` has `{name}`; expected with http only: the certificate is \
                     that of the name in `url`"
                ));
            }
            if value.is_empty() || !value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
                return Err(format!(
                    "`{at}.headers.{name}` is empty or has other characters; expected visible \
                     ASCII characters and spaces"
                ));
            }
        }
        Ok(())
    }

    fn validate_expectations(&self, at: &str) -> Result<(), String> {
        let statuses = self.statuses();
        if statuses.is_empty() || !statuses.iter().all(|it| (200..=599).contains(it)) {
            return Err(format!(
                "`{at}.status` is `{}`; expected 200 to 599",
                listed(statuses)
            ));
        }
        if self.body_contains.as_ref().is_some_and(String::is_empty) {
            return Err(format!(
                "`{at}.body_contains` is empty; expected a text, or no `body_contains`"
            ));
        }
        match &self.response_header {
            Some(header) if !is_header_name(&header.name) => Err(format!(
                "`{at}.response_header.name` is `{}`; expected letters, digits and hyphens",
                header.name
            )),
            _ => Ok(()),
        }
    }

    fn validate_attempts(&self, at: &str) -> Result<(), String> {
        for (field, found, most) in [
            ("max_latency_ms", self.max_latency_ms, CHECK_LATENCY_MS),
            ("attempts", self.attempts, CHECK_ATTEMPTS),
            ("required", self.required, self.attempts()),
        ] {
            if let Some(found) = found
                && !(1..=most).contains(&found)
            {
                return Err(format!("`{at}.{field}` is {found}; expected 1 to {most}"));
            }
        }
        Ok(())
    }
}

/// The parts of the URL at `at`.
fn parsed<'a>(at: &str, url: &'a str) -> Result<CheckUrl<'a>, String> {
    CheckUrl::parse(url).map_err(|expected| {
        let found = without_signatures(url);
        format!("`{at}` is `{found}`; expected {expected}")
    })
}

/// Whether a text can be the name of a check or of a one-off task.
#[must_use]
pub fn is_check_name(text: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    (1..=TASK_NAME_CHARS).contains(&text.len()) && text.bytes().all(is_allowed)
}

fn is_header_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

pub(super) fn listed(statuses: &[u16]) -> String {
    let all: Vec<String> = statuses.iter().map(u16::to_string).collect();
    all.join(", ")
}
