//! A random generator of its own for every minute, so that nothing depends on the order of queries.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::{Binomial, Distribution, Geometric, LogNormal, Normal, Poisson};
use sha2::{Digest, Sha256};
use statrs::distribution::ContinuousCDF;

use crate::ecr::Answers;
use crate::traffic::Bursts;

/// The 99th percentile of the standard normal distribution.
const Z99: f64 = 2.326_347_874_040_841;

/// Response times are kept in cells of this width on the scale of their logarithm: 2.5 %.
const WIDTH: f64 = 0.025;

/// Up to this many response times it is cheaper to draw each than to draw how many are in each
/// cell.
const FEW: u64 = 150;

/// Beyond this many standard deviations nothing is distinguished: 1 of 300,000 values is there.
const TAIL: f64 = 4.5;

/// From this share of failures on they do not come in bursts: almost every request can fail.
pub(super) const OFTEN: f64 = 0.1;

/// A generator for something that has a name.
pub(super) fn chance(seed: u64, what: &str) -> StdRng {
    let digest: [u8; 32] = Sha256::digest(format!("{seed} {what}")).into();
    StdRng::from_seed(digest)
}

pub(super) fn poisson(rng: &mut StdRng, mean: f64) -> u64 {
    Poisson::new(mean).map_or(0, |poisson| poisson.sample(rng) as u64)
}

pub(super) fn binomial(rng: &mut StdRng, count: u64, part: f64) -> u64 {
    Binomial::new(count, part.clamp(0.0, 1.0)).map_or(0, |binomial| binomial.sample(rng))
}

/// The same for unusual failures: without any, nothing is drawn.
pub(super) fn some(rng: &mut StdRng, count: u64, part: f64) -> u64 {
    if part > 0.0 {
        binomial(rng, count, part)
    } else {
        0
    }
}

/// How many of this number of requests fail when failures are overdispersed: their variance is
/// `burst` times as large.
pub(super) fn burst_failures(rng: &mut StdRng, count: u64, part: f64, burst: u32) -> u64 {
    let burst = u64::from(burst.max(1));
    burst * binomial(rng, count / burst, part) + binomial(rng, count % burst, part)
}

/// The bursts of failures where their sizes have a distribution: a Poisson number of them.
pub(super) fn bursts(rng: &mut StdRng, count: u64, part: f64, law: Bursts) -> Vec<u64> {
    let number = poisson(rng, count as f64 * part / law.mean());
    let mut left = count;
    let sizes = (0..number).map(|_| {
        let size = size(rng, law).min(left);
        left -= size;
        size
    });
    sizes.collect()
}

fn size(rng: &mut StdRng, law: Bursts) -> u64 {
    match law {
        Bursts::Same(size) => u64::from(size.max(1)),
        Bursts::Geometric(mean) => {
            let further = Geometric::new(1.0 / f64::from(mean.max(1)));
            further.map_or(1, |law| {
                let further: u64 = law.sample(rng);
                1 + further
            })
        }
        Bursts::LogNormal { median, deviation } => {
            let size = LogNormal::new(median.ln(), deviation);
            size.map_or(1, |law| {
                let size: f64 = law.sample(rng);
                size.round().max(1.0) as u64
            })
        }
    }
}

/// A log-normal number around 1 whose logarithm has this deviation.
pub(super) fn factor(rng: &mut StdRng, deviation: f64) -> f64 {
    LogNormal::new(0.0, deviation).map_or(1.0, |law| law.sample(rng))
}

/// How many response times are in which cell, added to `cells`.
pub(super) fn response_times(
    rng: &mut StdRng,
    count: u64,
    answers: Answers,
    add: &mut impl FnMut(i32, u64),
) {
    let mean = (answers.median_ms / 1000.0).ln();
    let deviation = (answers.p99_ms / answers.median_ms).ln() / Z99;
    let Ok(few) = Normal::new(mean, deviation) else {
        return;
    };
    let Ok(many) = statrs::distribution::Normal::new(mean, deviation) else {
        // All response times are the same.
        return add(cell_of(mean), count);
    };
    if count <= FEW {
        return (0..count).for_each(|_| add(cell_of(few.sample(rng)), 1));
    }

    let (mut left, mut mass_left, mut below) = (count, 1.0, 0.0);
    let last = cell_of(mean + TAIL * deviation);

    for cell in cell_of(mean - TAIL * deviation)..last {
        let up_to = many.cdf(f64::from(cell + 1) * WIDTH);
        let here = binomial(rng, left, (up_to - below) / mass_left);
        add(cell, here);
        left -= here;
        mass_left = 1.0 - up_to;
        below = up_to;
        if left == 0 {
            return;
        }
    }
    add(last, left);
}

