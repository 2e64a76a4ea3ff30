//! Compares two samples by ranks: Mann and Whitney's test, the shift of Hodges and Lehmann, and the
//! common language effect size.
//!
//! This is the arithmetic beneath Kayenta's judge (github.com/spinnaker/kayenta, MannWhitney.scala,
//! itself after R's `wilcox.test`), with one change: bounds are searched to a fraction of the
//! data's own spread. Kayenta searches to an absolute 1e-4, which is larger than many error rates.

use statrs::distribution::{ContinuousCDF, Normal};

/// The search for a bound ends at this fraction of the spread of the data.
const ROOT_TOLERANCE: f64 = 1e-12;
/// Halvings that surely reach it: 2⁻⁶⁴ is below 1e-12.
const HALVINGS_MAX: u32 = 64;

/// The shift from baseline to canary: interval and estimate, in the unit of the data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LocationShift {
    /// Lower bound of the confidence interval.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
    /// Median of all differences (Hodges and Lehmann, 1963).
    pub estimate: f64,
}

/// The confidence interval of the shift `canary − baseline`, by inverting the Mann-Whitney test
/// with normal approximation, tie correction and continuity correction. `None` where a side is
/// empty.
///
/// Where every value of both sides is the same number, or each side is constant, the shift is
/// exactly their difference; Kayenta adds random noise there.
pub fn shift(canary: &[f64], baseline: &[f64], confidence: f64) -> Option<LocationShift> {
    let canary_range = range(canary)?;
    let baseline_range = range(baseline)?;
    let low = canary_range.0 - baseline_range.1;
    let high = canary_range.1 - baseline_range.0;
    let estimate = hodges_lehmann(canary, baseline);

    if low == high {
        return Some(LocationShift {
            low,
            high,
            estimate,
        });
    }

    let quantile = Normal::standard().inverse_cdf((1.0 + confidence) / 2.0);
    let bound = |z: f64| root(low, high, |shift| z_score(canary, baseline, shift) - z);
    Some(LocationShift {
        low: bound(quantile),
        high: bound(-quantile),
        estimate,
    })
}

/// The z-score of the Mann-Whitney statistic of `canary − shift` against `baseline`:
/// `(W − n(n+1)/2 − nm/2 ∓ ½) / σ` with `σ² = nm/12·(N + 1 − Σ(t³−t)/(N(N−1)))`, over ties t.
/// 0 where everything is tied.
pub fn z_score(canary: &[f64], baseline: &[f64], shift: f64) -> f64 {
    let n = canary.len() as f64;
    let m = baseline.len() as f64;
    let shifted: Vec<f64> = canary.iter().map(|value| value - shift).collect();
    let (rank_sum, ties) = rank_sum(&shifted, baseline);
    let excess = rank_sum - n * (n + 1.0) / 2.0 - n * m / 2.0;
    let correction = if excess == 0.0 {
        0.0
    } else {
        0.5 * excess.signum()
    };
    let all = n + m;
    let sigma = (n * m / 12.0 * (all + 1.0 - ties / (all * (all - 1.0))))
        .max(0.0)
        .sqrt();

    if sigma == 0.0 {
        0.0
    } else {
        (excess - correction) / sigma
    }
}

/// The chance that a canary value exceeds a baseline value, ties counted half (Vargha and Delaney,
/// 2000). `NaN` where a side is empty.
pub(crate) fn common_language_effect(canary: &[f64], baseline: &[f64]) -> f64 {
    let n = canary.len() as f64;
    let m = baseline.len() as f64;
    (rank_sum(canary, baseline).0 - n * (n + 1.0) / 2.0) / (n * m)
}

/// The sum of the average ranks of `first` among both, and `Σ(t³−t)` over groups of ties.
fn rank_sum(first: &[f64], second: &[f64]) -> (f64, f64) {
    let mut all: Vec<(f64, bool)> = first.iter().map(|value| (*value, true)).collect();
    all.extend(second.iter().map(|value| (*value, false)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));

    let mut sum = 0.0;
    let mut ties = 0.0;
    let mut before = 0;
    for tied in all.chunk_by(|a, b| a.0 == b.0) {
        let count = tied.len() as f64;
        let average = before as f64 + (count + 1.0) / 2.0;
        sum += average * tied.iter().filter(|(_, is_first)| *is_first).count() as f64;
        ties += count.powi(3) - count;
        before += tied.len();
    }

    (sum, ties)
}

