//! What a response proves about a check, and when its attempts have decided.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::check::{ExpectedHeader, HttpCheck, listed};
use crate::job::clipped;
use crate::limits::{CHECK_BODY_BYTES, CHECK_KEPT_CHARS, CHECK_READ_CHARS, CHECK_TEXT_CHARS};

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckResponse {
    pub status: u16,
    /// Their names are in lower case.
    pub headers: Vec<(String, String)>,
    /// At most [`CHECK_BODY_BYTES`] of it.
    pub body: Vec<u8>,
    /// From the request to the end of the response, or of what is read of it.
    pub latency: Duration,
}

/// A response, or why there is none.
pub type Attempt = Result<CheckResponse, String>;

/// What the attempts of a check have shown so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckProgress {
    pub passed: u32,
    pub failed: u32,
    /// What the last attempt found.
    pub last: String,
}

/// Whether the attempts of a check have decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckState {
    Ng,
    Open,
    Ok,
}

impl HttpCheck {
    /// What an attempt found that passes, or what is found in place of what is expected. Texts of
    /// the response are cut, and shown without secrets.
    ///
    /// # Errors
    /// The first expectation that is not met.
    pub fn judge(
        &self,
        attempt: &Attempt,
        redacted: impl Fn(&str) -> String,
    ) -> Result<String, String> {
        let shown = |text: &str| shown(text, &redacted);
        let statuses = listed(self.statuses());
        let response = attempt.as_ref().map_err(|cause| {
            let cause = shown(cause);
            format!("found no response ({cause}); expected status {statuses}")
        })?;
        let status = response.status;
        let body = String::from_utf8_lossy(&response.body);

        if !self.statuses().contains(&status) {
            let body = shown(&body);
            return Err(format!(
                "found status {status} with body {body}; expected status {statuses}"
            ));
        }
        self.judge_header(response, shown)?;
        if let Some(text) = &self.body_contains
            && !body.contains(text)
        {
            let found = shown(&body);
            let cut = if response.body.len() >= CHECK_BODY_BYTES {
                " in its first 64 KiB"
            } else {
                ""
            };
            return Err(format!("found body {found}; expected {text:?}{cut}"));
        }

        let (found, most) = (response.latency.as_millis(), self.max_latency_ms);
        match most.filter(|most| found > u128::from(*most)) {
            Some(most) => Err(format!("found {found}ms; expected at most {most}ms")),
            None => Ok(format!("status {status} in {found}ms")),
        }
    }

    fn judge_header(
        &self,
        response: &CheckResponse,
        shown: impl Fn(&str) -> String,
    ) -> Result<(), String> {
        let Some(ExpectedHeader { name, value }) = &self.response_header else {
            return Ok(());
        };
        let values = response.values_of(name);
        if values.contains(&value.as_str()) {
            return Ok(());
        }
        let found = shown(&values.join(", "));
        Err(format!("found header {name} {found}; expected {value:?}"))
    }

    /// Whether the attempts have decided.
    #[must_use]
    pub fn state(&self, progress: &CheckProgress) -> CheckState {
        if progress.passed >= self.required() {
            CheckState::Ok
        } else if progress.failed + self.required() > self.attempts() {
            CheckState::Ng
        } else {
            CheckState::Open
        }
    }

    /// One line about the check: OK or NG with what the last attempt found, and how many passed if
    /// several may be made. One that is not decided is SKIP if the action is over.
    #[must_use]
    pub fn line(&self, progress: &CheckProgress, is_over: bool) -> String {
        let (name, attempts) = (&self.name, self.attempts());
        let CheckProgress {
            passed,
            failed,
            last,
        } = progress;
        let made = passed + failed;
        let counts = if attempts > 1 {
            let required = self.required();
            format!("; {passed} of {made} attempts passed, {required} of {attempts} required")
        } else {
            String::new()
        };

        match self.state(progress) {
            CheckState::Ok => format!("OK {name}: {last}{counts}"),
            CheckState::Ng => format!("NG {name}: {last}{counts}"),
            CheckState::Open if is_over => format!(
                "SKIP {name}: not decided after {made} of {attempts} attempts, because another \
                 result is NG"
            ),
            CheckState::Open => format!("{name}: {last}{counts}"),
        }
    }

    /// How many attempts are left to make at most, and how many are allowed.
    #[must_use]
    pub fn left(&self, progress: &CheckProgress) -> (u32, u32) {
        let left = match self.state(progress) {
            CheckState::Open => self.attempts() - progress.passed - progress.failed,
            CheckState::Ok | CheckState::Ng => 0,
        };
        (left, self.attempts())
    }
}

impl CheckResponse {
    fn values_of(&self, name: &str) -> Vec<&str> {
        let headers = self.headers.iter();
        let own = headers.filter(|(known, _)| known.eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.as_str()).collect()
    }
}

impl CheckProgress {
    /// What is known after one more attempt.
    #[must_use]
    pub fn after(self, judged: Result<String, String>) -> Self {
        match judged {
            Ok(last) => Self {
                passed: self.passed + 1,
                last,
                ..self
            },
            Err(last) => Self {
                failed: self.failed + 1,
                last,
                ..self
            },
        }
    }

    /// What fits into a continuation token.
    #[must_use]
    pub fn kept(&self) -> Self {
        Self {
            last: clipped(&self.last, CHECK_KEPT_CHARS),
            ..*self
        }
    }
}

/// The beginning of a text of others: without secrets, then with its control characters escaped.
fn shown(text: &str, redacted: impl Fn(&str) -> String) -> String {
    let start: String = text.chars().take(CHECK_READ_CHARS).collect();
    let escaped = redacted(&start).escape_debug().to_string();
    format!("\"{}\"", clipped(&escaped, CHECK_TEXT_CHARS))
}
