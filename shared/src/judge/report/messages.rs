//! Writes what was decided, why, and what that does not mean.
//!
//! Numbers come from [`crate::judge::numbers`] and sentences from the judge, so that the report and
//! the messages of a release agree.

use crate::judge::canary::sentence::{expectation, objected};
use crate::judge::canary::{Decision, Reason};

use super::judgement::Judgement;
use super::text::isolated;
use crate::judge::numbers::{evidence, minutes, odds, percent, share};

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
    /// How long a healthy canary was expected to take.
    pub(super) expectation: Option<String>,
}

pub(super) fn messages(judgement: &Judgement) -> Messages {
    let ending = judgement.ending.as_ref();
    let (title, class) = match ending.map_or(judgement.verdict.decision, |ending| ending.decision) {
        Decision::Continue => ("Continue", "continue"),
        Decision::Promote => ("Promote", "promote"),
        Decision::Rollback => ("Roll back", "rollback"),
        Decision::Inconclusive => ("Inconclusive", "inconclusive"),
    };

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
        expectation: expectation(&judgement.setup()),
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
        Reason::Harm(peak) => {
            format!(
                "Worse than tolerated, certain after {}.",
                minutes(peak.minute)
            )
        }
        Reason::FinalTest { .. } => {
            format!("Worse than tolerated, found by the final test after {at}.")
        }
        Reason::NonInferior => {
            format!("No worse than its bounds on every metric that counts, shown after {at}.")
        }
        Reason::EndOfBake => format!("Neither harm nor health was shown in {at}."),
        Reason::Objected(objection) => {
            format!("Not promoted in {at}: {}.", isolated(&objected(objection)))
        }
        Reason::Unsettled => format!("Nothing is settled after {at}."),
    }
}

fn meaning(judgement: &Judgement) -> String {
    let settings = &judgement.settings;
    let verdict = &judgement.verdict;
    match &verdict.reason {
        Reason::Harm(_) => bound(judgement, verdict.reason_metric().as_deref()),
        Reason::FinalTest { p, limit, .. } => format!(
            "The evidence did not reach its limit during the bake. The final test at its declared \
             end found this metric worse: a canary just within tolerance does as badly with a \
             chance of {}, and {} is rare enough.",
            percent(*p),
            percent(*limit)
        ),
        Reason::NonInferior => format!(
            "A canary beyond its bound on any metric that counts is promoted at most once in {} \
             bakes, if trouble of both sides stays away.",
            odds(settings.alpha_promote)
        ),
        Reason::EndOfBake => format!(
            "This is not a pass: the action is configured to wait for a decision, roll back or \
             promote. Least evidence of health: {}, {} of {}.",
            label(judgement, &verdict.weakest),
            evidence(verdict.log_e_promote),
            odds(settings.alpha_promote)
        ),
        Reason::Objected(_) => "This is not a pass: what objects claims no probability, so it \
                                never rolls back, and never lets a canary pass."
            .to_owned(),
        Reason::Unsettled => "The canary is looked at again in a minute.".to_owned(),
    }
}

/// The sentence about wrong rollbacks that is for the metric that decided.
fn bound(judgement: &Judgement, decided: Option<&str>) -> String {
    let settings = &judgement.settings;
    let metric = judgement
        .metrics
        .iter()
        .find(|metric| Some(metric.name.as_str()) == decided);

    if metric.is_some_and(|metric| metric.one_by_one) {
        return format!(
            "The bad events of this metric came one by one in the hour before. Of canaries within \
             tolerance at most {} are rolled back, however often they are looked at.",
            share(settings.alpha + settings.alpha_exam)
        );
    }
    format!(
        "The bad events of this metric were not shown to come one by one. Of canaries within \
         tolerance at most {} are rolled back, if groups of bad events choose their side by \
         traffic and end within a minute.",
        share(2.0 * settings.alpha)
    )
}

/// What the error rate does not cover, for readers of a rollback that they doubt.
pub(super) fn limits(judgement: &Judgement) -> Vec<&'static str> {
    let mut limits = vec![
        "Trouble of one task, zone or client that stays on the canary for 3 minutes or more looks \
         like a regression and is rolled back: in simulations 3–15% of healthy canaries if it \
         happens every few hours, and more with one task a side.",
        "Data that is incomplete on one side, and sides that differ in more than the version, look \
         like a regression too.",
        "A common incident speaks for the canary: errors that doubled can be promoted while both \
         sides have many more.",
        "A regression of latency shorter than about 5 minutes is not found.",
    ];
    if judgement.prior.rule == crate::judge::canary::answers::BadRule::Failures {
        limits.push(
            "Errors are 5xx and refused connections: requests that the canary leaves unanswered \
             are not seen.",
        );
    }
    limits
}

/// The judge's sentence with the names in it made safe.
fn sentence(judgement: &Judgement) -> String {
    let verdict = &judgement.verdict;
    let label = judgement.metrics.iter().map(|metric| metric.label.as_str());
    let longest = label
        .filter(|label| verdict.sentence.starts_with(label))
        .max_by_key(|label| label.len());
    let (name, rest) = verdict.sentence.split_at(longest.map_or(0, str::len));

    if name.is_empty() {
        isolated(rest)
    } else {
        format!("{}{}", isolated(name), isolated(rest))
    }
}
