use serde_json::json;

use super::kept::{metric, place};
use super::*;
use crate::judge::canary::answers::BadRule;
use crate::judge::canary::hour_before::Measured;
use crate::judge::canary::metric::Metric;
use crate::judge::canary::verdict::Peak;

fn prior() -> HourBefore {
    let measured = |phi, one_by_one| Measured {
        phi,
        one_by_one,
        rate: 0.001_234_567_8,
        rate_to_promote: 0.000_5,
    };
    HourBefore {
        rule: BadRule::Difference,
        requests_a_minute: Some(6_012.345_678),
        errors: measured(1.0, true),
        client_errors: measured(12.345_678_9, false),
        latency: vec![measured(1.0, true); 3],
    }
}

fn state() -> BakeState {
    BakeState::new(29_460_060, vec![215.746, 403.824, 605.736], &prior())
}

fn read(state: &BakeState) -> BakeState {
    BakeState::read(&state.payload()).expect("what was written")
}

fn progress(answers: &[(u32, u32)]) -> Progress {
    Progress {
        taken: 40,
        answers: answers.iter().copied().collect(),
        latency: [(1, 3)].into_iter().collect(),
        own: [(4, 4)].into_iter().collect(),
        own_apart: BTreeMap::from([(0, [(5, 6)].into_iter().collect())]),
        highest: Some(Peak {
            log_e: 1.5,
            metric: Metric::Latency(1),
            minute: 9,
        }),
    }
}

#[test]
fn what_is_kept_is_read_again() {
    let state = state()
        .with_last_percent(Some(25))
        .with_raise(9)
        .with_raise(12)
        .with_hold(61)
        .with_hold(62)
        .with_sticky(true)
        .with_sticky(false)
        .with_remarks([Remark::ZonesDenied, Remark::ShareUnknown].into())
        .with_known_counts([0, 3].into())
        .with_progress(&progress(&[(3, 3), (7, 9)]));
    assert_eq!(read(&state), state);
    assert_eq!(state.raised, Some(9), "the first raise counts");
    assert_eq!(state.held, Some(61), "a hold begins once");
    assert!(state.sticky, "sessions stay where they are");
    assert_eq!(read(&state).progress(), Ok(progress(&[(3, 3), (7, 9)])));
}

#[test]
fn what_the_hour_showed_keeps_six_digits() {
    let kept = read(&state()).prior();
    assert_eq!(kept.rule, BadRule::Difference);
    assert_eq!(kept.requests_a_minute, Some(6_012.35));
    let client_errors = kept.client_errors;
    assert_eq!(
        (client_errors.phi, client_errors.one_by_one),
        (12.345_7, false)
    );
    assert_eq!(kept.errors.rate, 0.001_234_57);
    assert_eq!(kept.latency.len(), 3);
}

#[test]
fn every_metric_has_a_place_of_its_own() {
    let metrics = [
        Metric::Errors,
        Metric::ClientErrors,
        Metric::Latency(0),
        Metric::Latency(2),
        Metric::Own(0),
        Metric::Own(9),
    ];
    for known in metrics {
        assert_eq!(metric(place(known)), known);
    }
}

#[test]
fn a_token_that_would_be_too_long_leaves_more_minutes_out() {
    let scattered: Vec<(u32, u32)> = (1..900).map(|minute| (3 * minute, 3 * minute)).collect();
    let state = state().with_progress(&progress(&scattered));
    assert!(state.payload().to_string().len() <= PAYLOAD_CHARS);
    let kept = read(&state).progress().expect("ranges");
    let is_kept = |(minute, _): &(u32, u32)| kept.answers.contains(*minute);
    assert!(scattered.iter().all(is_kept));
}

#[test]
fn a_token_has_its_length_whatever_is_known_last() {
    let scattered: Vec<(u32, u32)> = (1..900).map(|minute| (3 * minute, 3 * minute)).collect();
    // The longest list that is not shortened.
    let mut longest = state();
    for minutes in 1..scattered.len() {
        let state = state().with_progress(&progress(&scattered[..minutes]));
        if state.unbounded().to_string().len() > PAYLOAD_CHARS {
            break;
        }
        longest = state;
    }
    assert!(longest.payload().to_string().len() > PAYLOAD_CHARS - 10);

    let held = longest.with_hold(1_380).with_last_percent(Some(50));
    assert!(held.payload().to_string().len() <= PAYLOAD_CHARS);
    assert_eq!(read(&held).held, Some(1_380));
}

#[test]
fn a_list_of_the_version_before_is_of_every_own_count() {
    let mut payload = state().payload();
    payload["p"][3] = json!("3,7-9");
    let progress = BakeState::read(&payload).and_then(|state| state.progress());
    let progress = progress.expect("ranges");
    assert_eq!(progress.own, [(3, 3), (7, 9)].into_iter().collect());
    assert!(progress.own_apart.is_empty());

    payload["p"][3] = json!("3;0=5-6;9=8,11");
    let progress = BakeState::read(&payload).and_then(|state| state.progress());
    let used = |place, minute| {
        let progress = progress.as_ref().expect("ranges");
        progress.was_used(minute, Metric::Own(place))
    };
    assert_eq!(
        [used(0, 3), used(0, 6), used(9, 6), used(9, 11), used(1, 11)],
        [false, false, true, false, true]
    );
}

#[test]
fn a_damaged_list_of_minutes_is_refused() {
    for text in ["3,x", "7-9,3", "3-", "3,,4"] {
        let mut payload = state().payload();
        payload["p"][1] = json!(text);
        let failure = BakeState::read(&payload).and_then(|state| state.progress());
        let message = failure.expect_err("refused").message;
        let expected = format!("are `{text}`; expected ranges");
        assert!(message.contains(&expected), "{message}");
    }
    for text in ["1", "x=4", "1=3,x"] {
        let mut payload = state().payload();
        payload["p"][3] = json!(format!("3;{text}"));
        let failure = BakeState::read(&payload).and_then(|state| state.progress());
        let message = failure.expect_err("refused").message;
        assert!(
            message.contains(&format!("are `{text}`; expected")),
            "{message}"
        );
    }
}

#[test]
fn a_token_of_another_version_is_refused() {
    let failure = BakeState::read(&json!({"f": 1, "e": 1.0})).expect_err("refused");
    assert!(failure.message.ends_with("; release again"), "{failure}");
}

#[test]
fn a_raise_counts_from_its_first_job_without_a_break() {
    let raising = state().with_raising(Some(1_000)).with_raising(Some(1_060));
    assert_eq!(read(&raising).raising_for(1_090), Duration::from_secs(90));
    assert_eq!(raising.raising_for(900), Duration::ZERO, "clocks differ");

    let held = raising.with_raising(None);
    assert_eq!(held.raising_for(1_090), Duration::ZERO);
    let again = held.with_raising(Some(1_200));
    assert_eq!(again.raising_for(1_230), Duration::from_secs(30));
}
