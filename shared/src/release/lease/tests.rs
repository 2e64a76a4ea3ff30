use serde_json::json;

use super::*;
use crate::job::FailureType;
use crate::observed::service::tests::{NEW, OLD, deployment, steady};
use crate::strategy::blue_green::Colour::{Blue, Green};
use crate::strategy::blue_green::PriorColour;

fn now() -> Timestamp {
    Timestamp::from_secs(1_767_603_600).expect("in range")
}

fn release() -> OpenRelease {
    OpenRelease {
        execution: "e-1".to_owned(),
        pipeline: "slipway-web".to_owned(),
        digest: None,
        state: State::Open,
        began_at: now(),
        prior: None,
        registering: None,
        registered: None,
        change: None,
        shift: None,
        scale_in_suspended: None,
        sized: None,
        restoring: None,
        judged: Vec::new(),
        holding: None,
        failure: None,
        rolling_back_since: None,
    }
}

#[test]
fn every_transition_raises_the_fence() {
    let first = Lease::first("apps", "web", release());
    let prior = Prior::of(&steady(OLD)).expect("a PRIMARY deployment");
    let change = Change {
        task_definition: OLD.to_owned(),
        percentages: prior.percentages,
        desired_count: None,
        deployment: None,
    };
    let lease = first
        .with_prior(prior)
        .with_change(change, now())
        .with_deployment("ecs-svc/2")
        .taken_over(now());
    assert_eq!(lease.fence, 5);
    let (free, record) = lease
        .closed(Outcome::RolledBack, "because", now())
        .expect("a release was open");
    assert_eq!((free.fence, free.release), (6, None));
    assert_eq!(
        record
            .change
            .and_then(|change| change.deployment)
            .as_deref(),
        Some("ecs-svc/2")
    );
}

#[test]
fn weights_of_an_earlier_shift_are_known_as_long_as_they_may_still_be_set() {
    let [none, tenth, half] = [0, 10, 50].map(|percent| Weights::with(Green, percent));
    let first = Lease::first("apps", "web", release()).with_shift(none, tenth, now());
    let known = |lease: Lease| {
        lease
            .release
            .and_then(|release| release.shift)
            .map(Shift::announced)
    };
    assert_eq!(known(first.clone()), Some(vec![none, tenth]));
    assert_eq!(known(first.with_shift_made(after(1))), Some(vec![tenth]));
    let soon = first
        .with_shift_made(after(1))
        .with_shift(tenth, half, after(59));
    assert_eq!(
        known(soon.with_shift_made(after(59))),
        Some(vec![tenth, half])
    );
    let late = first
        .with_shift_made(after(1))
        .with_shift(tenth, half, after(60));
    assert_eq!(known(late.with_shift_made(after(60))), Some(vec![half]));
}

#[test]
fn only_the_holder_finds_its_release() {
    let lease = Lease::first("apps", "web", release());
    assert!(lease.held_by("e-1").is_some() && lease.held_by("e-2").is_none());
}

fn after(secs: i64) -> Timestamp {
    Timestamp::from_secs(now().secs() + secs).expect("in range")
}

fn weights(blue: u32, green: u32) -> Weights {
    Weights { blue, green }
}

fn change() -> Change {
    Change {
        task_definition: NEW.to_owned(),
        percentages: Percentages {
            minimum_healthy: 50,
            maximum: 150,
        },
        desired_count: Some(5),
        deployment: None,
    }
}

fn shift() -> Shift {
    Shift {
        from: weights(100, 0),
        to: weights(80, 20),
        at: now(),
        made: true,
        known: vec![weights(90, 10)],
    }
}

fn judged(since: Timestamp) -> Judged {
    Judged {
        since,
        verdict: "promote".to_owned(),
        summary: "healthy".to_owned(),
        outputs: BTreeMap::from([("Minutes".to_owned(), "7".to_owned())]),
        report: "reports/e-1".to_owned(),
    }
}

fn pair() -> PriorPair {
    let colour = |group: &str, weight, suspended| PriorColour {
        target_group: group.to_owned(),
        weight,
        task_definition: OLD.to_owned(),
        desired_count: 2,
        percentages: Percentages {
            minimum_healthy: 100,
            maximum: 200,
        },
        suspended,
    };
    let (blue, green) = (
        colour("group-blue", 100, Some(false)),
        colour("group-green", 0, Some(true)),
    );
    PriorPair {
        rule: "rule".to_owned(),
        live: Blue,
        blue,
        green,
    }
}

