//! Measures the overdispersion of bad events, from baseline minutes before the bake.
//!
//! Sticky sessions and retries turn one failure into several bad requests. Counted one by one they
//! would look like more evidence than they are, so the judge divides evidence by the overdispersion
//! φ.

/// Pairs of minutes below which the overdispersion is not measured but taken as 1.
pub const PAIRS_MIN: u32 = 10;

/// A pair of minutes that differs this many times as much as the pairs before and after it is a
/// step of the rate. Ours: of pairs that differ by chance alone, one in 150 does, and leaving those
/// out lowers φ by 2 %.
const STEP_RATIO: f64 = 100.0;

/// For how many minutes a rate must stay before its jump counts as a step. Ours: shorter bursts may
/// hit one side alone.
pub const STEP_MINUTES: usize = 15;

/// The overdispersion of bad events.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dispersion {
    /// φ ≥ 1; 1 means that bad events are independent.
    pub phi: f64,
    /// Pairs of minutes it was measured from; below [`PAIRS_MIN`] φ is not known and is 1.
    pub pairs: u32,
}

/// Measures φ from `(requests, bad)` of consecutive baseline minutes.
///
/// φ is the mean, over neighbouring minutes with at least two bad events between them, of Pearson's
/// statistic `Σ (x − n·p)²/(n·p·(1−p))` at their common rate p, corrected by `(N−1)/N` so that it
/// is 1 for independent events (McCullagh and Nelder, Generalized Linear Models, 1989, section
/// 4.5). Only neighbours are compared, so a rate that drifts over the hour is not mistaken for
/// overdispersion. Neither is one that jumps and stays for [`STEP_MINUTES`], as at the beginning of
/// an incident: that pair is left out.
pub fn dispersion(minutes: &[(u64, u64)]) -> Dispersion {
    let pairs: Vec<Option<f64>> = minutes
        .windows(2)
        .map(|pair| pearson(pair[0], pair[1]))
        .collect();
    let measured = u32::try_from(pairs.iter().flatten().count()).unwrap_or(u32::MAX);
    let statistics: Vec<f64> = (0..pairs.len())
        .filter(|&at| !is_lasting(&pairs, at))
        .filter_map(|at| pairs[at])
        .collect();
    let pairs = u32::try_from(statistics.len()).unwrap_or(u32::MAX);
    let mean = statistics.iter().sum::<f64>() / f64::from(pairs.max(1));

    Dispersion {
        phi: if measured < PAIRS_MIN {
            1.0
        } else {
            mean.max(1.0)
        },
        pairs,
    }
}

/// Whether the rate jumped and stayed as it was then. A burst of some minutes, after which the rate
/// jumps back, is overdispersion.
fn is_lasting(pairs: &[Option<f64>], at: usize) -> bool {
    let near = at.saturating_sub(STEP_MINUTES - 1)..(at + STEP_MINUTES).min(pairs.len());
    is_step(pairs, at) && near.filter(|&other| is_step(pairs, other)).count() == 1
}

/// Whether the rate jumped between two minutes that are each like the minute on their other side. A
/// minute without bad events, beside which nothing is measured, is like its neighbour.
fn is_step(pairs: &[Option<f64>], at: usize) -> bool {
    let beside = |other: Option<usize>| {
        other
            .and_then(|other| pairs.get(other))
            .map(|pair| pair.unwrap_or(0.0))
    };
    match (beside(at.checked_sub(1)), pairs[at], beside(Some(at + 1))) {
        (Some(before), Some(here), Some(after)) => here > STEP_RATIO * before.max(after).max(1.0),
        _ => false,
    }
}

