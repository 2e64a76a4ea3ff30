//! The texts of the page for each outcome.

use super::super::messages::messages;
use super::super::*;
use super::{config, judged, live, reading, undecided};
use crate::judge::spec::MetricSpec;
use crate::judge::{Decision, Reason};

/// The texts of a judgement with this decision and reason.
fn texts(decision: Decision, reason: Reason) -> [String; 4] {
    let mut judgement = judged(30, 3, |_| reading(1_000, 1));
    judgement.verdict.decision = decision;
    judgement.verdict.reason = reason;
    judgement.verdict.log_e_promote = 2_f64.ln();

    let words = messages(&judgement);
    [
        words.title.to_owned(),
        words.class.to_owned(),
        words.lead,
        words.meaning,
    ]
}

#[track_caller]
fn assert_texts<const N: usize>(cases: [([String; 4], [&str; 4]); N]) {
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}

#[test]
fn each_outcome_has_its_texts() {
    assert_texts([
        (
            texts(Decision::Continue, Reason::Unsettled),
            [
                "Continue",
                "continue",
                "Nothing is settled after 3 minutes.",
                "The canary is looked at again in a minute.",
            ],
        ),
        (
            texts(Decision::Promote, Reason::NonInferior),
            [
                "Promote",
                "promote",
                "No worse than its bounds on every metric that counts, shown after 3 minutes.",
                "A canary beyond its bound on any metric that counts is promoted at most once in \
                 20 bakes.",
            ],
        ),
        (
            texts(Decision::Inconclusive, Reason::EndOfBake),
            [
                "Inconclusive",
                "inconclusive",
                "Neither harm nor health was shown in 3 minutes.",
                "This is not a pass: the action is configured to wait for a decision, roll back \
                 or promote. Least evidence of health: 5xx, 2.0 of 20.",
            ],
        ),
    ]);
}

#[test]
fn each_reason_to_roll_back_has_its_texts() {
    let metric = || "errors".to_owned();
    assert_texts([
        (
            texts(
                Decision::Rollback,
                Reason::Harm {
                    metric: metric(),
                    minute: 1,
                },
            ),
            [
                "Roll back",
                "rollback",
                "Worse than tolerated, certain after 1 minute.",
                "A canary within tolerance is ever rolled back by this evidence at most once in \
                 200 bakes, however often it is looked at.",
            ],
        ),
        (
            texts(
                Decision::Rollback,
                Reason::FinalTest {
                    metric: metric(),
                    p: 0.0012,
                    limit: 0.005,
                },
            ),
            [
                "Roll back",
                "rollback",
                "Worse than tolerated, found by the final test after 3 minutes.",
                "The evidence did not reach its limit during the bake. The final test at its \
                 declared end found this metric worse: a canary just within tolerance does as \
                 badly with a chance of 0.12%, and 0.50% is rare enough.",
            ],
        ),
    ]);
}

#[test]
fn what_ended_a_judgement_is_its_title_and_its_lead() {
    let words = messages(&undecided().with_ending(Decision::Rollback, "the alarm x went off"));
    assert_eq!(
        (words.title, words.class, words.lead.as_str()),
        ("Roll back", "rollback", "the alarm x went off")
    );
    assert_eq!(
        words.meaning,
        "The evidence below did not decide this. Nothing is settled after 3 minutes."
    );
}

#[test]
fn too_little_traffic_is_named_with_what_it_would_take() {
    // 5,161 requests without an error are enough, as they are at 1,000 a minute before the
    // thirtieth minute.
    assert_eq!(
        messages(&judged(30, 3, |_| reading(1_000, 0))).traffic,
        None
    );

    let thin = "Too little traffic: even without a single error, a promotion needs about 5,161 \
                canary requests, about 9 hours at this rate; it had 30.";
    assert_eq!(
        messages(&judged(30, 3, |_| reading(10, 0)))
            .traffic
            .as_deref(),
        Some(thin)
    );

    let none = messages(&judged(30, 3, |_| reading(0, 0))).traffic.unwrap();
    assert!(
        none.ends_with("needs about 5,161 canary requests; it had 0."),
        "{none}"
    );

    let mut decided = judged(30, 3, |_| reading(10, 0));
    decided.verdict.decision = Decision::Rollback;
    assert_eq!(
        messages(&decided).traffic,
        None,
        "a verdict needs no excuse"
    );
}

#[test]
fn twelve_metrics_are_drawn_and_the_others_counted() {
    let spec = config(3).metrics(&[]).remove(0);
    let metrics = |count: usize| -> Vec<MetricSpec> {
        let weight = 1.0 / count as f64;
        (0..count)
            .map(|index| MetricSpec {
                name: format!("m{index}"),
                weight,
                ..spec.clone()
            })
            .collect()
    };
    let charts = |count: usize| {
        let live = Live {
            metrics: metrics(count),
            ..live(config(3), None, 2)
        };
        let page = html(&Judgement::from_live(live, |_, _| reading(1_000, 1)).unwrap());
        let drawn = (0..count)
            .filter(|index| page.contains(&format!("\"t-rate-{index}\"")))
            .count();

        (
            drawn,
            page.contains("1 more metrics are in the table below."),
        )
    };

    assert_eq!([charts(12), charts(13)], [(12, false), (12, true)]);
}

#[test]
fn the_page_has_facts_notes_and_the_numbers_of_the_metric_that_decided() {
    let judgement = judged(30, 3, |_| reading(1_000, 100))
        .with_fact("Image", "web:2")
        .with_note("late by a minute");
    let page = html(&judgement);
    let shown = [
        "Image",
        "web:2",
        "late by a minute",
        "shop",
        "the metric that decided",
        "300 of 3,000",
        "27 of 27,000",
    ]
    .map(|text| page.contains(text));

    assert_eq!(shown, [true; 7]);
    assert!(html(&undecided()).contains("the metric that looks worst"));
}

#[test]
fn invisible_characters_of_names_facts_and_notes_are_written_out() {
    let reversed = "a\u{202e}b";
    let mut judgement = undecided()
        .with_fact(reversed, reversed)
        .with_note(reversed);
    judgement.name = reversed.to_owned();
    judgement.metrics[0].label = reversed.to_owned();

    let page = html(&judgement);
    assert!(!page.contains('\u{202e}'), "{page}");
    assert!(page.contains("a⟨U+202E⟩b"), "{page}");
}
