//! The verdict in one sentence with its arithmetic: a rollback that cannot be checked by hand is
//! not trusted.

use std::fmt::Write as _;

use super::answers::BadRule;
use super::arrival::WAIT_MINUTES;
use super::config::{JudgeConfig, LATENCY_TOLERANCE};
use super::expected_time::expected_minutes;
use super::metric::{Families, Metric, OwnCount};
use super::sequential::Setup;
use super::verdict::{Objection, Reason, Shown, Verdict};
use crate::judge::numbers::{
    evidence_of, limit, milliseconds, p_value, rate, significant, thousands,
};

/// The share from which on a larger one hardly speeds up a judgement.
const SHARE_HELPFUL: f64 = 0.5;

/// Minutes by which metrics that come late can put a promotion off: one until two readings agree,
/// and those that a minute in doubt waits.
const LATE_MINUTES: u32 = WAIT_MINUTES + 1;

/// The names of metrics in sentences.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'a> {
    pub rule: BadRule,
    pub thresholds_ms: &'a [f64],
    pub own: &'a [OwnCount],
}

impl Labels<'_> {
    /// The name of a metric.
    pub fn of(&self, metric: Metric) -> String {
        match metric {
            Metric::Errors => match self.rule {
                BadRule::Difference => "requests without a good answer".to_owned(),
                BadRule::Failures => "5xx and refused connections".to_owned(),
            },
            Metric::ClientErrors => "4xx".to_owned(),
            Metric::Latency(threshold) => {
                let ms = self
                    .thresholds_ms
                    .get(threshold)
                    .copied()
                    .unwrap_or_default();
                let canary = milliseconds(ms * LATENCY_TOLERANCE);
                format!("slower than {} (canary {canary})", milliseconds(ms))
            }
            Metric::Own(place) => self
                .own
                .get(place)
                .map_or_else(|| metric.to_string(), |own| own.name.clone()),
        }
    }
}

/// Such as `4xx 10.20% vs 2.00% of 6,012 and 54,110 requests: 5.1x, limit 1.5x; certain at 1 in 200
/// after 4 min`.
pub fn sentence(verdict: &Verdict, labels: &Labels<'_>, config: &JudgeConfig) -> String {
    let limit_of = |alpha: f64| -alpha.ln();
    let harm = evidence_of(verdict.log_e, limit_of(config.alpha));
    let health = evidence_of(verdict.log_e_promote, limit_of(config.alpha_promote));

    let mut text = comparison(&verdict.subject, labels);
    let found = match &verdict.reason {
        Reason::Harm(peak) => {
            let limit = limit(limit_of(config.alpha));
            let _ = write!(text, "; certain at 1 in {limit} after {} min", peak.minute);
            return text;
        }
        Reason::FinalTest { p, limit, .. } => {
            format!("final test p = {}, limit {}", p_value(*p), p_value(*limit))
        }
        Reason::NonInferior => format!("no worse than the bound, evidence {health}"),
        Reason::Unsettled => format!("evidence of harm {harm}, of health {health}"),
        Reason::EndOfBake => format!(
            "neither shown at the end of the bake, evidence of harm {harm}, of health {health} \
             (least: {})",
            labels.of(verdict.weakest)
        ),
        Reason::Objected(objection) => format!(
            "{} at the end of the bake, evidence of harm {harm}, of health {health}",
            objected(objection)
        ),
    };
    let _ = write!(text, "; {found} after {} min", verdict.minute);
    text
}

/// How long a healthy canary is expected to take, or what would help; `None` without an hour or a
/// share.
pub fn expectation(setup: &Setup) -> Option<String> {
    let Setup {
        config,
        thresholds,
        own,
        prior,
    } = setup;
    let families = Families::new(config, *thresholds, own);
    let expected = expected_minutes(config, &families, prior)?;
    let end = f64::from(config.end);
    if expected + f64::from(LATE_MINUTES) <= end {
        return Some(format!(
            "At this traffic a healthy canary is expected to be promoted after about {} minutes",
            thousands(expected as u64)
        ));
    }
    if expected <= end {
        let expected = expected as u32;
        return Some(format!(
            "At this traffic a healthy canary may not be decided in {end} minutes: a decision is \
             expected after about {expected}, and metrics that come late can put it off by up to \
             {LATE_MINUTES}; a bake of {} minutes would help",
            expected.saturating_add(LATE_MINUTES)
        ));
    }

    let most_share = config.share.filter(|share| *share < SHARE_HELPFUL);
    let share = most_share.map(|_| format!("a share of {:.0}%, ", SHARE_HELPFUL * 100.0));
    Some(format!(
        "At this traffic a healthy canary is not expected to be decided in {} minutes; {}a bake of \
         {} minutes or tau_promote {} would help",
        config.end,
        share.unwrap_or_default(),
        config.end.saturating_mul(2),
        config.tau_promote + 1.0
    ))
}

/// What objects to a promotion, in words.
pub fn objected(objection: &Objection) -> String {
    match objection {
        Objection::Latency => "watched latency objects to a promotion".to_owned(),
        Objection::Series(name) => format!("{name} objects to a promotion"),
    }
}

/// Both rates, the requests they are of, and the ratio beside its limit.
fn comparison(shown: &Shown, labels: &Labels<'_>) -> String {
    let (canary, baseline) = (shown.totals.canary, shown.totals.baseline);
    let ratio = match (shown.totals.ratio(), shown.spec.floor) {
        (Some(ratio), _) => format!("{}x, limit {}x", significant(ratio), shown.spec.tolerance),
        (None, _) if canary.bad == 0 => "none on either side".to_owned(),
        (None, Some(floor)) => {
            let limit = significant(floor * 100.0);
            format!("none in the baseline, limit {limit}%")
        }
        (None, None) => format!("none in the baseline, limit {}x", shown.spec.tolerance),
    };
    format!(
        "{} {} vs {} of {} and {} requests: {ratio}",
        labels.of(shown.spec.metric),
        rate(canary),
        rate(baseline),
        thousands(canary.requests),
        thousands(baseline.requests),
    )
}

#[cfg(test)]
mod tests;
