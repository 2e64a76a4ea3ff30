//! Fills in the tables: metrics, minutes, data quality and settings.

use crate::judge::canary::JudgeConfig;
use crate::judge::canary::config::Setting;

use super::interval::wilson;
use super::judgement::Judgement;
use super::series::{buckets, row_minutes, total};
use super::stored::StoredMetric;
use super::text::visible;
use crate::judge::numbers::{
    evidence, percent, plain, ranges, share, short_evidence, significant, thousands,
};
use crate::judge::tally::Tally;

/// Ranges of minutes that are listed one by one; more are counted.
const RANGES_CHARS_MAX: usize = 120;

/// A rate with what it is made of.
#[derive(Debug)]
pub(super) struct Rate {
    pub(super) percent: String,
    pub(super) interval: String,
    pub(super) counts: String,
}

/// One metric over the whole bake.
#[derive(Debug)]
pub(super) struct MetricRow {
    pub(super) name: String,
    pub(super) share: String,
    pub(super) decisive: bool,
    pub(super) canary: Rate,
    pub(super) baseline: Rate,
    pub(super) ratio: String,
    pub(super) limit: String,
    /// What a promotion rules out, for a metric that takes part in it.
    pub(super) bound: Option<String>,
    pub(super) harm: String,
    pub(super) health: String,
    pub(super) finding: &'static str,
}

pub(super) fn metric_row(judgement: &Judgement, index: usize, decisive: bool) -> MetricRow {
    let metric = &judgement.metrics[index];
    let all = total(judgement, index);
    let part = judgement.verdict.evidence[index];
    let promote_limit = -judgement.settings.alpha_promote.ln();
    let finding = match metric.promotion {
        _ if decisive => "worse than tolerated",
        _ if metric.watched => "watched",
        Some(_) if part.health >= promote_limit => "no worse than its bound",
        Some(_) => "not settled",
        None => "no harm shown",
    };
    let health = metric.promotion.map(|_| evidence(part.health));

    MetricRow {
        name: visible(&metric.label),
        share: share(metric.weight),
        decisive,
        canary: rate(all.totals.canary, metric.dispersion),
        baseline: rate(all.totals.baseline, metric.dispersion),
        ratio: all
            .totals
            .ratio()
            .map_or("–".to_owned(), |ratio| format!("{}x", significant(ratio))),
        limit: limit(metric),
        bound: metric
            .promotion
            .map(|promotion| bound(promotion.tolerance, promotion.floor)),
        harm: evidence(part.harm),
        health: health.unwrap_or("not needed".to_owned()),
        finding,
    }
}

/// A rate over the whole bake, with its interval and counts.
pub(super) fn rate(tally: Tally, dispersion: f64) -> Rate {
    let interval = wilson(tally.bad, tally.requests, dispersion);
    Rate {
        percent: tally.rate().map_or("no data".to_owned(), percent),
        interval: interval.map_or(String::new(), |(low, high)| between(low, high)),
        counts: format!("{} of {}", thousands(tally.bad), thousands(tally.requests)),
    }
}

/// `0.16–0.36%`.
fn between(low: f64, high: f64) -> String {
    let low = percent(low);
    let high = percent(high);
    format!("{}–{high}", low.trim_end_matches('%'))
}

/// The ratio that is tolerated, and the rate below which nothing is harm.
pub(super) fn limit(metric: &StoredMetric) -> String {
    bound(metric.tolerance, metric.floor)
}

fn bound(tolerance: f64, floor: Option<f64>) -> String {
    let floor = floor
        .filter(|floor| *floor > 0.0)
        .map(|floor| format!(", if above {}", share(floor)));
    format!("{}x{}", plain(tolerance), floor.unwrap_or_default())
}

/// One point of the charts, for those who read numbers.
#[derive(Debug)]
pub(super) struct MinuteRow {
    pub(super) minutes: String,
    pub(super) canary: String,
    pub(super) baseline: String,
    pub(super) canary_rate: String,
    pub(super) baseline_rate: String,
    pub(super) harm: String,
    pub(super) health: String,
}