/// A release of which every member is there, so that a transition shows what it keeps.
fn full() -> Lease {
    let release = OpenRelease {
        execution: "e-1".to_owned(),
        pipeline: "slipway-web".to_owned(),
        digest: Some("sha256:00".to_owned()),
        state: State::Open,
        began_at: now(),
        prior: Some(Prior {
            task_definition: OLD.to_owned(),
            desired_count: 2,
            percentages: Percentages {
                minimum_healthy: 100,
                maximum: 200,
            },
            recorded_at: now(),
            pair: None,
        }),
        registering: Some(Registering {
            family: "web".to_owned(),
            newest: Some(OLD.to_owned()),
        }),
        registered: Some(NEW.to_owned()),
        change: Some(change()),
        shift: Some(shift()),
        scale_in_suspended: Some(true),
        sized: Some(4),
        restoring: Some(Restoring {
            reason: "sick".to_owned(),
            since: now(),
            held: false,
        }),
        judged: vec![judged(now())],
        holding: Some(Holding {
            action: after(5),
            since: after(6),
            decision: None,
        }),
        failure: Some(Failure::job("sick")),
        rolling_back_since: Some(after(7)),
    };
    Lease {
        v: 1,
        cluster: "apps".to_owned(),
        service: "web".to_owned(),
        fence: 7,
        changed_at: Some(now()),
        settled: Some(settled(Green, [1, 9], [Some(true), None])),
        release: Some(release),
    }
}

fn settled(
    live: Colour,
    [blue, green]: [u32; 2],
    [owed_blue, owed_green]: [Option<bool>; 2],
) -> Settled {
    Settled {
        live,
        blue,
        green,
        owed_blue,
        owed_green,
    }
}

/// The full lease one write later, with its release changed by `edit` and nothing else.
fn later(edit: impl FnOnce(&mut OpenRelease)) -> Lease {
    let mut lease = Lease { fence: 8, ..full() };
    edit(lease.release.as_mut().expect("a release"));
    lease
}

#[test]
fn a_first_lease_and_a_taken_one_hold_the_release_and_nothing_else_changes() {
    let first = Lease {
        v: 1,
        cluster: "apps".to_owned(),
        service: "web".to_owned(),
        fence: 1,
        changed_at: None,
        settled: None,
        release: Some(release()),
    };
    assert_eq!(Lease::first("apps", "web", release()), first);
    let free = Lease {
        release: None,
        ..full()
    };
    assert_eq!(
        free.taken(release()),
        Lease {
            fence: 8,
            release: Some(release()),
            ..full()
        }
    );
}

#[test]
fn an_announcement_is_written_with_its_time_and_nothing_else_changes() {
    let at = after(90);
    let dated = |lease: Lease| Lease {
        changed_at: Some(at),
        ..lease
    };
    let other = Change {
        task_definition: OLD.to_owned(),
        ..change()
    };
    assert_eq!(
        full().with_change(other.clone(), at),
        dated(later(|r| r.change = Some(other)))
    );
    for newest in [None, Some(NEW.to_owned())] {
        let registering = Registering {
            family: "shop".to_owned(),
            newest: newest.clone(),
        };
        assert_eq!(
            full().with_registering("shop", newest, at),
            dated(later(|r| r.registering = Some(registering)))
        );
    }
    assert_eq!(full().announced(at), dated(later(|_| {})));
    for suspended in [true, false] {
        let expected = dated(later(|r| r.scale_in_suspended = Some(suspended)));
        assert_eq!(full().with_scale_in(suspended, at), expected);
    }
    assert_eq!(
        full().with_sized(9, at),
        dated(later(|r| r.sized = Some(9)))
    );
}

#[test]
fn what_is_written_down_afterwards_leaves_the_time_of_the_announcement() {
    let prior = Prior {
        desired_count: 3,
        ..full()
            .release
            .and_then(|release| release.prior)
            .expect("recorded")
    };
    assert_eq!(
        full().with_prior(prior.clone()),
        later(|r| r.prior = Some(prior))
    );
    assert_eq!(
        full().with_registered(OLD),
        later(|r| r.registered = Some(OLD.to_owned()))
    );
    let named = Change {
        deployment: Some("ecs-svc/2".to_owned()),
        ..change()
    };
    assert_eq!(
        full().with_deployment("ecs-svc/2"),
        later(|r| r.change = Some(named))
    );
    let failure = Failure {
        kind: FailureType::PermissionError,
        message: "denied".to_owned(),
    };
    assert_eq!(
        full().with_failure(failure.clone()),
        later(|r| r.failure = Some(failure))
    );
    let taken_over =
        later(|r| (r.state, r.rolling_back_since) = (State::RollingBack, Some(after(90))));
    assert_eq!(full().taken_over(after(90)), taken_over);
    let mut unchanged = full();
    unchanged.release.as_mut().expect("a release").change = None;
    assert_eq!(
        unchanged.with_deployment("ecs-svc/2"),
        Lease {
            fence: 8,
            ..unchanged.clone()
        }
    );
}

