use serde_json::json;

use super::*;
use crate::judge::canary::hour_before::{HourBefore, Measured};
use crate::judge::canary::verdict::Peak;
use crate::metrics::source::tests::key;
use crate::strategy::canary::Remark;
use crate::strategy::canary::config::tests as config;

pub(crate) const FIRST: i64 = 29_460_060;

fn prior() -> HourBefore {
    let singly = |rate| Measured {
        phi: 1.0,
        one_by_one: true,
        rate,
        rate_to_promote: rate,
    };
    HourBefore {
        rule: BadRule::Difference,
        requests_a_minute: Some(60_000.0),
        errors: singly(0.001),
        client_errors: singly(0.0),
        latency: Vec::new(),
    }
}

pub(crate) fn state() -> BakeState {
    BakeState::new(FIRST, Vec::new(), &prior())
}

/// So many minutes, in each of which this many of 6,000 and 54,000 requests fail.
fn data(minutes: i64, canary_bad: f64, baseline_bad: f64) -> Data {
    let each = |value: f64| (FIRST..FIRST + minutes).map(|at| (at, value)).collect();
    let points = [
        ("c_n", 6_000.0),
        ("c_2", 6_000.0 - canary_bad),
        ("c_e", canary_bad),
        ("b_n", 54_000.0),
        ("b_2", 54_000.0 - baseline_bad),
        ("b_e", baseline_bad),
    ];
    points
        .into_iter()
        .map(|(id, value)| (key(id), each(value)))
        .collect()
}

fn settings(end: u32) -> Settings {
    let mut settings = Settings::default();
    settings.judge.end = end;
    settings
}

/// An evaluation long after everything has settled.
fn outlook(settings: &Settings, state: &BakeState, data: &Data, minute: u32) -> Outlook {
    evaluate(&Observed {
        settings,
        state,
        data,
        minute,
        now_secs: (FIRST + i64::from(minute) + 10) * 60,
        percent: 10,
        sticky: false,
    })
    .expect("the state is sound")
}

#[test]
fn a_healthy_canary_is_promoted_and_a_bad_one_rolled_back() {
    let of = |canary_bad| outlook(&settings(30), &state(), &data(9, canary_bad, 54.0), 9);
    assert_eq!(of(6.0).decision, Decision::Promote);
    let bad = of(600.0);
    assert_eq!(bad.decision, Decision::Rollback);
    assert!(
        bad.reason
            .starts_with("requests without a good answer 10.00% vs 0.10%"),
        "{}",
        bad.reason
    );
}

#[test]
fn without_data_nothing_is_promoted_and_the_bake_ends() {
    let of = |minute| outlook(&settings(8), &state(), &Data::new(), minute).decision;
    assert_eq!([of(7), of(8)], [Decision::Continue, Decision::Inconclusive]);
}

#[test]
fn a_series_without_data_keeps_a_healthy_canary_from_its_promotion() {
    let of = |end| {
        let mut settings = config::settings(json!([config::memory()]));
        settings.judge.end = end;
        outlook(&settings, &state(), &data(9, 6.0, 54.0), 9)
    };
    for (end, decision) in [(30, Decision::Continue), (9, Decision::Inconclusive)] {
        let found = of(end);
        assert_eq!(found.verdict.decision, Decision::Promote);
        assert_eq!((found.decision, found.clear), (decision, false));
        let objection = "; memory has values of both colours in 0 minutes, 5 needed: no data is \
                         never a pass";
        assert!(found.reason.ends_with(objection), "{}", found.reason);
    }
}

#[test]
fn nothing_is_promoted_before_the_last_share() {
    let raising = state().with_last_percent(Some(25));
    let data = data(30, 0.0, 54.0);
    let before = outlook(&settings(60), &raising, &data, 20);
    assert_eq!((before.decision, before.clear), (Decision::Continue, true));

    let raised = raising.with_raise(10);
    let of = |minute| outlook(&settings(60), &raised, &data, minute).decision;
    assert_eq!([of(13), of(14)], [Decision::Continue, Decision::Promote]);
}

