//! What a page shows, and what it does not do.

use super::super::messages::messages;
use super::super::*;
use super::{judged, live, minute, undecided};
use crate::judge::Decision;
use crate::judge::canary::answers::BadRule;
use crate::judge::canary::counts::OwnCounter;
use crate::judge::canary::metric::OwnCount;

#[test]
fn the_verdict_has_the_sentence_of_the_messages() {
    let judgement = judged(30, 5, |_| minute(60, 9));
    let messages = messages(&judgement);
    assert_eq!((messages.title, messages.class), ("Roll back", "rollback"));
    assert!(
        messages
            .lead
            .starts_with("Worse than tolerated, certain after "),
        "{messages:?}"
    );
    let page = html(&judgement);
    assert!(page.contains(&judgement.verdict().sentence));
}

#[test]
fn a_rollback_has_the_bound_that_is_for_its_metric() {
    let singly = messages(&judged(30, 5, |_| minute(60, 9))).meaning;
    assert!(
        singly.contains("came one by one") && singly.contains("at most 1% are"),
        "{singly}"
    );

    let mut live = live(30, 5, Vec::new());
    live.setup.prior.errors.one_by_one = false;
    let grouped = messages(&Judgement::from_live(&live, |_| minute(600, 9))).meaning;
    assert!(grouped.contains("end within a minute"), "{grouped}");
}

#[test]
fn the_expected_time_is_that_of_the_first_message() {
    let page = html(&undecided());
    assert!(
        page.contains("a healthy canary is expected to be promoted after about"),
        "{page}"
    );

    let mut quiet = live(30, 3, Vec::new());
    quiet.setup.prior.requests_a_minute = Some(10.0);
    let expectation = messages(&Judgement::from_live(&quiet, |_| minute(1, 9))).expectation;
    assert_eq!(
        expectation.as_deref(),
        Some(
            "At this traffic a healthy canary is not expected to be decided in 30 minutes; a share \
             of 50%, a bake of 60 minutes or tau_promote 3 would help"
        )
    );
}

/// The page of a judgement with this many counts of a user beside errors and 4xx.
fn page_with(count: usize) -> String {
    let own = |place: usize| OwnCount {
        name: format!("orders of shop {place}"),
        weight: 0.2,
        tolerance: 1.1,
        floor: None,
        dispersion: None,
        promote_tolerance: None,
        promote_floor: None,
    };
    let counted = OwnCounter {
        total: Some(100),
        bad: Some(1),
    };
    let live = live(30, 3, (0..count).map(own).collect());
    html(&Judgement::from_live(&live, |_| {
        let mut arrived = minute(1, 9);
        arrived.minute.canary.own = vec![counted; count];
        arrived.minute.baseline.own = vec![counted; count];
        arrived
    }))
}

#[test]
fn a_page_draws_twelve_metrics_and_has_the_number_of_the_others() {
    let rest = "more metrics are in the table below.";
    assert!(!page_with(10).contains(rest));
    assert!(page_with(12).contains(&format!(" 2 {rest}")));
}

#[test]
fn the_page_names_the_count_of_bad_requests_and_the_limits() {
    let page = html(&undecided());
    assert!(page.contains("Errors are requests without a good answer"));
    assert!(page.contains("What the error rate does not cover"));
    assert!(page.contains(">events one by one<") && page.contains(">events in groups<"));
    assert!(!page.contains("leaves unanswered"));

    let mut live = live(30, 3, Vec::new());
    live.setup.prior.rule = BadRule::Failures;
    let page = html(&Judgement::from_live(&live, |_| minute(1, 9)));
    assert!(page.contains("Errors are target 5XX and refused connections"));
    assert!(page.contains("requests that the canary leaves unanswered are not seen"));
}

#[test]
fn what_ended_a_judgement_from_outside_leads() {
    let judgement = undecided().with_ending(Decision::Rollback, "alarm shop is in ALARM");
    let messages = messages(&judgement);
    assert_eq!(messages.title, "Roll back");
    assert!(messages.lead.contains("alarm shop is in ALARM"));
    assert!(
        messages
            .meaning
            .starts_with("The evidence below did not decide this.")
    );
}

#[test]
fn names_from_outside_are_escaped() {
    let judgement = undecided()
        .with_note("<script>alert(1)</script>")
        .with_fact("Pipeline", "\u{202e}gnp");
    let page = html(&judgement);
    assert!(!page.contains("<script") && page.contains("&#60;script&#62;"));
    assert!(page.contains("⟨U+202E⟩gnp"));
}
