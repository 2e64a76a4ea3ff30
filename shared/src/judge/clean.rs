//! Decides for each minute of a metric whether it counts, waits or is skipped.
//!
//! Data arrives late and with gaps. Unknown is never zero: a canary whose error count has not
//! arrived yet must not look healthy, so its minute waits, and after a while is left out for good.

/// Minutes that a minute with an unknown value is waited for before it is skipped.
pub(crate) const WAIT_MINUTES: u32 = 3;

/// What is visible of one side in one minute; `None` is unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SideCounts {
    /// Requests routed to the target group (RequestCount).
    pub requests: Option<u64>,
    /// Bad ones among them.
    pub bad: Option<u64>,
}

/// What is visible of one metric in one minute. The default is a minute of which nothing is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// The new version.
    pub canary: SideCounts,
    /// The live version.
    pub baseline: SideCounts,
    /// Bad canary requests by the laxer measure that a promotion uses; for errors the same as
    /// `canary.bad`. Ignored by metrics that take no part in promotion.
    pub canary_bad_promote: Option<u64>,
}

/// The counts of a usable minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Requests to the canary, at least 1.
    pub canary_requests: u64,
    /// Bad ones among them.
    pub canary_bad: u64,
    /// Bad ones by the measure for promotion.
    pub canary_bad_promote: u64,
    /// Requests to the baseline, at least 1.
    pub baseline_requests: u64,
    /// Bad ones among them.
    pub baseline_bad: u64,
}

impl Counts {
    /// The chance θ = τ·n_c/(τ·n_c + n_b) that a bad event is the canary's, when its rate is τ
    /// times the baseline's. The common rate cancels, so incidents on both sides need no model.
    pub(super) fn canary_share(&self, tolerance: f64) -> f64 {
        let canary = tolerance * self.canary_requests as f64;
        canary / (canary + self.baseline_requests as f64)
    }
}

/// What becomes of a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MinuteState {
    /// It counts.
    Usable(Counts),
    /// Something is unknown and may still arrive.
    Waiting,
    /// It never counts: something stayed unknown, or one side had no requests.
    Skipped,
}

/// Counts that contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "minute {minute}, {side}: {bad} bad of {requests} requests; check that both come from the \
     same target group and period"
)]
pub struct CountError {
    /// The minute, from 1.
    pub minute: u32,
    /// `canary` or `baseline`.
    pub side: &'static str,
    /// The count that is too large.
    pub bad: u64,
    /// The requests it is counted among.
    pub requests: u64,
}

/// Classifies `minute` as seen in minute `now`.
///
/// # Errors
/// More bad requests than requests.
pub fn classify_minute(
    reading: &Reading,
    needs_promote: bool,
    minute: u32,
    now: u32,
) -> Result<MinuteState, CountError> {
    let promote = if needs_promote {
        reading.canary_bad_promote
    } else {
        Some(0)
    };
    let canary = reading.canary;
    let baseline = reading.baseline;

    check_counts(minute, "canary", canary.bad, canary.requests)?;
    check_counts(minute, "canary", promote, canary.requests)?;
    check_counts(minute, "baseline", baseline.bad, baseline.requests)?;

    let Some(counts) = known_counts(reading, promote) else {
        return Ok(if now.saturating_sub(minute) < WAIT_MINUTES {
            MinuteState::Waiting
        } else {
            MinuteState::Skipped
        });
    };

    if counts.canary_requests == 0 || counts.baseline_requests == 0 {
        return Ok(MinuteState::Skipped);
    }

    Ok(MinuteState::Usable(counts))
}

/// The counts of a minute, when all of them are known.
fn known_counts(reading: &Reading, promote: Option<u64>) -> Option<Counts> {
    Some(Counts {
        canary_requests: reading.canary.requests?,
        canary_bad: reading.canary.bad?,
        canary_bad_promote: promote?,
        baseline_requests: reading.baseline.requests?,
        baseline_bad: reading.baseline.bad?,
    })
}

