//! Defines how a metric is judged: its share of the error rate, its tolerance, and what a promotion
//! must show of it.
//!
//! A leaf: evidence, comparisons and the judge read it, and it knows none of them.

use super::strict::FieldError;

/// What a metric must show before a promotion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promotion {
    /// Ratio of canary to baseline rate that is ruled out.
    pub tolerance: f64,
    /// Absolute rate whose exclusion will do instead.
    pub floor: Option<f64>,
}

/// How a metric is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSpec {
    /// The name in verdicts and progress, unique within a judge.
    pub name: String,
    /// The name in sentences.
    pub label: String,
    /// Share w of the error rate α; all weights together are at most 1.
    pub weight: f64,
    /// Ratio τ of canary to baseline rate that is tolerated.
    pub tolerance: f64,
    /// Rate ε below which nothing is harm.
    pub floor: Option<f64>,
    /// Overdispersion φ ≥ 1 of bad events.
    pub dispersion: f64,
    /// What it must show for a promotion, if it takes part.
    pub promotion: Option<Promotion>,
}

impl MetricSpec {
    /// Refuses numbers that evidence cannot be weighed by.
    pub(super) fn validate(&self) -> Result<(), FieldError> {
        let share = |floor: Option<f64>| floor.is_none_or(|floor| (0.0..=1.0).contains(&floor));
        let ratio = |tolerance: f64| tolerance.is_finite() && tolerance > 0.0;
        let promotion = self.promotion;
        let promote_floor = promotion.and_then(|p| p.floor);
        let fits = [
            self.weight > 0.0 && self.weight <= 1.0,
            ratio(self.tolerance),
            self.dispersion >= 1.0 && self.dispersion.is_finite(),
            share(self.floor),
            promotion.is_none_or(|p| ratio(p.tolerance)),
            promotion.is_none_or(|p| share(p.floor)),
        ];
        let found = [
            ("weight", self.weight, "above 0, at most 1"),
            ("tolerance", self.tolerance, "a ratio above 0"),
            ("dispersion", self.dispersion, "1 or more"),
            ("floor", self.floor.unwrap_or(0.0), "0 to 1"),
            (
                "promotion.tolerance",
                promotion.map_or(1.0, |p| p.tolerance),
                "a ratio above 0",
            ),
            ("promotion.floor", promote_floor.unwrap_or(0.0), "0 to 1"),
        ];

        match fits.iter().zip(found).find(|(fits, _)| !**fits) {
            Some((_, (field, found, expected))) => Err(FieldError {
                field: format!("{}.{field}", self.name),
                found: found.to_string(),
                expected: expected.to_owned(),
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
