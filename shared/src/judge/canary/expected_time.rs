//! How long a healthy canary needs for its promotion, at the traffic of the hour before.

use super::config::JudgeConfig;
use super::counts::share;
use super::health::RATIOS;
use super::hour_before::HourBefore;
use super::metric::{Families, Metric, MetricSpec};

/// Requests a minute to each side.
#[derive(Debug, Clone, Copy)]
struct RequestRates {
    canary: f64,
    baseline: f64,
}

/// The metrics for which a promotion requires evidence, with the minutes it needs.
///
/// The second threshold is required only where it can be shown within half the bake.
pub fn promoting(config: &JudgeConfig, families: &Families, prior: &HourBefore) -> Vec<Metric> {
    let half_the_bake = f64::from(config.end) / 2.0;
    let is_required = |spec: &&MetricSpec| match spec.metric {
        _ if !spec.promotes => false,
        Metric::Errors | Metric::ClientErrors | Metric::Latency(0) | Metric::Own(_) => true,
        Metric::Latency(_) => {
            let needed =
                traffic(config, prior).map(|traffic| minutes(config, spec, prior, traffic));
            needed.is_none_or(|needed| needed <= half_the_bake)
        }
    };
    families
        .judged
        .iter()
        .filter(is_required)
        .map(|spec| spec.metric)
        .collect()
}

/// Minutes after which a healthy canary is expected to be promoted; `None` without an hour or a
/// share.
pub fn expected_minutes(
    config: &JudgeConfig,
    families: &Families,
    prior: &HourBefore,
) -> Option<f64> {
    let traffic = traffic(config, prior)?;
    let required = promoting(config, families, prior);
    let slowest = families
        .judged
        .iter()
        // Of a user's own counts the hour before shows nothing.
        .filter(|spec| required.contains(&spec.metric) && !matches!(spec.metric, Metric::Own(_)))
        .map(|spec| minutes(config, spec, prior, traffic))
        .fold(f64::from(config.min_minutes + config.warm_up), f64::max);
    Some(slowest.ceil() + f64::from(config.last_step() - 1))
}

fn traffic(config: &JudgeConfig, prior: &HourBefore) -> Option<RequestRates> {
    let requests = prior.requests_a_minute?;
    let share = config.share?;
    Some(RequestRates {
        canary: requests * share,
        baseline: requests * (1.0 - share),
    })
}

/// `T = need/g` with the growth g of the evidence in a minute; latency adds the warm-up.
fn minutes(
    config: &JudgeConfig,
    spec: &MetricSpec,
    prior: &HourBefore,
    traffic: RequestRates,
) -> f64 {
    let growth = growth(spec, prior, traffic) / prior.phi(spec);
    let mixture = 0.5 * (RATIOS.len() as f64).ln();
    let need = -config.alpha_promote.ln() + mixture;
    match spec.metric {
        Metric::Latency(_) => need / growth + f64::from(config.warm_up),
        Metric::Errors | Metric::ClientErrors | Metric::Own(_) => (need + 2f64.ln()) / growth,
    }
}

/// `max_q [p_c·n_c·ln q − (p_c·n_c + p·n_b)·ln(1 + (q−1)·θ_p)]`, with a floor or
/// `max_q [p·n_c·ln q + (1−q)·n_c·ε_p]` if that is larger.
fn growth(spec: &MetricSpec, prior: &HourBefore, traffic: RequestRates) -> f64 {
    let measured = prior.of(spec.metric);
    let canary_bad = measured.rate_to_promote * traffic.canary;
    let all_bad = canary_bad + measured.rate * traffic.baseline;
    let theta = share(traffic.canary, traffic.baseline, spec.promotion.tolerance);

    let by_ratio = |q: f64| canary_bad * q.ln() - all_bad * ((q - 1.0) * theta).ln_1p();
    let by_floor = |q: f64| {
        spec.promotion.floor.map_or(f64::NEG_INFINITY, |floor| {
            measured.rate * traffic.canary * q.ln() + (1.0 - q) * traffic.canary * floor
        })
    };
    RATIOS
        .into_iter()
        .flat_map(|q| [by_ratio(q), by_floor(q)])
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests;