#[test]
fn weights_are_announced_from_where_they_are_and_dated_again_when_they_are_set() {
    let (from, to) = (weights(80, 20), weights(60, 40));
    // In time for the earlier ones to be set still, and when they no longer can.
    for (secs, known) in [
        (59, vec![weights(90, 10), weights(80, 20)]),
        (60, Vec::new()),
    ] {
        let announced = Shift {
            from,
            to,
            at: after(secs),
            made: false,
            known,
        };
        let expected = Lease {
            changed_at: Some(after(secs)),
            ..later(|r| r.shift = Some(announced))
        };
        assert_eq!(full().with_shift(from, to, after(secs)), expected);
    }
    let mut unset = full();
    unset.release.as_mut().expect("a release").shift = Some(Shift {
        made: false,
        ..shift()
    });
    let made = Shift {
        made: true,
        at: after(3),
        ..shift()
    };
    assert_eq!(
        unset.with_shift_made(after(3)),
        later(|r| r.shift = Some(made))
    );
}

#[test]
fn the_first_reason_to_give_traffic_back_stays() {
    assert_eq!(full().with_restoring("another", after(9)), later(|_| {}));
    assert_eq!(full().with_held("another", after(9)), later(|_| {}));
    let mut fit = full();
    fit.release.as_mut().expect("a release").restoring = None;
    let because = |held| {
        later(|r| {
            r.restoring = Some(Restoring {
                reason: "why".to_owned(),
                since: after(9),
                held,
            })
        })
    };
    assert_eq!(
        (
            fit.with_restoring("why", after(9)),
            fit.with_held("why", after(9))
        ),
        (because(false), because(true))
    );
}

#[test]
fn a_judgement_ends_the_hold_of_its_own_action_and_replaces_its_own_only() {
    let other = judged(after(1));
    assert_eq!(
        full().with_judged(other.clone()),
        later(|r| r.judged.push(other))
    );
    let again = Judged {
        verdict: "rollback".to_owned(),
        ..judged(now())
    };
    assert_eq!(
        full().with_judged(again.clone()),
        later(|r| r.judged = vec![again])
    );
    let held = judged(after(5));
    let expected = later(|r| {
        r.judged.push(held.clone());
        r.holding = None;
    });
    assert_eq!(full().with_judged(held), expected);
}

#[test]
fn a_hold_begins_without_a_decision_and_keeps_what_a_person_decides() {
    let begun = Holding {
        action: after(1),
        since: after(2),
        decision: None,
    };
    assert_eq!(
        full().with_holding(after(1), after(2)),
        later(|r| r.holding = Some(begun))
    );
    for decision in [Decision::Promote, Decision::RollBack] {
        let decided = Holding {
            action: after(5),
            since: after(6),
            decision: Some(decision),
        };
        assert_eq!(
            full().with_decision(decision),
            later(|r| r.holding = Some(decided))
        );
    }
    let mut none = full();
    none.release.as_mut().expect("a release").holding = None;
    assert_eq!(
        none.with_decision(Decision::Promote),
        Lease {
            fence: 8,
            ..none.clone()
        }
    );
}

#[test]
fn a_change_settles_for_one_time_out_after_it_was_announced() {
    let left = |secs| full().settling(after(secs)).map(|left| left.as_secs());
    assert_eq!(
        [left(0), left(59), left(60), left(61)],
        [Some(60), Some(1), None, None]
    );
    assert_eq!(
        Lease {
            changed_at: None,
            ..full()
        }
        .settling(now()),
        None
    );
}

#[test]
fn a_release_is_touched_by_a_change_by_a_shift_and_by_a_suspension() {
    assert!(!release().touched());
    let registered = OpenRelease {
        prior: full().release.and_then(|release| release.prior),
        registering: Some(Registering {
            family: "web".to_owned(),
            newest: None,
        }),
        registered: Some(NEW.to_owned()),
        failure: Some(Failure::job("sick")),
        ..release()
    };
    assert!(!registered.touched());
    assert!(
        OpenRelease {
            change: Some(change()),
            ..release()
        }
        .touched()
    );
    assert!(
        OpenRelease {
            shift: Some(shift()),
            ..release()
        }
        .touched()
    );
    assert!(
        OpenRelease {
            scale_in_suspended: Some(false),
            ..release()
        }
        .touched()
    );
}

