//! Counts requests and the bad ones among them, and compares two sides whose weights change.

/// Requests and bad ones among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// All requests.
    pub requests: u64,
    /// Bad ones among them.
    pub bad: u64,
}

impl Tally {
    /// `bad` of `requests`.
    pub fn new(requests: u64, bad: u64) -> Self {
        Self { requests, bad }
    }

    /// Bad requests per request; `None` without requests.
    pub fn rate(self) -> Option<f64> {
        (self.requests > 0).then(|| self.bad as f64 / self.requests as f64)
    }

    pub(super) fn add(&mut self, more: Self) {
        self.requests = self.requests.saturating_add(more.requests);
        self.bad = self.bad.saturating_add(more.bad);
    }
}

/// Both sides over some minutes, with the ratio of their rates.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Totals {
    /// The new version.
    pub canary: Tally,
    /// The live version.
    pub baseline: Tally,
    /// Bad events of the canary and of the baseline, each weighted by the other side's requests.
    weighted: (f64, f64),
}

impl Totals {
    /// Adds a minute in which at least one side had requests.
    pub(super) fn absorb(&mut self, canary: Tally, baseline: Tally) {
        let canary_requests = canary.requests as f64;
        let baseline_requests = baseline.requests as f64;
        let all = canary_requests + baseline_requests;

        self.weighted.0 += canary.bad as f64 * baseline_requests / all;
        self.weighted.1 += baseline.bad as f64 * canary_requests / all;
        self.canary.add(canary);
        self.baseline.add(baseline);
    }

    /// The ratio of canary to baseline rate by Mantel and Haenszel (1959), minute by minute, so
    /// that a weight change during an incident is not mistaken for a difference. `None` without bad
    /// events in the baseline.
    pub fn ratio(&self) -> Option<f64> {
        (self.baseline.bad > 0).then(|| self.weighted.0 / self.weighted.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_taken_minute_by_minute() {
        let mut totals = Totals::default();
        // 1 % on both sides, then 10 % on both sides at other weights: the totals alone give 4.8.
        totals.absorb(Tally::new(100, 1), Tally::new(900, 9));
        totals.absorb(Tally::new(900, 90), Tally::new(100, 10));

        assert_eq!(
            (totals.canary, totals.baseline),
            (Tally::new(1_000, 91), Tally::new(1_000, 19))
        );
        assert!((totals.ratio().unwrap() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn without_bad_requests_of_the_baseline_there_is_no_ratio() {
        let mut totals = Totals::default();
        totals.absorb(Tally::new(100, 1), Tally::new(900, 0));
        assert_eq!(totals.ratio(), None);
    }
}
