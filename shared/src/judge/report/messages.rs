//! Writes what was decided, why, and what that does not mean.
//!
//! Numbers come from [`crate::judge::numbers`], so that the report and the judge's own sentence
//! agree.

use crate::judge::clean::Counts;
use crate::judge::noninferiority::NonInferiority;
use crate::judge::spec::MetricSpec;
use crate::judge::{Decision, Reason};

use super::judgement::Judgement;
use super::series::total;
use super::text::isolated;
use crate::judge::numbers::{evidence, minutes, odds, percent, span, thousands};

/// Requests beyond which it is not worked out how many a promotion would need.
const REQUESTS_MAX: u64 = 1 << 50;

/// The texts of the verdict.
#[derive(Debug)]
pub(super) struct Messages {
    /// `Roll back`.
    pub(super) title: &'static str,
    /// The class of its mark, which has a shape and a colour of its own.
    pub(super) class: &'static str,
    /// What was found, in one line.
    pub(super) lead: String,
    /// What it rests on.
    pub(super) meaning: String,
    /// The judge's own sentence with all numbers.
    pub(super) sentence: String,
    /// What would have been needed, where traffic did not suffice.
    pub(super) traffic: Option<String>,
}

pub(super) fn messages(judgement: &Judgement) -> Messages {
    let ending = judgement.ending.as_ref();
    let (title, class) = match ending.map_or(judgement.verdict.decision, |ending| ending.decision) {
        Decision::Continue => ("Continue", "continue"),
        Decision::Promote => ("Promote", "promote"),
        Decision::Rollback => ("Roll back", "rollback"),
        Decision::Inconclusive => ("Inconclusive", "inconclusive"),
    };
    let decided = matches!(
        judgement.verdict.decision,
        Decision::Promote | Decision::Rollback
    );

    Messages {
        title,
        class,
        lead: ending.map_or_else(|| lead(judgement), |ending| isolated(&ending.reason)),
        meaning: match ending {
            Some(_) => format!(
                "The evidence below did not decide this. {}",
                lead(judgement)
            ),
            None => meaning(judgement),
        },
        sentence: sentence(judgement),
        traffic: if decided { None } else { traffic(judgement) },
    }
}

/// The label of a metric by its name, safe inside a sentence.
fn label(judgement: &Judgement, name: &str) -> String {
    let metric = judgement.metrics.iter().find(|metric| metric.name == name);
    isolated(metric.map_or(name, |metric| &metric.label))
}

fn lead(judgement: &Judgement) -> String {
    let at = minutes(judgement.verdict.minute);
    match &judgement.verdict.reason {
        Reason::Harm { minute, .. } => {
            format!("Worse than tolerated, certain after {}.", minutes(*minute))
        }
        Reason::FinalTest { .. } => {
            format!("Worse than tolerated, found by the final test after {at}.")
        }
        Reason::NonInferior => {
            format!("No worse than its bounds on every metric that counts, shown after {at}.")
        }
        Reason::EndOfBake => format!("Neither harm nor health was shown in {at}."),
        Reason::Unsettled => format!("Nothing is settled after {at}."),
    }
}

fn meaning(judgement: &Judgement) -> String {
    let settings = &judgement.settings;
    let verdict = &judgement.verdict;
    match &verdict.reason {
        Reason::Harm { .. } => format!(
            "A canary within tolerance is ever rolled back by this evidence at most once in {} \
             bakes, however often it is looked at.",
            odds(settings.alpha)
        ),
        Reason::FinalTest { p, limit, .. } => format!(
            "The evidence did not reach its limit during the bake. The final test at its declared \
             end found this metric worse: a canary just within tolerance does as badly with a \
             chance of {}, and {} is rare enough.",
            percent(*p),
            percent(*limit)
        ),
        Reason::NonInferior => format!(
            "A canary beyond its bound on any metric that counts is promoted at most once in {} \
             bakes.",
            odds(settings.alpha_promote)
        ),
        Reason::EndOfBake => format!(
            "This is not a pass: the action is configured to wait for a decision, roll back or \
             promote. Least evidence of health: {}, {} of {}.",
            label(judgement, &verdict.weakest),
            evidence(verdict.log_e_promote),
            odds(settings.alpha_promote)
        ),
        Reason::Unsettled => "The canary is looked at again in a minute.".to_owned(),
    }
}

/// The judge's sentence with the names in it made safe.
fn sentence(judgement: &Judgement) -> String {
    let verdict = &judgement.verdict;
    let label = judgement.metrics.iter().map(|metric| metric.label.as_str());
    let longest = label
        .filter(|label| verdict.sentence.starts_with(label))
        .max_by_key(|label| label.len());
    let (name, rest) = verdict.sentence.split_at(longest.map_or(0, str::len));
    let least = |name: &str| format!("(least: {name})");
    let rest = match rest.rsplit_once(&least(&verdict.weakest)) {
        Some((before, after)) => format!("{before}{}{after}", least(&isolated(&verdict.weakest))),
        None => rest.to_owned(),
    };

    if name.is_empty() {
        isolated(&rest)
    } else {
        format!("{}{rest}", isolated(name))
    }
}

/// How many requests a promotion needs even if nothing goes wrong, where the bake is too short for
/// it.
fn traffic(judgement: &Judgement) -> Option<String> {
    let limit = -judgement.settings.alpha_promote.ln();
    let minute = f64::from(judgement.verdict.minute);
    let specs = judgement.metrics.iter().map(MetricSpec::from).enumerate();
    let needs = specs.filter_map(|(index, spec)| {
        let needed = requests_needed(&spec, limit)?;
        let had = total(judgement, index).totals.canary.requests;
        Some((needed, had, needed as f64 / had as f64 * minute))
    });
    let (needed, had, pace) = needs.max_by(|a, b| a.2.total_cmp(&b.2))?;

    if pace <= f64::from(judgement.settings.end) {
        return None;
    }

    let wait = if had == 0 {
        String::new()
    } else {
        format!(", about {} at this rate", span(pace))
    };

    Some(format!(
        "Too little traffic: even without a single error, a promotion needs about {} canary \
         requests{wait}; it had {}.",
        thousands(needed),
        thousands(had)
    ))
}

/// The fewest canary requests without a bad event that show health by the absolute rate; none for a
/// metric that is judged by its ratio alone, since how many bad events there will be is not known.
fn requests_needed(spec: &MetricSpec, limit: f64) -> Option<u64> {
    let promotion = spec
        .promotion
        .filter(|promotion| promotion.floor.is_some_and(|floor| floor > 0.0))?;
    let shown = |requests: u64| {
        let mut health = NonInferiority::new(promotion);
        let none_bad = (requests, 0, 0, 1, 0);
        let (canary_requests, canary_bad, canary_bad_promote, baseline_requests, baseline_bad) =
            none_bad;

        health.absorb(
            spec,
            &Counts {
                canary_requests,
                canary_bad,
                canary_bad_promote,
                baseline_requests,
                baseline_bad,
            },
        );
        health.log_evidence() >= limit
    };

    let mut enough = 1;
    while !shown(enough) {
        enough = if enough < REQUESTS_MAX {
            enough * 2
        } else {
            return None;
        };
    }

    let mut short = enough / 2;
    while enough - short > 1 {
        let middle = short + (enough - short) / 2;
        if shown(middle) {
            enough = middle
        } else {
            short = middle
        }
    }

    Some(enough)
}
