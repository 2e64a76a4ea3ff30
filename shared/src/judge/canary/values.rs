//! Compares series of values, such as memory or queue depth, by their medians.
//!
//! Neighbouring minutes resemble each other, so no probability is claimed and none is spent: a
//! series can only object to a promotion, never roll back.

use serde::{Deserialize, Serialize};

/// Minutes with a value of both sides that are needed to compare.
pub const VALUES_MIN: usize = 5;

/// Which direction of a series is the bad one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Worse {
    More,
    Less,
}

/// How a series is compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesSpec {
    pub name: String,
    pub worse: Worse,
    /// Factor between the medians that is tolerated.
    pub tolerance: f64,
    /// Difference of the medians that is tolerated whatever the factor.
    pub least: f64,
}

impl SeriesSpec {
    /// The factor where none is stated.
    pub const TOLERANCE: f64 = 1.25;

    /// Whether these medians are further apart than tolerated.
    pub(super) fn objects(&self, medians: Medians) -> bool {
        let Medians { canary, baseline } = medians;
        match self.worse {
            Worse::More => canary > self.tolerance * baseline && canary - baseline > self.least,
            Worse::Less => canary * self.tolerance < baseline && baseline - canary > self.least,
        }
    }
}

/// The medians of both sides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Medians {
    pub canary: f64,
    pub baseline: f64,
}

/// The medians of the minutes in which both sides have a value; `None` of fewer than
/// [`VALUES_MIN`].
pub fn medians(pairs: &[(f64, f64)]) -> Option<Medians> {
    (pairs.len() >= VALUES_MIN).then(|| Medians {
        canary: median(pairs.iter().map(|pair| pair.0).collect()),
        baseline: median(pairs.iter().map(|pair| pair.1).collect()),
    })
}

/// Of an even number, the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len().is_multiple_of(2) {
        f64::midpoint(values[middle - 1], values[middle])
    } else {
        values[middle]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(worse: Worse, least: f64, pairs: &[(f64, f64)]) -> Option<bool> {
        let series = SeriesSpec {
            name: "memory".to_owned(),
            worse,
            tolerance: SeriesSpec::TOLERANCE,
            least,
        };
        medians(pairs).map(|medians| series.objects(medians))
    }

    #[test]
    fn a_series_objects_beyond_the_factor_and_the_least_difference() {
        let cases = [
            (Worse::More, 0.0, (126.0, 100.0), true),
            (Worse::More, 0.0, (125.0, 100.0), false),
            (Worse::More, 26.0, (126.0, 100.0), false),
            (Worse::More, 0.0, (1.0, 0.0), true),
            (Worse::Less, 0.0, (79.0, 100.0), true),
            (Worse::Less, 0.0, (80.0, 100.0), false),
            (Worse::Less, 21.0, (79.0, 100.0), false),
            (Worse::Less, 0.0, (200.0, 100.0), false),
        ];
        for (worse, least, pair, expected) in cases {
            let found = objects(worse, least, &[pair; 5]);
            assert_eq!(found, Some(expected), "{worse:?} {least} {pair:?}");
        }
    }

    #[test]
    fn four_minutes_compare_nothing() {
        assert_eq!(objects(Worse::More, 0.0, &[(9.0, 1.0); 4]), None);
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        assert_eq!(median(vec![9.0, 1.0, 4.0, 2.0]), 3.0);
        assert_eq!(median(vec![9.0, 1.0, 4.0]), 4.0);
    }
}
