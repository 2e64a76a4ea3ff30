//! Draws counts from their exact distributions, by inversion that starts at the mode and walks
//! outwards.
//!
//! From the mode a draw takes some standard deviations of steps, which is fast enough for any
//! traffic, and needs no approximation that could make the judge look better than it is.

use fastrand::Rng;
use statrs::distribution::{Binomial, Discrete, Poisson};

/// How many of `trials` happen, each with the same chance.
pub(crate) fn binomial(trials: u64, chance: f64, random: &mut Rng) -> u64 {
    if trials == 0 || chance <= 0.0 {
        return 0;
    }
    if chance >= 1.0 {
        return trials;
    }

    let mode = (((trials + 1) as f64 * chance) as u64).min(trials);
    let at_mode = Binomial::new(chance, trials)
        .expect("a chance is between 0 and 1")
        .pmf(mode);
    let odds = chance / (1.0 - chance);

    // P[k + 1] / P[k], which is 0 after the last.
    let step = |k: u64| trials.saturating_sub(k) as f64 / (k + 1) as f64 * odds;
    outwards(mode, at_mode, step, random)
}

/// How many events happen where `mean` are expected.
pub(crate) fn poisson(mean: f64, random: &mut Rng) -> u64 {
    if mean <= 0.0 {
        return 0;
    }
    let mode = mean as u64;
    let at_mode = Poisson::new(mean).expect("traffic is positive").pmf(mode);
    outwards(mode, at_mode, |k| mean / (k + 1) as f64, random)
}

/// Adds up probabilities from the mode outwards, on both sides by turns, until they exceed a
/// uniform number. `step(k)` is `P[k + 1] / P[k]`.
fn outwards(mode: u64, at_mode: f64, step: impl Fn(u64) -> f64, random: &mut Rng) -> u64 {
    let mut left = random.f64() - at_mode;
    let (mut below, mut at_below) = (mode, at_mode);
    let (mut above, mut at_above) = (mode, at_mode);

    // What rounding leaves over when both tails are used up is the mode's.
    while left >= 0.0 && at_below + at_above > 0.0 {
        at_above *= step(above);
        above += 1;
        left -= at_above;
        if left < 0.0 {
            return above;
        }

        at_below = if below == 0 {
            0.0
        } else {
            at_below / step(below - 1)
        };
        below = below.saturating_sub(1);
        left -= at_below;
        if left < 0.0 {
            return below;
        }
    }
    mode
}

/// A factor of mean 1 with this deviation of its logarithm.
pub(crate) fn log_normal(deviation: f64, random: &mut Rng) -> f64 {
    // Box and Muller (1958); the first number is never 0.
    let radius = (-2.0 * (1.0 - random.f64()).ln()).sqrt();
    let normal = radius * (std::f64::consts::TAU * random.f64()).cos();
    (deviation * normal - deviation.powi(2) / 2.0).exp()
}