fn check_counts(
    minute: u32,
    side: &'static str,
    bad: Option<u64>,
    requests: Option<u64>,
) -> Result<(), CountError> {
    match (bad, requests) {
        (Some(bad), Some(requests)) if bad > requests => Err(CountError {
            minute,
            side,
            bad,
            requests,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(canary: (u64, u64), baseline: (u64, u64)) -> Reading {
        let side = |(requests, bad)| SideCounts {
            requests: Some(requests),
            bad: Some(bad),
        };

        Reading {
            canary: side(canary),
            baseline: side(baseline),
            canary_bad_promote: Some(canary.1),
        }
    }

    #[test]
    fn an_unknown_value_waits_three_minutes_and_is_then_skipped() {
        let mut late = reading((10, 1), (90, 1));
        late.canary.bad = None;
        let states: Vec<_> = (7..=10)
            .map(|now| classify_minute(&late, true, 7, now).unwrap())
            .collect();

        assert_eq!(
            states,
            [
                MinuteState::Waiting,
                MinuteState::Waiting,
                MinuteState::Waiting,
                MinuteState::Skipped
            ]
        );
    }

    #[test]
    fn a_minute_without_requests_on_one_side_is_skipped_at_once() {
        assert_eq!(
            classify_minute(&reading((0, 0), (90, 1)), true, 1, 1),
            Ok(MinuteState::Skipped)
        );
        assert_eq!(
            classify_minute(&reading((10, 0), (0, 0)), true, 1, 1),
            Ok(MinuteState::Skipped)
        );
    }

    #[test]
    fn the_measure_for_promotion_matters_only_to_metrics_that_promote() {
        let mut partial = reading((10, 1), (90, 1));
        partial.canary_bad_promote = None;
        assert_eq!(
            classify_minute(&partial, true, 1, 1),
            Ok(MinuteState::Waiting)
        );
        assert!(matches!(
            classify_minute(&partial, false, 1, 1),
            Ok(MinuteState::Usable(_))
        ));
    }

    #[test]
    fn more_bad_than_requests_is_refused_with_the_arithmetic() {
        let error = classify_minute(&reading((10, 11), (90, 1)), true, 4, 4).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("minute 4, canary: 11 bad of 10 requests; check"),
            "{error}"
        );
    }

    #[test]
    fn a_usable_minute_has_every_count_in_its_place() {
        let mut known = reading((10, 3), (90, 5));
        known.canary_bad_promote = Some(2);
        let counts = Counts {
            canary_requests: 10,
            canary_bad: 3,
            canary_bad_promote: 2,
            baseline_requests: 90,
            baseline_bad: 5,
        };

        assert_eq!(
            classify_minute(&known, true, 1, 1),
            Ok(MinuteState::Usable(counts))
        );
        assert_eq!(
            classify_minute(&known, false, 1, 1),
            Ok(MinuteState::Usable(Counts {
                canary_bad_promote: 0,
                ..counts
            }))
        );
    }

    #[test]
    fn each_unknown_value_makes_a_minute_wait() {
        let unknown: [fn(&mut Reading); 5] = [
            |reading| reading.canary.requests = None,
            |reading| reading.canary.bad = None,
            |reading| reading.canary_bad_promote = None,
            |reading| reading.baseline.requests = None,
            |reading| reading.baseline.bad = None,
        ];

        for (index, forget) in unknown.into_iter().enumerate() {
            let mut known = reading((10, 1), (90, 1));
            forget(&mut known);
            assert_eq!(
                classify_minute(&known, true, 5, 7),
                Ok(MinuteState::Waiting),
                "{index}"
            );
            assert_eq!(
                classify_minute(&known, true, 5, 8),
                Ok(MinuteState::Skipped),
                "{index}"
            );
        }
    }

    #[test]
    fn contradicting_counts_are_refused_on_either_side_and_by_either_measure() {
        let refusal = |reading: &Reading| classify_minute(reading, true, 2, 2).unwrap_err();
        let error = |side, bad, requests| CountError {
            minute: 2,
            side,
            bad,
            requests,
        };

        assert_eq!(
            refusal(&reading((10, 11), (90, 0))),
            error("canary", 11, 10)
        );
        assert_eq!(
            refusal(&reading((10, 0), (90, 91))),
            error("baseline", 91, 90)
        );

        let mut lax = reading((10, 0), (90, 0));
        lax.canary_bad_promote = Some(12);
        assert_eq!(refusal(&lax), error("canary", 12, 10));
        assert!(
            classify_minute(&reading((10, 10), (90, 90)), true, 2, 2).is_ok(),
            "all of them may be bad"
        );
    }

    #[test]
    fn the_share_of_the_canary_grows_with_the_tolerance() {
        let counts = |canary_requests, baseline_requests| Counts {
            canary_requests,
            canary_bad: 0,
            canary_bad_promote: 0,
            baseline_requests,
            baseline_bad: 0,
        };
        let even = counts(1_000, 1_000);

        assert_eq!(
            [even.canary_share(1.0), even.canary_share(3.0)],
            [0.5, 0.75]
        );
        assert_eq!(counts(100, 300).canary_share(1.0), 0.25);
    }
}