#[test]
fn the_planned_raise_is_the_earliest_that_is_possible() {
    let judge = &settings(60).judge;
    let raising = state().with_last_percent(Some(25));
    assert_eq!(steps(judge, &state(), 1), [1]);
    assert_eq!(
        [steps(judge, &raising, 1), steps(judge, &raising, 20)],
        [[1, 9], [1, 21]]
    );
    assert_eq!(steps(judge, &raising.with_raise(12), 20), [1, 12]);
}

#[test]
fn a_raise_is_expected_to_take_some_minutes() {
    let judge = &settings(60).judge;
    let raising = state().with_last_percent(Some(25));
    assert_eq!(expected_steps(judge, &state()), [1]);
    assert_eq!(expected_steps(judge, &raising), [1, 12]);
}

#[test]
fn a_hold_is_never_promoted_and_goes_on_judging() {
    let held = state().with_hold(8);
    let of = |bad| outlook(&settings(8), &held, &data(20, bad, 54.0), 20).decision;
    assert_eq!(
        [of(6.0), of(600.0)],
        [Decision::Inconclusive, Decision::Rollback]
    );
}

#[test]
fn what_an_evaluation_leaves_is_what_the_next_one_begins_with() {
    let first = outlook(&settings(60), &state(), &data(6, 60.0, 540.0), 6);
    let progress = first.state.progress().expect("ranges");
    assert_eq!(progress.taken, 6);

    let peak = Peak {
        log_e: 9.0,
        metric: Metric::Errors,
        minute: 4,
    };
    let reached = crate::judge::Progress {
        highest: Some(peak),
        ..progress
    };
    let state = first.state.with_progress(&reached);
    let next = outlook(&settings(60), &state, &data(7, 6.0, 54.0), 7);
    assert_eq!(
        next.decision,
        Decision::Rollback,
        "the highest evidence stays reached"
    );
}

#[test]
fn the_judgement_that_is_written_down_is_the_one_that_was_reached() {
    let outlook = outlook(&settings(30), &state(), &data(9, 600.0, 54.0), 9);
    let judgement = outlook.judgement("shop");
    assert_eq!(judgement.verdict().sentence, outlook.reason);
    assert_eq!(judgement.verdict().decision, Decision::Rollback);
}

#[test]
fn a_sticky_rule_is_noted() {
    let settings = settings(30);
    let (state, data) = (state(), data(9, 6.0, 54.0));
    let of = |sticky| {
        let observed = Observed {
            settings: &settings,
            state: &state,
            data: &data,
            minute: 9,
            now_secs: (FIRST + 19) * 60,
            percent: 10,
            sticky,
        };
        evaluate(&observed).expect("the state is sound").notes
    };
    let notes = of(false);
    assert_eq!(notes[0], "errors are requests without a good answer");
    assert!(notes[1].ends_with("latency is not judged"), "{notes:?}");
    assert_eq!(notes.len(), 2);
    assert!(of(true)[2].starts_with("sessions move, not requests"));
}

#[test]
fn failed_calls_of_grpc_are_noted_as_unseen() {
    let grpc = "the target group speaks gRPC, which answers 200 with the failure in a trailer: \
                failed calls are not seen";
    for (speaks, expected) in [(false, None), (true, Some(grpc))] {
        let state = state().with_grpc(speaks);
        let notes = outlook(&settings(30), &state, &data(9, 6.0, 54.0), 9).notes;
        assert_eq!(notes.get(2).map(String::as_str), expected);
    }
}

#[test]
fn a_rule_that_was_sticky_once_stays_so_for_the_judgement() {
    let state = state().with_sticky(true);
    let later = outlook(&settings(30), &state, &data(9, 6.0, 54.0), 9);
    assert!(later.state.sticky);
    assert!(later.notes[2].starts_with("sessions move, not requests"));
}

#[test]
fn what_could_not_be_measured_is_noted() {
    let remarks = [Remark::ZonesDenied, Remark::ShareTooSmall];
    let state = state().with_remarks(remarks.into());
    let notes = outlook(&settings(30), &state, &data(9, 6.0, 54.0), 9).notes;
    assert_eq!(notes[2..], remarks.map(|remark| remark.text().to_owned()));
}