#[test]
fn a_close_frees_the_lease_and_records_the_whole_release() {
    let record = Record {
        v: 1,
        execution: "e-1".to_owned(),
        pipeline: "slipway-web".to_owned(),
        digest: Some("sha256:00".to_owned()),
        cluster: Some("apps".to_owned()),
        service: Some("web".to_owned()),
        state: RecordState::Closed,
        outcome: Some(Outcome::RolledBack),
        reason: Some("because".to_owned()),
        prior: full().release.and_then(|release| release.prior),
        change: Some(change()),
        shift: Some(shift()),
        judged: vec![judged(now())],
        started_at: now(),
        ended_at: Some(after(90)),
    };
    let free = Lease {
        fence: 8,
        release: None,
        ..full()
    };
    assert_eq!(
        full().closed(Outcome::RolledBack, "because", after(90)),
        Some((free.clone(), record))
    );
    assert_eq!(free.closed(Outcome::RolledBack, "again", after(91)), None);
}

#[test]
fn a_reason_is_kept_up_to_its_limit_in_characters() {
    let kept = |reason: String| {
        full()
            .closed(Outcome::Failed, &reason, now())
            .and_then(|(_, record)| record.reason)
    };
    assert_eq!(kept("ä".repeat(1_000)), Some("ä".repeat(1_000)));
    assert_eq!(
        kept(format!("{}b", "ä".repeat(1_000))),
        Some("ä".repeat(1_000))
    );
}

#[test]
fn a_pair_leaves_its_live_colour_its_weights_and_the_scale_in_that_it_owes() {
    let before = settled(Green, [1, 9], [Some(true), None]);
    let all = Shift {
        to: weights(0, 100),
        ..shift()
    };
    let leaves = |outcome, shift: Option<&Shift>, suspended| {
        let mut lease = Lease {
            settled: Some(before),
            ..full()
        };
        let release = lease.release.as_mut().expect("a release");
        release.prior = Some(pair().as_prior(now()));
        (release.shift, release.scale_in_suspended) = (shift.cloned(), suspended);
        lease
            .closed(outcome, "because", now())
            .and_then(|(free, _)| free.settled)
    };
    let cases = [
        // What was promoted is live; what was recorded is live again otherwise.
        (
            Outcome::Deployed,
            Some(&all),
            Some(false),
            settled(Green, [0, 100], [None, None]),
        ),
        (
            Outcome::Deployed,
            None,
            Some(false),
            settled(Blue, [100, 0], [None, None]),
        ),
        (
            Outcome::Unchanged,
            None,
            None,
            settled(Blue, [100, 0], [Some(true), None]),
        ),
        (
            Outcome::RolledBack,
            Some(&all),
            Some(false),
            settled(Blue, [100, 0], [None, None]),
        ),
        (
            Outcome::Held,
            Some(&all),
            Some(false),
            settled(Blue, [100, 0], [None, None]),
        ),
        // Scale-in that is still suspended is owed to what was recorded.
        (
            Outcome::Failed,
            Some(&all),
            Some(true),
            settled(Blue, [100, 0], [Some(false), Some(true)]),
        ),
        (
            Outcome::Failed,
            None,
            None,
            settled(Blue, [100, 0], [Some(true), None]),
        ),
        // Another one had the last word.
        (Outcome::Superseded, Some(&all), Some(true), before),
    ];
    for (outcome, shift, suspended, expected) in cases {
        assert_eq!(
            leaves(outcome, shift, suspended),
            Some(expected),
            "{outcome} {suspended:?}"
        );
    }
    let single = full()
        .closed(Outcome::Deployed, "because", now())
        .and_then(|(free, _)| free.settled);
    assert_eq!(single, Some(before));
    let mut first = full();
    first.settled = None;
    first
        .release
        .as_mut()
        .expect("a release")
        .scale_in_suspended = None;
    first.release.as_mut().expect("a release").prior = Some(pair().as_prior(now()));
    let (free, _) = first
        .closed(Outcome::Failed, "because", now())
        .expect("a release");
    assert_eq!(free.settled, Some(settled(Blue, [100, 0], [None, None])));
}