/// The points of metric `index`, with the evidence of the last look in each.
pub(super) fn minute_rows(judgement: &Judgement, index: usize) -> Vec<MinuteRow> {
    let rate = |tally: Tally| tally.rate().map_or("–".to_owned(), percent);
    let counts = |tally: Tally| {
        if tally.requests == 0 {
            "–".to_owned()
        } else {
            format!("{} / {}", thousands(tally.bad), thousands(tally.requests))
        }
    };

    let mut looks = judgement.looks().peekable();
    let mut rows = Vec::new();
    for bucket in buckets(judgement, index, row_minutes(judgement)) {
        let mut latest = None;
        while let Some(look) = looks.next_if(|look| look.minute <= bucket.last) {
            latest = Some(look);
        }

        let log = |value: Option<f64>| value.map_or("–".to_owned(), short_evidence);
        rows.push(MinuteRow {
            minutes: ranges(&(bucket.first..=bucket.last).collect::<Vec<_>>()),
            canary: counts(bucket.totals.canary),
            baseline: counts(bucket.totals.baseline),
            canary_rate: rate(bucket.totals.canary),
            baseline_rate: rate(bucket.totals.baseline),
            harm: log(latest.map(|look| look.log_e)),
            health: log(latest.map(|look| look.log_e_promote)),
        });
    }

    rows
}

/// What became of the minutes of one metric, or of several alike.
#[derive(Debug)]
pub(super) struct QualityRow {
    pub(super) names: Vec<String>,
    pub(super) cells: QualityCells,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct QualityCells {
    pub(super) usable: String,
    pub(super) late: String,
    pub(super) skipped: Vec<String>,
    pub(super) waiting: String,
    pub(super) dispersion: String,
    /// Which sentence about wrong rollbacks is for it.
    pub(super) bound: &'static str,
}

/// One row for all metrics of the same quality, since most bakes show no difference between them.
pub(super) fn quality_rows(judgement: &Judgement) -> Vec<QualityRow> {
    let mut rows: Vec<QualityRow> = Vec::new();
    for (index, metric) in judgement.metrics.iter().enumerate() {
        let name = visible(&metric.label);
        let cells = quality_cells(judgement, index);
        match rows.iter_mut().find(|row| row.cells == cells) {
            Some(row) => row.names.push(name),
            None => rows.push(QualityRow {
                names: vec![name],
                cells,
            }),
        }
    }

    rows
}

fn quality_cells(judgement: &Judgement, index: usize) -> QualityCells {
    let metric = &judgement.metrics[index];
    let quality = &judgement.quality[index];
    let skipped = [
        ("value missing", &quality.missing),
        ("no requests on one side", &quality.idle),
        ("warm-up, or counters that differ", &quality.left_out),
    ];
    let some = skipped
        .into_iter()
        .filter(|(_, minutes)| !minutes.is_empty());
    let minutes = judgement.minutes.len() as u64;

    QualityCells {
        usable: format!(
            "{} of {}",
            thousands(u64::from(quality.usable)),
            thousands(minutes)
        ),
        late: list(&quality.late),
        skipped: some
            .map(|(why, minutes)| format!("{}: {why}", list(minutes)))
            .collect(),
        waiting: list(&quality.waiting),
        dispersion: if metric.dispersion > 1.0 {
            significant(metric.dispersion)
        } else {
            "none".to_owned()
        },
        bound: bound_of(metric),
    }
}

/// Which of the two sentences about wrong rollbacks is for a metric.
fn bound_of(metric: &StoredMetric) -> &'static str {
    match (metric.watched, metric.one_by_one) {
        (true, _) => "only objects",
        (false, true) => "events one by one",
        (false, false) => "events in groups",
    }
}

fn list(minutes: &[u32]) -> String {
    let ranges = ranges(minutes);
    match minutes.len() {
        0 => "none".to_owned(),
        count if ranges.len() > RANGES_CHARS_MAX => format!("{} minutes", thousands(count as u64)),
        _ => ranges,
    }
}

/// One setting.
#[derive(Debug)]
pub(super) struct SettingRow {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) default: Option<String>,
    pub(super) meaning: &'static str,
}

/// Every setting, with the default where it differs.
pub(super) fn setting_rows(settings: &JudgeConfig) -> Vec<SettingRow> {
    let defaults = JudgeConfig::default().settings();
    let row = |(setting, default): (Setting, Setting)| SettingRow {
        name: setting.name,
        value: plain(setting.value),
        default: (default.value != setting.value).then(|| plain(default.value)),
        meaning: setting.meaning,
    };

    settings
        .settings()
        .into_iter()
        .zip(defaults)
        .map(row)
        .collect()
}
