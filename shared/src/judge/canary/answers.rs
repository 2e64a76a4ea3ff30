//! Which requests are bad: those without a good answer, where the counters fall into the same
//! minute, else those that failed by themselves.

use serde::{Deserialize, Serialize};

/// How bad requests are counted. Decided once, before the bake, for both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BadRule {
    /// `RequestCount − 2XX − 3XX − 4XX`: target 5XX, refused connections, 502 and 504 that the
    /// balancer makes for a target, and clients that went away.
    #[serde(rename = "difference")]
    Difference,
    /// `5XX + TargetConnectionErrorCount`.
    #[serde(rename = "5xx")]
    Failures,
}

impl BadRule {
    /// The word of the offline contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Difference => "difference",
            Self::Failures => "5xx",
        }
    }
}

/// What became of the requests of a minute, of one side or of one zone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answers {
    pub requests: u64,
    /// 2XX and 3XX.
    pub good: u64,
    /// 4XX.
    pub client_errors: u64,
    /// 5XX of targets.
    pub server_errors: u64,
    /// Connections that targets refused.
    pub refused: u64,
}

impl Answers {
    /// Requests without a good answer; negative where answers are counted in a later minute.
    pub(super) fn difference(&self) -> i64 {
        self.requests.cast_signed() - (self.good + self.client_errors).cast_signed()
    }

    /// 5XX and refused connections. A balancer tries again where a target refuses, so these can be
    /// more than the requests.
    pub(super) fn failures(&self) -> u64 {
        self.server_errors + self.refused
    }

    /// Answers of targets.
    pub(super) fn answered(&self) -> u64 {
        self.good + self.client_errors + self.server_errors
    }

    /// Bad requests, at most all of them.
    pub fn bad(&self, rule: BadRule) -> u64 {
        match rule {
            BadRule::Difference => u64::try_from(self.difference()).unwrap_or(0),
            BadRule::Failures => self.failures().min(self.requests),
        }
    }

    /// Requests answered 4XX, at most all of them.
    pub fn rejected(&self) -> u64 {
        self.client_errors.min(self.requests)
    }

    /// Adds those of another minute or zone.
    pub fn add(&mut self, more: &Self) {
        self.requests += more.requests;
        self.good += more.good;
        self.client_errors += more.client_errors;
        self.server_errors += more.server_errors;
        self.refused += more.refused;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(requests: u64, good: u64, client: u64, server: u64, refused: u64) -> Answers {
        Answers {
            requests,
            good,
            client_errors: client,
            server_errors: server,
            refused,
        }
    }

    #[test]
    fn both_counts_stay_within_the_requests() {
        let cases = [
            (answers(100, 90, 4, 3, 1), (6, 4, 4)),
            (answers(100, 100, 4, 0, 0), (0, 0, 4)),
            (answers(100, 0, 0, 0, 300), (100, 100, 0)),
            (answers(100, 0, 130, 0, 0), (0, 0, 100)),
            (answers(0, 0, 0, 0, 0), (0, 0, 0)),
        ];
        for (answers, expected) in cases {
            let found = (
                answers.bad(BadRule::Difference),
                answers.bad(BadRule::Failures),
                answers.rejected(),
            );
            assert_eq!(found, expected, "{answers:?}");
        }
    }
}
