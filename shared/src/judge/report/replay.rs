//! Judges a stored judgement again, and names what differs.
//!
//! A record is trusted because it can be judged again, so a difference is never hidden: it means
//! that the file or the judge was changed.

use std::fmt::{self, Display, Formatter};

use crate::judge::canary::arrival::Arrived;
use crate::judge::canary::counts::Minute;
use crate::judge::canary::sentence::{Labels, sentence};
use crate::judge::canary::{Judge, Reason, Verdict};

use super::judgement::Judgement;
use super::stored::StoredMinute;

/// Logarithms and p-values further apart than this differ. Mathematical libraries of two platforms
/// differ in the last digits, which is not a change of the judge.
const DIGITS: f64 = 1e-9;

/// A field of the verdict that a replay found different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictDifference {
    /// The field of the verdict.
    pub field: &'static str,
    /// What is in the record.
    pub recorded: String,
    /// What the judge finds now.
    pub found: String,
}

impl Display for VerdictDifference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: recorded {}, judged again {}",
            self.field, self.recorded, self.found
        )
    }
}

/// Judges a stored judgement again, from what it recorded. The verdict is the recorded one; any
/// other means that the record or the judge was changed.
pub fn replay(judgement: &Judgement) -> Verdict {
    let mut judge = Judge::new(judgement.setup(), judgement.progress.clone());
    let read = |minute: u32| {
        let index = (minute as usize).checked_sub(1);
        let found = index.and_then(|index| judgement.minutes.get(index));
        found.map_or_else(
            || Arrived {
                minute: Minute::default(),
                is_final: true,
            },
            StoredMinute::arrived,
        )
    };
    judge.look(judgement.verdict.minute, read)
}

/// Where the verdict of a replay is not the recorded one; empty if they agree.
pub fn differences(judgement: &Judgement, again: &Verdict) -> Vec<VerdictDifference> {
    let recorded = judgement.verdict();
    let mut found = Vec::new();
    let mut compare = |field, same: bool, recorded: String, again: String| {
        if !same {
            found.push(VerdictDifference {
                field,
                recorded,
                found: again,
            });
        }
    };

    let decisions = [recorded.decision, again.decision];
    let [before, now] = decisions.map(|decision| decision.as_str().to_owned());
    compare("decision", before == now, before, now);

    let same = same_reason(&recorded.reason, &again.reason);
    compare("reason", same, why(&recorded.reason), why(&again.reason));

    let promote = Some(recorded.log_e_promote);
    let promote_again = Some(again.log_e_promote);
    let highest_again = again.highest.map(|peak| peak.log_e);
    let numbers = [
        ("log_e", Some(recorded.log_e), Some(again.log_e)),
        ("highest_log_e", recorded.highest_log_e, highest_again),
        ("log_e_promote", promote, promote_again),
    ];

    for (field, before, now) in numbers {
        compare(field, same_number(before, now), number(before), number(now));
    }

    for (field, before, now) in texts(judgement, again) {
        compare(field, before == now, before, now);
    }

    found
}

/// What is compared as text: recorded, and judged again.
fn texts(judgement: &Judgement, again: &Verdict) -> [(&'static str, String, String); 3] {
    let recorded = judgement.verdict();
    let usable = [recorded.usable_minutes, again.usable_minutes];
    let [usable, usable_again] = usable.map(|minutes| minutes.to_string());
    let sentence_again = sentence(again, &labels(judgement), &judgement.settings);
    let weakest_again = again.weakest.to_string();
    [
        ("weakest", recorded.weakest.clone(), weakest_again),
        ("usable_minutes", usable, usable_again),
        ("sentence", recorded.sentence.clone(), sentence_again),
    ]
}

fn labels(judgement: &Judgement) -> Labels<'_> {
    Labels {
        rule: judgement.prior.rule,
        thresholds_ms: &judgement.thresholds_ms,
        own: &judgement.own,
    }
}

fn same_reason(recorded: &Reason, again: &Reason) -> bool {
    match (recorded, again) {
        (
            Reason::FinalTest { metric, p, limit },
            Reason::FinalTest {
                metric: again,
                p: p_again,
                limit: limit_again,
            },
        ) => metric == again && near(*p, *p_again, 0.0) && near(*limit, *limit_again, 0.0),
        (Reason::Harm(peak), Reason::Harm(again)) => {
            (peak.metric, peak.minute) == (again.metric, again.minute)
        }
        _ => recorded == again,
    }
}

fn same_number(recorded: Option<f64>, again: Option<f64>) -> bool {
    match (recorded, again) {
        (Some(recorded), Some(again)) => near(recorded, again, 1.0),
        _ => recorded == again,
    }
}

/// Whether two numbers differ in their last digits at most. A logarithm near 0 has no digits to
/// lose, hence the least `scale`.
fn near(a: f64, b: f64, scale: f64) -> bool {
    (a - b).abs() <= DIGITS * a.abs().max(b.abs()).max(scale)
}

fn number(number: Option<f64>) -> String {
    number.map_or("none".to_owned(), |number| number.to_string())
}

/// The reason with everything that is compared.
fn why(reason: &Reason) -> String {
    match reason {
        Reason::Unsettled => "not settled".to_owned(),
        Reason::Harm(peak) => format!("harm by {} in minute {}", peak.metric, peak.minute),
        Reason::FinalTest { metric, p, limit } => {
            format!("final test of {metric}, p {p} of {limit}")
        }
        Reason::NonInferior => "non-inferior".to_owned(),
        Reason::EndOfBake => "end of bake".to_owned(),
        Reason::Objected(objection) => format!("objection of {}", objection.name()),
    }
}
