//! The stored form of minutes and metrics, version 1.
//!
//! The types mirror those of the judge instead of deriving on them, so that a change of the judge's
//! own types cannot silently change what is stored.

use serde::{Deserialize, Serialize};

use crate::judge::clean::{Reading, SideCounts};
use crate::judge::spec::{MetricSpec, Promotion};

/// One minute of all metrics, as visible at the last look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredMinute {
    pub(super) t: u32,
    pub(super) readings: Vec<StoredReading>,
}

/// One minute of one metric; `null` is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredReading {
    pub(super) c: StoredSide,
    pub(super) b: StoredSide,
    /// The canary's bad requests by the measure for promotion.
    pub(super) promote: Option<u64>,
    /// The minute of the look that used it; none if it never counted.
    pub(super) used: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredSide {
    pub(super) n: Option<u64>,
    pub(super) bad: Option<u64>,
}

/// A metric as it was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredMetric {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) weight: f64,
    pub(super) tolerance: f64,
    pub(super) floor: Option<f64>,
    pub(super) dispersion: f64,
    pub(super) promotion: Option<StoredPromotion>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredPromotion {
    pub(super) tolerance: f64,
    pub(super) floor: Option<f64>,
}

impl From<MetricSpec> for StoredMetric {
    fn from(spec: MetricSpec) -> Self {
        let promotion = spec
            .promotion
            .map(|Promotion { tolerance, floor }| StoredPromotion { tolerance, floor });
        let MetricSpec {
            name,
            label,
            weight,
            tolerance,
            floor,
            dispersion,
            ..
        } = spec;

        Self {
            name,
            label,
            weight,
            tolerance,
            floor,
            dispersion,
            promotion,
        }
    }
}

impl From<&StoredMetric> for MetricSpec {
    fn from(metric: &StoredMetric) -> Self {
        let StoredMetric {
            name,
            label,
            weight,
            tolerance,
            floor,
            dispersion,
            promotion,
        } = metric.clone();
        let promotion =
            promotion.map(|StoredPromotion { tolerance, floor }| Promotion { tolerance, floor });

        Self {
            name,
            label,
            weight,
            tolerance,
            floor,
            dispersion,
            promotion,
        }
    }
}

impl StoredReading {
    pub(super) fn new(reading: &Reading, used: Option<u32>) -> Self {
        let side = |side: SideCounts| StoredSide {
            n: side.requests,
            bad: side.bad,
        };
        let c = side(reading.canary);
        let b = side(reading.baseline);

        Self {
            c,
            b,
            promote: reading.canary_bad_promote,
            used,
        }
    }

    pub(super) fn reading(&self) -> Reading {
        let side = |side: StoredSide| SideCounts {
            requests: side.n,
            bad: side.bad,
        };

        Reading {
            canary: side(self.c),
            baseline: side(self.b),
            canary_bad_promote: self.promote,
        }
    }
}