#[test]
fn a_failed_primary_is_never_the_prior_release() {
    let with = |primary, active: Option<Rollout>| {
        let mut view = steady(NEW);
        view.desired = 4;
        view.percentages = Percentages {
            minimum_healthy: 75,
            maximum: 125,
        };
        view.deployments[0].rollout = primary;
        if let Some(rollout) = active {
            view.deployments
                .push(deployment("ecs-svc/0", OLD, false, rollout));
        }
        Prior::of(&view)
    };
    let prior = |task_definition: &str| {
        Some(Prior {
            task_definition: task_definition.to_owned(),
            desired_count: 4,
            percentages: Percentages {
                minimum_healthy: 75,
                maximum: 125,
            },
            recorded_at: now(),
            pair: None,
        })
    };
    for primary in [Rollout::Failed, Rollout::InProgress] {
        assert_eq!(
            with(primary, Some(Rollout::Completed)),
            prior(OLD),
            "{primary:?}"
        );
        assert_eq!(
            with(primary, Some(Rollout::Failed)),
            prior(NEW),
            "{primary:?}"
        );
        assert_eq!(with(primary, None), prior(NEW), "{primary:?}");
    }
    assert_eq!(
        with(Rollout::Completed, Some(Rollout::Completed)),
        prior(NEW)
    );
    let mut none = steady(NEW);
    none.deployments[0].primary = false;
    assert_eq!(Prior::of(&none), None);
}

#[test]
fn a_lease_is_stored_under_names_that_later_versions_read() {
    let time = |secs: i64| format!("2026-01-05T09:00:{secs:02}Z");
    let text = r#"{
        "v": 1, "cluster": "apps", "service": "web", "fence": 7, "changed_at": "2026-01-05T09:00:00Z",
        "settled": {"live": "green", "blue": 1, "green": 9, "owed_blue": true},
        "release": {
            "execution": "e-1", "pipeline": "slipway-web", "digest": "sha256:00", "state": "open",
            "began_at": "2026-01-05T09:00:00Z",
            "prior": {
                "task_definition": "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1", "desired_count": 2,
                "percentages": {"minimum_healthy": 100, "maximum": 200}, "recorded_at": "2026-01-05T09:00:00Z"
            },
            "registering": {
                "family": "web", "newest": "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:1"
            },
            "registered": "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:2",
            "change": {
                "task_definition": "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:2",
                "percentages": {"minimum_healthy": 50, "maximum": 150}, "desired_count": 5
            },
            "shift": {
                "from": {"blue": 100, "green": 0}, "to": {"blue": 80, "green": 20}, "at": "2026-01-05T09:00:00Z",
                "made": true, "known": [{"blue": 90, "green": 10}]
            },
            "scale_in_suspended": true, "sized": 4,
            "restoring": {"reason": "sick", "since": "2026-01-05T09:00:00Z"},
            "judged": [{
                "since": "2026-01-05T09:00:00Z", "verdict": "promote", "summary": "healthy",
                "outputs": {"Minutes": "7"}, "report": "reports/e-1"
            }],
            "holding": {"action": "2026-01-05T09:00:05Z", "since": "2026-01-05T09:00:06Z"},
            "failure": {"type": "JobFailed", "message": "sick"}, "rolling_back_since": "2026-01-05T09:00:07Z"
        }
    }"#;
    let stored: serde_json::Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(serde_json::to_value(full()).expect("serializes"), stored);
    assert_eq!(
        serde_json::from_value::<Lease>(stored).expect("parses"),
        full()
    );
    let bare = Lease::first("apps", "web", release());
    let stored = json!({
        "v": 1, "cluster": "apps", "service": "web", "fence": 1,
        "release": {"execution": "e-1", "pipeline": "slipway-web", "state": "open", "began_at": time(0)},
    });
    assert_eq!(serde_json::to_value(&bare).expect("serializes"), stored);
    assert_eq!(
        serde_json::from_value::<Lease>(stored).expect("parses"),
        bare
    );
    let words = [
        serde_json::to_value(State::RollingBack),
        serde_json::to_value(Decision::RollBack),
    ];
    assert_eq!(
        words.map(|word| word.expect("serializes")),
        [json!("rolling-back"), json!("roll-back")]
    );
    let held = Restoring {
        reason: "why".to_owned(),
        since: now(),
        held: true,
    };
    let stored = json!({"reason": "why", "since": time(0), "held": true});
    assert_eq!(serde_json::to_value(held).expect("serializes"), stored);
    for strange in [
        json!({"family": "web", "colour": "blue"}),
        json!({"newest": NEW}),
    ] {
        assert!(
            serde_json::from_value::<Registering>(strange.clone()).is_err(),
            "{strange} was taken"
        );
    }
}
