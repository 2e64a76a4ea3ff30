//! The stored form of minutes and metrics, version 2.

use serde::{Deserialize, Serialize};

use crate::judge::canary::answers::{Answers, BadRule};
use crate::judge::canary::arrival::Arrived;
use crate::judge::canary::counts::{Counters, Minute};
use crate::judge::canary::metric::Metric;
use crate::judge::canary::verdict::Shown;

/// One minute: the counters that it was judged by, and what each metric made of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredMinute {
    pub(super) t: u32,
    pub(super) c: Counters,
    pub(super) b: Counters,
    /// Whether every counter was final; one that was not is `null`.
    #[serde(rename = "final")]
    pub(super) is_final: bool,
    pub(super) readings: Vec<StoredReading>,
}

impl StoredMinute {
    pub(super) fn new(t: u32, arrived: Arrived, readings: Vec<StoredReading>) -> Self {
        let Arrived {
            minute: Minute { canary, baseline },
            is_final,
        } = arrived;
        Self {
            t,
            c: canary,
            b: baseline,
            is_final,
            readings,
        }
    }

    pub(super) fn arrived(&self) -> Arrived {
        Arrived {
            minute: Minute {
                canary: self.c.clone(),
                baseline: self.b.clone(),
            },
            is_final: self.is_final,
        }
    }
}

/// One minute of one metric; `null` is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredReading {
    pub(super) c: StoredSide,
    pub(super) b: StoredSide,
    /// The minute of the look that used it; none if it never counted.
    pub(super) used: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredSide {
    pub(super) n: Option<u64>,
    pub(super) bad: Option<u64>,
}

impl StoredReading {
    pub(super) fn new(minute: &Minute, metric: Metric, rule: BadRule, used: Option<u32>) -> Self {
        Self {
            c: StoredSide::new(&minute.canary, metric, rule),
            b: StoredSide::new(&minute.baseline, metric, rule),
            used,
        }
    }
}

impl StoredSide {
    fn new(side: &Counters, metric: Metric, rule: BadRule) -> Self {
        match metric {
            Metric::Errors => Self::of_answers(side, |answers| {
                if side.is_silent() {
                    answers.requests
                } else {
                    answers.bad(rule)
                }
            }),
            Metric::ClientErrors => Self::of_answers(side, |answers| answers.rejected()),
            Metric::Latency(threshold) => Self {
                n: side.timed,
                bad: side.slow.get(threshold).copied().flatten(),
            },
            Metric::Own(place) => {
                let own = side.own.get(place).copied().unwrap_or_default();
                Self {
                    n: own.total,
                    bad: own.bad,
                }
            }
        }
    }

    fn of_answers(side: &Counters, bad: impl Fn(&Answers) -> u64) -> Self {
        let answers = side.answers();
        Self {
            n: side.requests,
            bad: answers.map(|answers| bad(&answers)),
        }
    }
}

/// A metric as it was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredMetric {
    /// `errors`, `4xx`, `latency[0]`, `own[0]`.
    pub(super) name: String,
    pub(super) label: String,
    pub(super) weight: f64,
    pub(super) tolerance: f64,
    pub(super) floor: Option<f64>,
    /// By which evidence of health is divided.
    pub(super) dispersion: f64,
    /// Whether bad events come one by one.
    pub(super) one_by_one: bool,
    /// Whether it can only object to a promotion.
    pub(super) watched: bool,
    /// What a promotion rules out, if it must show it.
    pub(super) promotion: Option<StoredPromotion>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StoredPromotion {
    pub(super) tolerance: f64,
    pub(super) floor: Option<f64>,
}

impl StoredMetric {
    pub(super) fn new(shown: &Shown, label: String, watched: bool, promotes: bool) -> Self {
        let spec = shown.spec;
        let promotion = StoredPromotion {
            tolerance: spec.promotion.tolerance,
            floor: spec.promotion.floor,
        };
        Self {
            name: spec.metric.to_string(),
            label,
            weight: spec.weight,
            tolerance: spec.tolerance,
            floor: spec.floor,
            dispersion: shown.phi,
            one_by_one: shown.one_by_one,
            watched,
            promotion: promotes.then_some(promotion),
        }
    }
}
