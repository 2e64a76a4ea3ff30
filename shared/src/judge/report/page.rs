//! Gathers what the templates print. The templates escape; nothing here writes markup.

use askama::Template;

use crate::judge::canary::Decision;

use super::evidence_chart::{EvidenceChart, harm, health};
use super::judgement::{JUDGEMENT_VERSION, Judgement};
use super::messages::{Messages, limits, messages};
use super::rate_chart::{RateChart, rates};
use super::series::{chart_minutes, row_minutes, total};
use super::stored::StoredMetric;
use super::table::{
    MetricRow, MinuteRow, QualityRow, Rate, SettingRow, limit, metric_row, minute_rows,
    quality_rows, rate, setting_rows,
};
use super::text::visible;
use crate::judge::numbers::{evidence, minutes, odds, significant};

/// Metrics whose rates are drawn. The table holds all of them.
const CHARTS_MAX: usize = 12;

/// The report as one self-contained HTML file.
pub fn html(judgement: &Judgement) -> String {
    Page::from_judgement(judgement)
        .render()
        .expect("writing to a string never fails")
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page {
    version: u32,
    name: String,
    facts: Vec<(String, String)>,
    messages: Messages,
    subject: Subject,
    evidence: [EvidenceChart; 2],
    rates: Vec<RateChart>,
    undrawn: usize,
    metrics: Vec<MetricRow>,
    minutes: Vec<MinuteRow>,
    /// How long a point of a chart of rates is: `minute`, `5 minutes`.
    point: String,
    /// The same of a row of the table of minutes.
    row_length: String,
    quality: Vec<QualityRow>,
    notes: Vec<String>,
    settings: Vec<SettingRow>,
    latency: bool,
    overdispersed: bool,
    /// Which count of bad requests is used: `difference` or `5xx`.
    bad: &'static str,
    /// What the error rate does not cover.
    limits: Vec<&'static str>,
}

/// The metric whose numbers stand beside the verdict.
struct Subject {
    name: String,
    /// How it came to stand there.
    role: &'static str,
    canary: Rate,
    baseline: Rate,
    ratio: String,
    limit: String,
    harm: String,
    harm_limit: String,
    health: String,
    health_limit: String,
    looked: String,
    end: String,
    usable: String,
}

impl Page {
    fn from_judgement(judgement: &Judgement) -> Self {
        let count = judgement.metrics.len();
        let subject = subject_index(judgement);
        let decisive =
            |index: usize| judgement.verdict.decision == Decision::Rollback && index == subject;
        // The metric behind the verdict comes first, where the eye is after the evidence.
        let drawn = std::iter::once(subject).chain((0..count).filter(|index| *index != subject));
        let point = chart_minutes(judgement, subject);
        let any = |holds: fn(&StoredMetric) -> bool| judgement.metrics.iter().any(holds);

        Self {
            version: JUDGEMENT_VERSION,
            name: visible(&judgement.name),
            facts: judgement
                .facts
                .iter()
                .map(|fact| (visible(&fact.name), visible(&fact.value)))
                .collect(),
            messages: messages(judgement),
            subject: Subject::new(judgement, subject),
            evidence: [harm(judgement), health(judgement)],
            rates: drawn
                .take(CHARTS_MAX)
                .map(|index| rates(judgement, index, point, decisive(index)))
                .collect(),
            undrawn: count.saturating_sub(CHARTS_MAX),
            metrics: (0..count)
                .map(|index| metric_row(judgement, index, decisive(index)))
                .collect(),
            minutes: minute_rows(judgement, subject),
            point: each(point),
            row_length: each(row_minutes(judgement)),
            quality: quality_rows(judgement),
            notes: judgement.notes.iter().map(|note| visible(note)).collect(),
            settings: setting_rows(&judgement.settings),
            latency: any(|metric| metric.name.starts_with("latency[")),
            overdispersed: any(|metric| metric.dispersion > 1.0),
            bad: judgement.prior.rule.as_str(),
            limits: limits(judgement),
        }
    }
}

/// What one point or row stands for.
fn each(count: u32) -> String {
    if count > 1 {
        minutes(count)
    } else {
        "minute".to_owned()
    }
}

/// The metric that decided, or else the one with the largest part in the evidence of harm.
fn subject_index(judgement: &Judgement) -> usize {
    let named = judgement.verdict.reason_metric();
    let decided = named.and_then(|name| {
        judgement
            .metrics
            .iter()
            .position(|metric| metric.name == name)
    });
    let parts = &judgement.verdict.evidence;

    let decides = judgement.metrics.iter().filter(|metric| !metric.watched);
    let count = decides.count();

    let largest = |worst: usize, index: usize| {
        if parts[index].harm > parts[worst].harm {
            index
        } else {
            worst
        }
    };

    decided.unwrap_or_else(|| (0..count).fold(0, largest))
}

impl Subject {
    fn new(judgement: &Judgement, index: usize) -> Self {
        let metric = &judgement.metrics[index];
        let all = total(judgement, index);
        let verdict = &judgement.verdict;
        // A rollback stands by the highest evidence, which the last look may not show any more.
        let peak = verdict
            .highest_log_e
            .filter(|_| verdict.decision == Decision::Rollback);

        Self {
            name: visible(&metric.label),
            role: if verdict.reason_metric().is_some() {
                "the metric that decided"
            } else {
                "the metric that looks worst"
            },
            canary: rate(all.totals.canary, metric.dispersion),
            baseline: rate(all.totals.baseline, metric.dispersion),
            ratio: all
                .totals
                .ratio()
                .map_or("–".to_owned(), |ratio| format!("{}x", significant(ratio))),
            limit: limit(metric),
            harm: evidence(peak.unwrap_or(verdict.log_e).max(verdict.log_e)),
            harm_limit: odds(judgement.settings.alpha),
            health: evidence(verdict.log_e_promote),
            health_limit: odds(judgement.settings.alpha_promote),
            looked: verdict.minute.to_string(),
            end: minutes(judgement.settings.end),
            usable: minutes(verdict.usable_minutes),
        }
    }
}
