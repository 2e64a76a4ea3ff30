//! The quotas of an account that AWS raises on request, and the token buckets by which services
//! limit the rate of requests.

use super::Millis;

/// The rate of a token bucket: what a full bucket allows at once, and what is added each second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub burst: i64,
    pub per_second: i64,
}

/// What an account may have and do in a region. Without a change it is what AWS gives a new
/// account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// Rules of the default event bus.
    pub rules: usize,
    pub pipelines: usize,
    /// Attempts of all functions that run at once.
    pub concurrent_attempts: usize,
    /// Calls of StartPipelineExecution. No document has their rate, so that a run sets it; without
    /// one they are not limited.
    pub starts: Option<Rate>,
    /// Whether each partition key of a table takes no more writes a second than a partition of
    /// DynamoDB. A run turns it on: without it items may be written in no time.
    pub limits_partitions: bool,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            rules: 300,
            pipelines: 1_000,
            concurrent_attempts: 1_000,
            starts: None,
            limits_partitions: false,
        }
    }
}

/// A bucket of tokens, which is full at first.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bucket {
    /// Thousandths of a token that are missing; more than a full bucket has after a large request.
    missing: i64,
    at: Millis,
}

impl Bucket {
    /// Takes a token, if there is one.
    pub(crate) fn take(&mut self, rate: Rate, now: Millis) -> bool {
        self.take_many(rate, 1, now)
    }

    /// Takes this many tokens, if there is one: what is missing then is added first.
    pub(crate) fn take_many(&mut self, rate: Rate, tokens: i64, now: Millis) -> bool {
        let added = now.saturating_sub(self.at).saturating_mul(rate.per_second);
        self.missing = self.missing.saturating_sub(added).max(0);
        self.at = now;
        let has_one = rate.burst * 1_000 - self.missing >= 1_000;
        if has_one {
            self.missing += tokens * 1_000;
        }
        has_one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        burst: 5,
        per_second: 2,
    };

    #[test]
    fn a_bucket_allows_its_burst_and_then_its_rate() {
        let mut bucket = Bucket::default();
        let mut taken = |now| (0..10).filter(|_| bucket.take(RATE, now)).count();
        assert_eq!([taken(0), taken(1_000), taken(60_000)], [5, 2, 5]);
    }

    #[test]
    fn a_large_request_is_paid_for_afterwards() {
        let mut bucket = Bucket::default();
        assert!(bucket.take_many(RATE, 9, 0));
        assert!(!bucket.take(RATE, 2_000));
        assert!(bucket.take(RATE, 2_500));
    }
}