fn cell_of(logarithm: f64) -> i32 {
    (logarithm / WIDTH).floor() as i32
}

/// The bounds of a cell in seconds.
pub(super) fn bounds(cell: i32) -> (f64, f64) {
    (
        (f64::from(cell) * WIDTH).exp(),
        (f64::from(cell + 1) * WIDTH).exp(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::samples::{Cell, Samples};
    use super::*;

    fn drawn(count: u64, answers: Answers) -> Samples {
        let mut samples = Samples::default();
        let mut rng = chance(1, "response times");
        response_times(&mut rng, count, answers, &mut |cell, count| {
            let (low, high) = bounds(cell);
            samples.add(Cell {
                low,
                high,
                count: count as f64,
            });
        });
        samples
    }

    #[test]
    fn response_times_have_the_median_and_the_percentile_of_the_profile() {
        for (count, tolerance) in [(60_000, 0.03), (1_000_000, 0.01)] {
            let samples = drawn(count, Answers::GOOD);
            assert_eq!(samples.count(), count as f64);

            for (percent, seconds) in [(50.0, 0.05), (99.0, 0.3)] {
                let found = samples.percentile(percent);
                assert!(
                    (found / seconds - 1.0).abs() < tolerance,
                    "p{percent} of {count} is {found}"
                );
            }
        }

        let few = drawn(FEW, Answers::GOOD);
        assert_eq!(few.count(), FEW as f64);
        assert!(
            (0.03..0.08).contains(&few.percentile(50.0)),
            "{}",
            few.percentile(50.0)
        );

        let same = drawn(
            1000,
            Answers {
                p99_ms: 50.0,
                ..Answers::GOOD
            },
        );
        assert!(
            same.maximum() - same.minimum() < 0.002,
            "{} to {}",
            same.minimum(),
            same.maximum()
        );
    }

    #[test]
    fn overdispersion_raises_the_variance_and_leaves_the_mean() {
        let mut rng = chance(1, "burst");
        for burst in [1, 4] {
            let found: Vec<f64> = (0..4000)
                .map(|_| burst_failures(&mut rng, 6000, 0.01, burst) as f64)
                .collect();
            let mean = found.iter().sum::<f64>() / 4000.0;
            let variance = found.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / 4000.0;

            assert!((mean / 60.0 - 1.0).abs() < 0.02, "{mean}");
            assert!(
                (variance / (59.4 * f64::from(burst)) - 1.0).abs() < 0.1,
                "{burst}: {variance}"
            );
        }

        assert_eq!(burst_failures(&mut rng, 7, 1.0, 4), 7, "everything fails");
    }

    #[test]
    fn bursts_of_each_law_leave_the_mean_and_have_the_variance_of_their_sizes() {
        let mut rng = chance(1, "bursts");
        let log_normal = Bursts::LogNormal {
            median: 10.0,
            deviation: 1.0,
        };
        // The variance is that of a Poisson number of bursts: its mean times the square of a size.
        for (law, expected) in [
            (Bursts::Same(10), 60.0 * 10.0),
            (Bursts::Geometric(5), 12.0 * 45.0),
            (log_normal, 3.639 * 738.9),
        ] {
            let found: Vec<f64> = (0..4000)
                .map(|_| bursts(&mut rng, 6000, 0.01, law).iter().sum::<u64>() as f64)
                .collect();
            let mean = found.iter().sum::<f64>() / 4000.0;
            let variance = found.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / 4000.0;

            assert!((mean / 60.0 - 1.0).abs() < 0.06, "{law:?}: {mean}");
            let ratio = variance / expected;
            assert!((0.7..1.4).contains(&ratio), "{law:?}: {variance}");
        }

        let mut of_few = || bursts(&mut rng, 20, 0.09, Bursts::Same(15));
        let is_in = (0..1000).all(|_| of_few().iter().sum::<u64>() <= 20);
        assert!(is_in, "no more requests fail than there are");
    }
}