/// The median of all differences `canary − baseline`.
fn hodges_lehmann(canary: &[f64], baseline: &[f64]) -> f64 {
    let mut differences: Vec<f64> = canary
        .iter()
        .flat_map(|c| baseline.iter().map(move |b| c - b))
        .collect();
    let middle = differences.len() / 2;
    let even = differences.len().is_multiple_of(2);
    let (below, median, _) = differences.select_nth_unstable_by(middle, f64::total_cmp);
    let median = *median;

    if !even {
        return median;
    }

    let other = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    f64::midpoint(other, median)
}

fn range(values: &[f64]) -> Option<(f64, f64)> {
    let low = values.iter().copied().reduce(f64::min)?;
    let high = values.iter().copied().reduce(f64::max)?;
    Some((low, high))
}

/// Where the falling step function `f` crosses zero between `low` and `high`; an end of the
/// interval where it does not. Bisection suits steps better than the interpolation of Brent's
/// method.
fn root(low: f64, high: f64, f: impl Fn(f64) -> f64) -> f64 {
    if f(low) <= 0.0 {
        return low;
    }
    if f(high) >= 0.0 {
        return high;
    }

    let mut above = low;
    let mut below = high;
    for _ in 0..HALVINGS_MAX {
        let middle = f64::midpoint(above, below);
        if below - above <= ROOT_TOLERANCE * (high - low) || middle <= above || middle >= below {
            break;
        }

        if f(middle) > 0.0 {
            above = middle
        } else {
            below = middle
        }
    }

    f64::midpoint(above, below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_samples_reach_the_ends_of_the_range() {
        // R: wilcox.test(c(10,20,30,40), 1:4, conf.int = TRUE, exact = FALSE) gives [6, 39] and
        // 22.5.
        let shift = shift(&[10.0, 20.0, 30.0, 40.0], &[1.0, 2.0, 3.0, 4.0], 0.95).unwrap();
        assert!(
            (shift.low - 6.0).abs() < 1e-9 && (shift.high - 39.0).abs() < 1e-9,
            "{shift:?}"
        );
        assert_eq!(shift.estimate, 22.5);
    }

    #[test]
    fn the_bounds_scale_with_the_data() {
        let canary: Vec<f64> = (0..30).map(|i| f64::from(i * 7 % 30) + 12.0).collect();
        let baseline: Vec<f64> = (0..30).map(f64::from).collect();
        let scaled = |values: &[f64]| values.iter().map(|value| value * 1e-7).collect::<Vec<_>>();
        let large = shift(&canary, &baseline, 0.98);
        let small = shift(&scaled(&canary), &scaled(&baseline), 0.98);
        let large = large.unwrap();
        let small = small.unwrap();

        assert!(
            (large.low - small.low * 1e7).abs() < 1e-6,
            "{large:?} {small:?}"
        );
        assert!(
            (large.high - small.high * 1e7).abs() < 1e-6,
            "{large:?} {small:?}"
        );
        assert!(small.low > 0.0);
    }

    #[test]
    fn constants_differ_by_exactly_their_difference() {
        let shift = shift(&[10.0; 5], &[1.0; 5], 0.98).unwrap();
        assert_eq!(
            shift,
            LocationShift {
                low: 9.0,
                high: 9.0,
                estimate: 9.0
            }
        );
    }

    #[test]
    fn effect_is_the_share_of_pairs() {
        assert_eq!(common_language_effect(&[2.0, 3.0], &[1.0, 2.0]), 0.875);
        assert_eq!(common_language_effect(&[1.0; 4], &[1.0; 9]), 0.5);
    }

    #[test]
    fn an_empty_side_has_no_shift() {
        assert_eq!(shift(&[], &[1.0], 0.98), None);
    }

    #[test]
    fn ties_shrink_the_variance() {
        // Ranks 1, 3, 3 of the canary: W = 7, so 7 - 6 - 4.5 + 0.5 = -3; three and two are tied, so
        // the variance is 9/12·(7 - (24 + 6)/30).
        let z = z_score(&[1.0, 2.0, 2.0], &[2.0, 3.0, 3.0], 0.0);
        assert!((z + 3.0 / 4.5_f64.sqrt()).abs() < 1e-12, "{z}");
    }
}
