//! The limit of requests: a bucket of tokens for the account.
//!
//! Source: <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/throttling-api-requests.html>

use crate::Millis;

/// How many requests a full bucket allows at once.
const CAPACITY: i64 = 50;
/// How many tokens are added each second.
const REFILL: i64 = 10;

/// The tokens that are left, in thousandths of one.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    left: i64,
    at: Millis,
}

impl Default for Bucket {
    fn default() -> Self {
        Self {
            left: CAPACITY * 1000,
            at: 0,
        }
    }
}

impl Bucket {
    /// Takes a token, if there is one.
    pub(super) fn take(&mut self, now: Millis) -> bool {
        self.left = (self.left + (now - self.at) * REFILL).min(CAPACITY * 1000);
        self.at = now;
        let has_one = self.left >= 1000;
        if has_one {
            self.left -= 1000;
        }
        has_one
    }
}
