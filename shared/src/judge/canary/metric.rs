//! The metrics of a service, and how each is judged.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use super::config::{JudgeConfig, LatencyMode};

/// What is counted as bad. The order is that in which ties are decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Requests without a good answer.
    Errors,
    /// Answers 4XX.
    ClientErrors,
    /// Response times above the threshold of this place.
    Latency(usize),
    /// The count of a user's own at this place.
    Own(usize),
}

impl Display for Metric {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Errors => write!(f, "errors"),
            Self::ClientErrors => write!(f, "4xx"),
            Self::Latency(threshold) => write!(f, "latency[{threshold}]"),
            Self::Own(place) => write!(f, "own[{place}]"),
        }
    }
}

/// What a metric must show before a promotion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Promotion {
    /// Ratio τ_p of canary to baseline rate that is ruled out.
    pub tolerance: f64,
    /// Absolute rate ε_p whose exclusion is as good.
    pub floor: Option<f64>,
}

/// How a metric is judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricSpec {
    pub metric: Metric,
    /// Share w of the error rate; those of a family add up to 1.
    pub weight: f64,
    /// Ratio τ of canary to baseline rate that is tolerated.
    pub tolerance: f64,
    /// Rate ε below which nothing is harm.
    pub floor: Option<f64>,
    /// What a promotion rules out.
    pub promotion: Promotion,
    /// Whether a promotion must show it.
    pub promotes: bool,
    /// Overdispersion that the settings state, in place of the measured one.
    pub stated_dispersion: Option<f64>,
}

/// Most latency thresholds that a promotion requires.
const PROMOTING_THRESHOLDS: usize = 2;

/// With stickiness sessions move, not requests, so the sides differ by who is on them.
const STICKY_TOLERANCE: f64 = 1.5;

/// A count of a user's own among a total.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnCount {
    pub name: String,
    /// Its share of the error rate, in proportion to the others.
    pub weight: f64,
    /// Ratio of canary to baseline rate that is tolerated.
    pub tolerance: f64,
    /// Rate below which nothing is harm.
    pub floor: Option<f64>,
    /// Overdispersion; without a statement its events are not taken to come one by one.
    pub dispersion: Option<f64>,
    /// Ratio that a promotion rules out, if one must show it.
    pub promote_tolerance: Option<f64>,
    /// Rate whose exclusion is as good.
    pub promote_floor: Option<f64>,
}

impl OwnCount {
    fn spec(&self, place: usize) -> MetricSpec {
        MetricSpec {
            metric: Metric::Own(place),
            weight: self.weight,
            tolerance: self.tolerance,
            floor: self.floor,
            promotion: Promotion {
                tolerance: self.promote_tolerance.unwrap_or(self.tolerance),
                floor: self.promote_floor,
            },
            promotes: self.promote_tolerance.is_some(),
            stated_dispersion: self.dispersion,
        }
    }
}

/// The metrics that decide, and those that only object.
#[derive(Debug, Clone, PartialEq)]
pub struct Families {
    pub judged: Vec<MetricSpec>,
    pub watched: Vec<MetricSpec>,
}

impl Families {
    /// The metrics of these settings with this many latency thresholds, and those of a user.
    pub fn new(config: &JudgeConfig, thresholds: usize, own: &[OwnCount]) -> Self {
        let mut judged = vec![errors(config), client_errors(config)];
        judged.retain(|spec| spec.weight > 0.0);
        let latency: Vec<MetricSpec> = (0..thresholds)
            .map(|threshold| latency(config, threshold, config.w_latency / thresholds as f64))
            .collect();

        let mut watched = Vec::new();
        match config.latency_mode() {
            LatencyMode::Judge => judged.extend(latency),
            LatencyMode::Watch => watched = latency,
            LatencyMode::Off => {}
        }
        judged.extend(own.iter().enumerate().map(|(place, own)| own.spec(place)));

        if config.sticky {
            for spec in judged.iter_mut().chain(&mut watched) {
                spec.tolerance = spec.tolerance.max(STICKY_TOLERANCE);
            }
        }

        Self {
            judged: normalized(judged),
            watched: normalized(watched),
        }
    }
}

/// The same with weights that add up to 1, so that the error rate is that of the whole family.
fn normalized(mut specs: Vec<MetricSpec>) -> Vec<MetricSpec> {
    let sum: f64 = specs.iter().map(|spec| spec.weight).sum();
    for spec in &mut specs {
        spec.weight /= sum;
    }
    specs
}

fn errors(config: &JudgeConfig) -> MetricSpec {
    MetricSpec {
        metric: Metric::Errors,
        weight: config.w_errors,
        tolerance: config.tau,
        floor: Some(config.eps),
        promotion: Promotion {
            tolerance: config.tau_promote,
            floor: Some(config.eps_promote),
        },
        promotes: true,
        stated_dispersion: config.clump_errors,
    }
}

fn client_errors(config: &JudgeConfig) -> MetricSpec {
    MetricSpec {
        metric: Metric::ClientErrors,
        weight: config.w_4xx,
        tolerance: config.tau_4xx,
        floor: Some(config.eps_4xx),
        promotion: Promotion {
            tolerance: config.tau_promote_4xx,
            floor: Some(config.eps_promote_4xx),
        },
        promotes: true,
        stated_dispersion: config.clump_4xx,
    }
}

fn latency(config: &JudgeConfig, threshold: usize, weight: f64) -> MetricSpec {
    MetricSpec {
        metric: Metric::Latency(threshold),
        weight,
        // The tolerance is in the canary's threshold, which is in units of latency.
        tolerance: 1.0,
        floor: None,
        promotion: Promotion {
            tolerance: 1.0,
            floor: None,
        },
        promotes: threshold < PROMOTING_THRESHOLDS,
        stated_dispersion: config.clump_latency,
    }
}
