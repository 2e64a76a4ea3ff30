//! The calls that services answered, for tests and invariants.

use std::ops::Deref;

use super::Millis;

/// One call that a service answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub at: Millis,
    pub caller: String,
    /// The name that the signature names: `ecs`, `elasticloadbalancing`, …
    pub service: String,
    pub operation: String,
    /// The code of the error that was returned.
    pub error: Option<String>,
    /// The attempt of Lambda that called, when the driver sets it.
    pub attempt: Option<u64>,
    /// Whether no more than half of the response arrived.
    pub cut_off: bool,
}

/// How the names of operations begin that change nothing that others can see. BatchGetImage may
/// import an image into a pull through cache, but by its tag only, and it is called with digests.
const READS: [&str; 8] = [
    "AssumeRole",
    "BatchGet",
    "Describe",
    "Get",
    "Head",
    "List",
    "Query",
    "Scan",
];

impl Call {
    /// Whether the operation changes nothing: it reads, or is given temporary credentials.
    #[must_use]
    pub fn is_read(&self) -> bool {
        READS.iter().any(|read| self.operation.starts_with(read))
    }

    #[must_use]
    pub fn is_throttled(&self) -> bool {
        self.error
            .as_deref()
            .is_some_and(|code| code.contains("hrottling") || code == "SlowDown")
    }
}

/// All calls so far, oldest first.
#[derive(Clone, Debug, Default)]
pub struct CallLog {
    calls: Vec<Call>,
    attempt: Option<u64>,
}

impl CallLog {
    /// Sets the attempt of Lambda that makes the calls from now on.
    pub fn attribute_to(&mut self, attempt: Option<u64>) {
        self.attempt = attempt;
    }

    /// Forgets the calls so far, as a long run does whose memory is measured.
    pub fn clear(&mut self) {
        self.calls.clear();
    }

    /// Adds a call of that attempt.
    pub(super) fn add(&mut self, call: Call) {
        let attempt = self.attempt;
        self.calls.push(Call { attempt, ..call });
    }

    /// Records that the response of the last call does not arrive whole.
    pub(crate) fn cut_off(&mut self) {
        if let Some(last) = self.calls.last_mut() {
            last.cut_off = true;
        }
    }
}

impl Deref for CallLog {
    type Target = [Call];

    fn deref(&self) -> &[Call] {
        &self.calls
    }
}
