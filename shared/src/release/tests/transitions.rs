//! What each event changes, and that it changes nothing else.

use super::*;
use crate::job::FailureType;
use crate::observed::colour::Colour::Green;

/// The lease after `event`, which is legal.
pub(super) fn applied(lease: &Lease, event: Event, now: Timestamp) -> Lease {
    apply(lease, event, now).expect("a legal event")
}

pub(super) fn refusal(lease: &Lease, event: Event) -> Refusal {
    apply(lease, event, after(9)).expect_err("refused").because
}

#[test]
fn every_transition_raises_the_fence() {
    let at = now();
    let lease = Lease::unwritten("apps", "web");
    let lease = applied(&lease, Event::Taken(Box::new(release())), at);
    let prior = Event::PriorRecorded(Prior::Service(prior_service()));
    let lease = applied(&lease, prior, at);
    let lease = applied(&lease, change_announced(change()), at);
    let deployed = Event::DeploymentRecorded {
        deployment: "ecs-svc/2".to_owned(),
    };
    let lease = applied(&lease, deployed, at);
    let lease = applied(&lease, Event::TakenOver, at);

    assert_eq!(lease.fence, 5);

    let conclusion = Conclusion::new(Outcome::RolledBack, "because");
    let (free, record) = close(&lease, &conclusion, at).expect("a release was open");
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
fn a_first_lease_and_a_taken_one_hold_the_release_and_nothing_else_changes() {
    let unwritten = Lease::unwritten("apps", "web");
    let first = Lease {
        fence: 1,
        release: Some(release()),
        ..unwritten.clone()
    };

    assert_eq!(
        applied(&unwritten, Event::Taken(Box::new(release())), after(9)),
        first
    );
    assert_eq!(
        applied(&free(), Event::Taken(Box::new(release())), after(9)),
        Lease {
            fence: 8,
            release: Some(release()),
            ..open_service()
        }
    );
}

#[test]
fn a_prior_release_is_recorded_before_anything_is_changed() {
    let open = |target| {
        later(with_release(beginning(), |release| {
            release.phase = Phase::Open(target);
        }))
    };

    let untouched = ServiceTarget {
        prior: prior_service(),
        change: None,
    };
    assert_eq!(
        applied(
            &beginning(),
            Event::PriorRecorded(Prior::Service(prior_service())),
            after(9)
        ),
        open(of_service(untouched))
    );

    let pair = Prior::Pair {
        pair: Box::new(prior_pair()),
        recorded_at: now(),
    };
    assert_eq!(
        applied(&beginning(), Event::PriorRecorded(pair), after(9)),
        open(of_pair(PairTarget::new(prior_pair(), now())))
    );
}

#[test]
fn an_announcement_is_written_with_its_time_and_nothing_else_changes() {
    let at = after(90);
    let other = Change {
        task_definition: OLD.to_owned(),
        ..change()
    };

    for lease in [open_service(), open_pair()] {
        let expected = with_target(lease.clone(), |target| {
            *target.change_mut() = Some(other.clone());
        });
        assert_eq!(
            applied(&lease, change_announced(other.clone()), at),
            announced(expected, at)
        );
        for newest in [None, Some(NEW.to_owned())] {
            let registering = Registering {
                family: "shop".to_owned(),
                newest,
            };
            let expected = with_release(lease.clone(), |release| {
                release.registering = Some(registering.clone());
            });
            assert_eq!(
                applied(&lease, Event::RegistrationAnnounced(registering), at),
                announced(expected, at)
            );
        }
    }

    let unretired = with_pair(open_pair(), |pair| pair.retiring = false);
    let retired = applied(&unretired, Event::RetirementAnnounced, at);
    assert_eq!(retired, announced(open_pair(), at));

    let restored = |lease: &Lease| applied(lease, restoration_announced(), at);
    let service = rolling_back(of_service(service_target()));
    assert_eq!(restored(&service), announced(service, at));
    let pair = rolling_back(of_pair(pair_target()));
    let counted = with_pair(pair.clone(), |pair| pair.recount = false);
    assert_eq!(restored(&pair), announced(counted, at));
}

#[test]
fn scale_in_and_size_of_a_pair_are_announced_open_and_rolling_back() {
    let at = after(90);
    let suspended = applied(&open_pair(), Event::ScaleInSuspensionAnnounced, at);
    let expected = with_pair(open_pair(), |pair| pair.scale_in_suspended = Some(true));
    assert_eq!(suspended, announced(expected, at));

    for lease in [open_pair(), rolling_back(of_pair(pair_target()))] {
        let restored = applied(&lease, Event::ScaleInRestorationAnnounced, at);
        let expected = with_pair(lease.clone(), |pair| pair.scale_in_suspended = Some(false));
        assert_eq!(restored, announced(expected, at));
        let raised = applied(&lease, Event::RaiseAnnounced { tasks: 9 }, at);
        let expected = with_pair(lease, |pair| pair.raised_to = Some(9));
        assert_eq!(raised, announced(expected, at));
    }
}

#[test]
fn what_is_written_down_afterwards_leaves_the_time_of_the_announcement() {
    let at = after(90);
    for lease in [open_service(), open_pair()] {
        let registered = Event::Registered {
            task_definition: OLD.to_owned(),
        };
        let expected = with_release(lease.clone(), |release| {
            release.registered = Some(OLD.to_owned());
        });
        assert_eq!(applied(&lease, registered, at), later(expected));
        let deployed = Event::DeploymentRecorded {
            deployment: "ecs-svc/2".to_owned(),
        };
        let named = Change {
            deployment: Some("ecs-svc/2".to_owned()),
            ..change()
        };
        let expected = with_target(lease.clone(), |target| {
            *target.change_mut() = Some(named.clone());
        });
        assert_eq!(applied(&lease, deployed, at), later(expected));
    }

    for lease in [beginning(), open_service(), open_pair()] {
        let failure = Failure::new(FailureType::PermissionError, "denied");
        let expected = with_release(lease.clone(), |release| {
            release.failure = Some(failure.clone());
        });
        assert_eq!(
            applied(&lease, Event::FailureRecorded(failure.clone()), at),
            later(expected)
        );
    }
}

#[test]
fn a_take_over_keeps_the_target_and_is_dated() {
    let taken_over = |lease: &Lease, target| {
        later(with_release(lease.clone(), |release| {
            release.phase = Phase::RollingBack {
                since: after(90),
                target,
            };
        }))
    };

    for (lease, target) in [
        (beginning(), None),
        (open_service(), Some(of_service(service_target()))),
        (failed(open_pair()), Some(of_pair(pair_target()))),
    ] {
        assert_eq!(
            applied(&lease, Event::TakenOver, after(90)),
            taken_over(&lease, target)
        );
    }
}

#[test]
fn weights_are_announced_from_where_they_are_and_dated_again_when_they_are_set() {
    let (from, to) = (weights(80, 20), weights(60, 40));
    for lease in [open_pair(), rolling_back(of_pair(pair_target()))] {
        // In time for the earlier ones to be set still, and when they no longer can.
        for (secs, known) in [
            (59, vec![weights(90, 10), weights(80, 20)]),
            (60, Vec::new()),
        ] {
            let shift = TrafficShift {
                from,
                to,
                at: after(secs),
                made: false,
                change: None,
                known,
            };
            let expected = with_pair(lease.clone(), |pair| pair.shift = Some(shift));
            assert_eq!(
                applied(&lease, Event::ShiftAnnounced { from, to }, after(secs)),
                announced(expected, after(secs))
            );
        }
        let of = |made, at| {
            with_pair(lease.clone(), |pair| {
                pair.shift = Some(TrafficShift {
                    made,
                    at,
                    ..shift()
                });
            })
        };
        assert_eq!(
            applied(&of(false, now()), Event::ShiftConfirmed, after(3)),
            later(of(true, after(3)))
        );
    }
}

#[test]
fn weights_of_an_earlier_shift_are_known_as_long_as_they_may_still_be_set() {
    let [none, tenth, half] = [0, 10, 50].map(|percent| Weights::with(Green, percent));
    let shifted =
        |lease: &Lease, from, to, at| applied(lease, Event::ShiftAnnounced { from, to }, at);
    let made = |lease: &Lease, at| applied(lease, Event::ShiftConfirmed, at);
    let known = |lease: Lease| {
        let pair = lease.release.and_then(|release| release.pair().cloned());
        pair.and_then(|pair| pair.shift)
            .map(TrafficShift::possible_weights)
    };

    let untouched = Lease {
        changed_at: None,
        ..held(Phase::Open(of_pair(PairTarget::new(prior_pair(), now()))))
    };
    let first = shifted(&untouched, none, tenth, now());

    assert_eq!(known(first.clone()), Some(vec![none, tenth]));
    assert_eq!(known(made(&first, after(1))), Some(vec![tenth]));

    let soon = shifted(&made(&first, after(1)), tenth, half, after(59));
    assert_eq!(known(made(&soon, after(59))), Some(vec![tenth, half]));

    let late = shifted(&made(&first, after(1)), tenth, half, after(60));
    assert_eq!(known(made(&late, after(60))), Some(vec![half]));

    // Another change that is announced meanwhile does not let an earlier shift be made later.
    let raised = applied(
        &made(&first, after(1)),
        Event::RaiseAnnounced { tasks: 9 },
        after(59),
    );
    for (secs, possible) in [(60, vec![tenth, none]), (61, vec![none])] {
        let back = shifted(&raised, tenth, none, after(secs));
        assert_eq!(known(made(&back, after(secs))), Some(possible));
    }
}

#[test]
fn the_first_reason_to_return_the_traffic_stays() {
    for held in [false, true] {
        let decided = Event::ReturnDecided(traffic_return(held));
        assert_eq!(
            refusal(&open_pair(), decided.clone()),
            Refusal::ReturnDecided
        );
        let fit = with_pair(open_pair(), |pair| pair.traffic_return = None);
        let expected = with_pair(open_pair(), |pair| {
            pair.traffic_return = Some(traffic_return(held));
        });
        assert_eq!(applied(&fit, decided, after(9)), later(expected));
    }
}

#[test]
fn what_was_not_announced_is_not_recorded() {
    let deployed = Event::DeploymentRecorded {
        deployment: "ecs-svc/2".to_owned(),
    };
    for lease in [open_service(), open_pair()] {
        let unchanged = with_target(lease.clone(), |target| *target.change_mut() = None);
        assert_eq!(refusal(&unchanged, deployed.clone()), Refusal::NoChange);
        let unregistered = with_release(lease, |release| release.registering = None);
        let registered = Event::Registered {
            task_definition: NEW.to_owned(),
        };
        assert_eq!(refusal(&unregistered, registered), Refusal::NoRegistration);
    }

    let unmoved = with_pair(open_pair(), |pair| pair.shift = None);
    assert_eq!(refusal(&unmoved, Event::ShiftConfirmed), Refusal::NoShift);
    assert_eq!(
        refusal(&open_pair(), Event::ShiftConfirmed),
        Refusal::ShiftConfirmed
    );
}

#[test]
fn the_first_failure_stays() {
    for lease in [beginning(), open_service(), open_pair()] {
        let again = Event::FailureRecorded(Failure::job("again"));
        assert_eq!(refusal(&failed(lease), again), Refusal::FailureRecorded);
    }
}
