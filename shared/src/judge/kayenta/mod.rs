//! Judges by the canary configs of Spinnaker's Kayenta, once, at the end of the bake.
//!
//! Users of Kayenta have configs; this reads them and reaches Kayenta's verdict
//! (github.com/spinnaker/kayenta, NetflixACAJudge-v1.0), except where that verdict has a hole:
//! - an Error is a failure; in Kayenta it leaves the denominator;
//! - a group without data leaves the score with its weight; in Kayenta it scores 100;
//! - each side needs [`POINTS_MIN`] points; below, no data can reach 98 %, and Kayenta's bound is
//!   then the end of the range, which calls identical data High;
//! - where gaps are replaced by zeros, a side without values stands for zeros; in Kayenta such a
//!   metric passes, whatever the other side has;
//! - a metric of the config without a pair is Nodata; in Kayenta it is ignored;
//! - bounds are searched relative to the data; Kayenta's absolute 1e-4 swallows small fractions;
//! - constants are compared exactly; Kayenta adds random noise;
//! - a look before the end is refused, because the test holds for one look only;
//! - typos are refused; Kayenta takes its defaults.

mod classify;
mod config;
mod pairs;
mod score;

pub use classify::{
    Analysis, Classification, Direction, EffectMeasure, Label, NanStrategy, RankTest, classify,
};
pub use config::{KayentaConfig, MetricConfig, OutlierStrategy};
pub use pairs::MetricPair;
use pairs::read_pairs;
pub use score::{Grade, GroupScore, KayentaReport, MetricResult};

use super::strict::FieldError;

/// Points a side that the test needs: with 4 and 4 the largest possible z-score is 2.17, short of
/// the 2.33 of its 98 %.
pub const POINTS_MIN: usize = 5;

/// When the judge is invoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// Once, at the declared end.
    Final,
    /// Before that.
    Interim {
        /// The minute of the look.
        minute: u32,
        /// The declared end.
        end: u32,
    },
}

/// A judgement that is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum KayentaError {
    /// Not JSON at all.
    #[error("failed to parse {what}: {error}")]
    Json {
        /// Which of the inputs.
        what: &'static str,
        /// The parser's message.
        error: String,
    },
    /// The config was refused.
    #[error("failed to read the canary config: {0}")]
    Config(FieldError),
    /// The metric pairs were refused.
    #[error("failed to read the metric pairs: {0}")]
    Pairs(FieldError),
    /// The test holds for one look.
    #[error(
        "minute {minute} of {end}: this test holds for one look at the end, and every further \
         look adds false alarms; wait until minute {end}, or use the sequential judge"
    )]
    Interim {
        /// The minute of the look.
        minute: u32,
        /// The declared end.
        end: u32,
    },
}

/// Judges metric pairs by a config: clean, classify, score.
///
/// # Errors
/// A look before the end, or a pair that the config does not know.
pub fn judge(
    config: &KayentaConfig,
    pairs: &[MetricPair],
    timing: Timing,
) -> Result<KayentaReport, KayentaError> {
    if let Timing::Interim { minute, end } = timing {
        return Err(KayentaError::Interim { minute, end });
    }

    pairs::check_names(config, pairs).map_err(KayentaError::Pairs)?;
    let results = config
        .metrics
        .iter()
        .flat_map(|metric| judge_metric(metric, pairs))
        .collect();
    Ok(score::score(config, results))
}

/// One result for each pair of the metric, or Nodata if there is none.
fn judge_metric(metric: &MetricConfig, pairs: &[MetricPair]) -> Vec<MetricResult> {
    let own: Vec<_> = pairs
        .iter()
        .filter(|pair| pair.name == metric.name)
        .collect();
    let result = |canary: &[f64], baseline: &[f64]| MetricResult {
        name: metric.name.clone(),
        groups: metric.groups.clone(),
        muted: metric.muted,
        classification: classify_guarded(metric, canary, baseline),
    };

    if own.is_empty() {
        return vec![result(&[], &[])];
    }

    own.iter()
        .map(|pair| {
            result(
                &metric.clean(&pair.experiment),
                &metric.clean(&pair.control),
            )
        })
        .collect()
}

fn or_zeros<'a>(side: &'a [f64], zeros: &'a [f64]) -> &'a [f64] {
    if side.is_empty() { zeros } else { side }
}

/// Kayenta's classification behind the guards that it lacks.
fn classify_guarded(metric: &MetricConfig, canary: &[f64], baseline: &[f64]) -> Classification {
    if canary
        .iter()
        .chain(baseline)
        .any(|value| !value.is_finite())
    {
        return Classification::error(&metric.analysis, "a value is infinite");
    }

    // What was configured to stand for zeros is not missing data, and is compared as zeros.
    let zeros = match metric.analysis.nan_strategy {
        NanStrategy::Replace => vec![0.0; canary.len().max(baseline.len())],
        NanStrategy::Remove => Vec::new(),
    };
    let (canary, baseline) = (or_zeros(canary, &zeros), or_zeros(baseline, &zeros));

    if canary.len().min(baseline.len()) < POINTS_MIN {
        let reason = format!(
            "{} and {} points in canary and baseline, {POINTS_MIN} needed",
            canary.len(),
            baseline.len()
        );
        return Classification::no_data(&metric.analysis, reason);
    }

    classify(canary, baseline, &metric.analysis, RankTest::KAYENTA)
}

/// Reads a config and metric pairs as JSON, and renders the report as one line of JSON.
///
/// # Errors
/// Anything that is refused.
pub fn report(config: &str, pairs: &str) -> Result<String, KayentaError> {
    refuse_kubernetes(config).map_err(KayentaError::Config)?;
    let parse = |what: &'static str, text: &str| {
        serde_json::from_str(text).map_err(|error| KayentaError::Json {
            what,
            error: error.to_string(),
        })
    };
    let config = KayentaConfig::from_json(&parse("the canary config", config)?)
        .map_err(KayentaError::Config)?;
    let pairs = read_pairs(&parse("the metric pairs", pairs)?).map_err(KayentaError::Pairs)?;
    let report = judge(&config, &pairs, Timing::Final)?;

    Ok(report.to_json().to_string() + "\n")
}

/// Argo Rollouts and Flagger keep their canaries in Kubernetes YAML; a JSON parser's complaint
/// about its first character would not show that this is the wrong kind of file.
fn refuse_kubernetes(config: &str) -> Result<(), FieldError> {
    let kind = config.lines().find_map(|line| line.strip_prefix("kind:"));
    kind.map_or(Ok(()), |kind| {
        Err(FieldError {
            field: "kind".to_owned(),
            found: format!("{} in YAML", kind.trim()),
            expected: "a canary config of Kayenta in JSON, which has no kind".to_owned(),
        })
    })
}

#[cfg(test)]
mod tests;