/// Pearson's statistic of two minutes, with one degree of freedom; `None` where there is nothing to
/// compare.
fn pearson(first: (u64, u64), second: (u64, u64)) -> Option<f64> {
    let requests = first.0 + second.0;
    let bad = first.1 + second.1;
    if bad < 2 || bad >= requests || first.0 == 0 || second.0 == 0 {
        return None;
    }

    let all = requests as f64;
    let rate = bad as f64 / all;
    let term = |(n, x): (u64, u64)| {
        (x as f64 - n as f64 * rate).powi(2) / (n as f64 * rate * (1.0 - rate))
    };
    Some((term(first) + term(second)) * (all - 1.0) / all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_minutes_measure_nothing() {
        assert_eq!(
            dispersion(&[(1000, 9), (1000, 0), (1000, 9)]),
            Dispersion { phi: 1.0, pairs: 2 }
        );
        assert_eq!(dispersion(&[]), Dispersion { phi: 1.0, pairs: 0 });
    }

    #[test]
    fn even_counts_are_never_below_one() {
        assert_eq!(dispersion(&[(1000, 10); 60]).phi, 1.0);
    }

    #[test]
    fn events_in_groups_of_ten_measure_about_ten() {
        // Group counts 0, 1 or 2 in a fixed irregular order, with mean and variance near 1.
        let groups = [
            1, 0, 2, 1, 3, 0, 0, 2, 1, 1, 0, 1, 2, 0, 1, 4, 1, 0, 1, 0, 2, 1, 0, 1,
        ];
        let minutes: Vec<_> = groups.iter().map(|group| (6000, 10 * group)).collect();
        let phi = dispersion(&minutes).phi;

        assert!((7.0..14.0).contains(&phi), "{phi}");
    }

    #[test]
    fn a_rate_that_jumps_and_stays_is_not_overdispersion() {
        let noise = [3, 0, 5, 1, 4, 2, 6, 0, 3, 5];
        let incident = |minute: usize| {
            if (20..40).contains(&minute) {
                3_000
            } else {
                60
            }
        };

        let minutes: Vec<_> = (0..56)
            .map(|minute| (60_000, incident(minute) + noise[minute % 10]))
            .collect();
        let Dispersion { phi, pairs } = dispersion(&minutes);
        assert!(phi < 1.5, "{phi}");
        assert_eq!(
            pairs, 53,
            "the pairs of its beginning and its end are left out"
        );
    }

    #[test]
    fn a_burst_of_some_minutes_is_overdispersion_and_one_of_fifteen_is_not() {
        let burst = |length: usize| {
            let minutes: Vec<_> = (0..56)
                .map(|minute| {
                    (
                        60_000,
                        if (20..20 + length).contains(&minute) {
                            3_000
                        } else {
                            60
                        },
                    )
                })
                .collect();
            dispersion(&minutes).phi
        };

        for length in [1, 2, 5, 14] {
            assert!(burst(length) > 20.0, "{length} minutes: {}", burst(length));
        }

        assert_eq!(burst(15), 1.0);
    }

    #[test]
    fn an_incident_of_a_service_without_errors_is_not_overdispersion() {
        let minutes: Vec<_> = (0..56)
            .map(|minute| (60_000, if minute < 30 { 0 } else { 3_000 }))
            .collect();
        assert_eq!(
            dispersion(&minutes),
            Dispersion {
                phi: 1.0,
                pairs: 25
            }
        );
    }

    #[test]
    fn a_drifting_rate_is_not_overdispersion() {
        let minutes: Vec<_> = (0..60).map(|i| (6000, 2 + i * 3)).collect();
        assert_eq!(dispersion(&minutes).phi, 1.0);
    }

    #[test]
    fn a_minute_without_requests_is_not_compared_with_its_neighbour() {
        let groups = [
            1, 0, 2, 1, 3, 0, 0, 2, 1, 1, 0, 1, 2, 0, 1, 4, 1, 0, 1, 0, 2, 1, 0, 1,
        ];
        let mut minutes: Vec<(u64, u64)> = groups.iter().map(|group| (6000, 10 * group)).collect();
        let measured = dispersion(&minutes);
        minutes.push((0, 0));

        assert!(measured.phi > 7.0, "{measured:?}");
        assert_eq!(dispersion(&minutes), measured);
    }
}
