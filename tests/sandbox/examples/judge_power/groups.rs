//! Errors that come in groups of drawn size.

use fastrand::Rng;

use crate::draw::{log_normal, poisson};

/// How errors come.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Groups {
    /// One by one.
    Single,
    /// This many at once.
    Constant(f64),
    /// As many at once as a geometric number of this mean.
    Geometric(f64),
    /// As many at once as a log-normal number with median 10 and σ 1.5.
    LogNormal,
}

/// The sizes of the groups of a minute in which so many errors are expected.
pub(crate) fn groups(groups: Groups, expected: f64, random: &mut Rng) -> Vec<u64> {
    let mean = match groups {
        Groups::Single => return Vec::new(),
        Groups::Constant(size) | Groups::Geometric(size) => size,
        Groups::LogNormal => 10.0 * (1.5_f64.powi(2) / 2.0).exp(),
    };
    let count = poisson(expected / mean, random);
    (0..count).map(|_| size(groups, random)).collect()
}

fn size(groups: Groups, random: &mut Rng) -> u64 {
    match groups {
        Groups::Single => 1,
        Groups::Constant(size) => size as u64,
        Groups::Geometric(mean) => {
            let fails = (1.0 - random.f64()).ln() / (1.0 - 1.0 / mean).ln();
            1 + fails as u64
        }
        Groups::LogNormal => {
            let size = 10.0 * log_normal(1.5, random) * (1.5_f64.powi(2) / 2.0).exp();
            size.round().max(1.0) as u64
        }
    }
}
