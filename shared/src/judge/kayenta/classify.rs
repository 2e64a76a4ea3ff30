//! Classifies one metric as Kayenta's MannWhitneyClassifier does: Pass, High, Low or Nodata.
//!
//! This part is faithful, tests of Kayenta included; what Kayenta lacks is guarded by the caller.

use crate::judge::rank::{LocationShift, common_language_effect, shift};

/// What a metric turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// No harmful difference.
    Pass,
    /// The canary is higher.
    High,
    /// The canary is lower.
    Low,
    /// Too few values for a result.
    Nodata,
    /// The same, for a metric that must have data: a failure.
    NodataFail,
    /// The values cannot be compared: a failure.
    Error,
}

impl Label {
    /// Kayenta's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "Pass",
            Self::High => "High",
            Self::Low => "Low",
            Self::Nodata => "Nodata",
            Self::NodataFail => "NodataFailMetric",
            Self::Error => "Error",
        }
    }
}

/// The direction of change that is harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Only an increase.
    Increase,
    /// Only a decrease.
    Decrease,
    /// Any change.
    Either,
}

/// What becomes of times without a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NanStrategy {
    /// They are left out.
    Remove,
    /// They are 0, as for counters that publish nothing when nothing happens.
    Replace,
}

/// How the size of a difference is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EffectMeasure {
    /// Canary mean over baseline mean.
    MeanRatio,
    /// The chance that a canary value exceeds a baseline value.
    CommonLanguage,
}

impl EffectMeasure {
    /// The size of no difference, and the default of every threshold.
    pub(crate) fn neutral(self) -> f64 {
        match self {
            Self::MeanRatio => 1.0,
            Self::CommonLanguage => 0.5,
        }
    }

    /// `None` where it cannot be computed, which is then no obstacle to High or Low.
    fn effect(self, canary: &[f64], baseline: &[f64]) -> Option<f64> {
        match self {
            Self::MeanRatio => mean_ratio(canary, baseline),
            Self::CommonLanguage => Some(common_language_effect(canary, baseline)),
        }
    }
}

/// How a metric is classified. Pairs are (decrease, increase).
#[derive(Debug, Clone, PartialEq)]
pub struct Analysis {
    /// The direction of harm.
    pub direction: Direction,
    /// What becomes of gaps.
    pub nan_strategy: NanStrategy,
    /// A critical metric that fails critically fails the canary.
    pub critical: bool,
    /// Missing values fail the metric.
    pub must_have_data: bool,
    /// How effect size is measured.
    pub measure: EffectMeasure,
    /// The effect from which a difference counts.
    pub allowed: (f64, f64),
    /// The effect from which it is critical.
    pub critical_effect: (f64, f64),
}

impl Default for Analysis {
    fn default() -> Self {
        Self {
            direction: Direction::Either,
            nan_strategy: NanStrategy::Remove,
            critical: false,
            must_have_data: false,
            measure: EffectMeasure::MeanRatio,
            allowed: (1.0, 1.0),
            critical_effect: (1.0, 1.0),
        }
    }
}

/// The parameters of the rank test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankTest {
    /// Share of the estimated shift that the confidence bound must exceed.
    pub tolerance: f64,
    /// Confidence of the interval.
    pub confidence: f64,
}

impl RankTest {
    /// What NetflixACAJudge-v1.0 uses.
    pub const KAYENTA: Self = Self {
        tolerance: 0.25,
        confidence: 0.98,
    };
}

/// A label with its reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Classification {
    /// What the metric turned out to be.
    pub label: Label,
    /// Whether that fails the canary as a whole.
    pub critical: bool,
    /// Canary mean over baseline mean, where it can be computed.
    pub ratio: Option<f64>,
    pub reason: String,
}

impl Classification {
    fn pass(reason: &str) -> Self {
        Self {
            label: Label::Pass,
            critical: false,
            ratio: Some(1.0),
            reason: reason.to_owned(),
        }
    }

    pub(super) fn no_data(analysis: &Analysis, reason: String) -> Self {
        let fails = analysis.must_have_data && !analysis.critical;
        let label = if fails {
            Label::NodataFail
        } else {
            Label::Nodata
        };

        Self {
            label,
            critical: analysis.critical,
            ratio: None,
            reason,
        }
    }

    pub(super) fn error(analysis: &Analysis, reason: &str) -> Self {
        Self {
            label: Label::Error,
            critical: analysis.critical,
            ratio: None,
            reason: reason.to_owned(),
        }
    }
}

/// Classifies cleaned values: High when the lower bound of the shift exceeds `tolerance` times its
/// estimate and the effect reaches its threshold, Low mirrored.
pub fn classify(
    canary: &[f64],
    baseline: &[f64],
    analysis: &Analysis,
    test: RankTest,
) -> Classification {
    let Some(shift) = shift(canary, baseline, test.confidence) else {
        return match analysis.nan_strategy {
            NanStrategy::Remove => {
                Classification::no_data(analysis, "a side has no values".to_owned())
            }
            NanStrategy::Replace => {
                Classification::pass("a side has no values, which stand for zeros")
            }
        };
    };

    if sorted(canary) == sorted(baseline) {
        return Classification::pass("both sides have the same values");
    }

    let effect = analysis.measure.effect(canary, baseline);
    if [shift.low, shift.high, shift.estimate, effect.unwrap_or(0.0)]
        .iter()
        .any(|number| !number.is_finite())
    {
        return Classification::error(analysis, "the values are too large to be compared");
    }

    let least = test.tolerance * shift.estimate.abs();
    let (label, critical) = label(analysis, &shift, least, effect);

    let percent = test.confidence * 100.0;
    let effect = effect.map_or("unknown".to_owned(), |effect| format!("{effect:.3}"));
    Classification {
        label,
        critical: critical && analysis.critical,
        ratio: mean_ratio(canary, baseline),
        reason: format!(
            "shift {:.4e} between {:.4e} and {:.4e} at {percent:.0}%, effect {effect}",
            shift.estimate, shift.low, shift.high
        ),
    }
}

/// The label, and whether the effect reaches its critical threshold. `least`: the shift that is
/// still tolerated.
fn label(
    analysis: &Analysis,
    shift: &LocationShift,
    least: f64,
    effect: Option<f64>,
) -> (Label, bool) {
    let rises = analysis.direction != Direction::Decrease && shift.low > least;
    let falls = analysis.direction != Direction::Increase && shift.high < -least;
    let reaches = |high: f64| effect.is_none_or(|effect| effect >= high);
    let drops = |low: f64| effect.is_none_or(|effect| effect <= low);

    if rises && reaches(analysis.allowed.1) {
        (Label::High, reaches(analysis.critical_effect.1))
    } else if falls && drops(analysis.allowed.0) {
        (Label::Low, drops(analysis.critical_effect.0))
    } else {
        (Label::Pass, false)
    }
}

/// `None` where a mean is 0, as in Kayenta.
fn mean_ratio(canary: &[f64], baseline: &[f64]) -> Option<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let canary = mean(canary);
    let baseline = mean(baseline);
    (canary != 0.0 && baseline != 0.0).then(|| canary / baseline)
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests;
