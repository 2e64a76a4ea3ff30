//! Every pair of phase and event with its result: the phase that follows, or the typed refusal.

use super::*;

type Cell = Result<PhaseName, Refusal>;

const FREE: Cell = Ok(PhaseName::Free);
const BEGIN: Cell = Ok(PhaseName::Beginning);
const SERVE: Cell = Ok(PhaseName::OpenService);
const PAIR: Cell = Ok(PhaseName::OpenPair);
const BACK0: Cell = Ok(PhaseName::RollingBackUnrecorded);
const BACKS: Cell = Ok(PhaseName::RollingBackService);
const BACKP: Cell = Ok(PhaseName::RollingBackPair);

/// Illegal in this phase, whatever was announced.
const NO: Cell = Err(Refusal::Phase);
const NOPRO: Cell = Err(Refusal::NoRoleProof);
const NOREG: Cell = Err(Refusal::NoRegistration);
const NOCHG: Cell = Err(Refusal::NoChange);
const NOSHI: Cell = Err(Refusal::NoShift);
const NOWAI: Cell = Err(Refusal::NoWait);
const CONFD: Cell = Err(Refusal::ShiftConfirmed);
const RETND: Cell = Err(Refusal::ReturnDecided);
const FAILD: Cell = Err(Refusal::FailureRecorded);
const NOTED: Cell = Err(Refusal::SuccessNoted);

/// Columns of the table: each phase; an open one before anything was announced, when everything may
/// follow, and when all has happened already.
fn columns() -> [Lease; 13] {
    let bare = |target| {
        with_release(held(Phase::Open(target)), |release| {
            release.role_proof = None;
            release.registering = None;
            release.registered = None;
        })
    };

    let bare_service = bare(of_service(ServiceTarget {
        change: None,
        ..service_target()
    }));
    let bare_pair = bare(of_pair(PairTarget::new(prior_pair(), now())));
    let ready = || PairTarget {
        shift: Some(TrafficShift {
            made: false,
            ..shift()
        }),
        traffic_return: None,
        ..pair_target()
    };

    let unrecorded = with_release(beginning(), |release| {
        release.phase = Phase::RollingBack {
            since: after(7),
            target: None,
        };
    });
    [
        free(),
        beginning(),
        failed(beginning()),
        bare_service,
        open_service(),
        failed(noted(open_service())),
        bare_pair,
        held(Phase::Open(of_pair(ready()))),
        failed(noted(open_pair())),
        unrecorded,
        rolling_back(of_service(service_target())),
        rolling_back(of_pair(ready())),
        rolling_back(of_pair(pair_target())),
    ]
}

fn prior_of_service() -> Prior {
    Prior::Service(prior_service())
}

fn prior_of_pair() -> Prior {
    Prior::Pair {
        pair: Box::new(prior_pair()),
        recorded_at: now(),
    }
}

fn registering() -> Registering {
    Registering {
        family: "web".to_owned(),
        newest: None,
    }
}

/// An end with this outcome, and whether it may follow in each column.
fn ends(outcome: Outcome, may_follow: [bool; 13]) -> (Event, [Cell; 13]) {
    let refused = Err(Refusal::Outcome(outcome));
    let mut cells = may_follow.map(|may| if may { FREE } else { refused });
    cells[0] = NO;
    (Event::Closed(outcome), cells)
}

/// Each event, and what follows in each column.
#[rustfmt::skip]
fn rows() -> Vec<(Event, [Cell; 13])> {
    use Event as E;
    let (task_definition, prior) = (NEW.to_owned(), OLD.to_owned());
    let deployment = "ecs-svc/2".to_owned();
    let (from, to) = (weights(100, 0), weights(80, 20));
    let (y, n) = (true, false);
    vec![
        // free, beginning, failed, bare service, ready, failed, bare pair, ready, done and failed,
        // back: unrecorded, service, pair ready, pair done
        (E::Taken(Box::new(release())),                  [BEGIN, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO]),
        (E::RepairAnnounced,                             [FREE, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO]),
        (E::RestartNoted(None),                          [FREE, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO]),
        (E::DriftNoted(None),                            [FREE, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO]),
        (E::PriorRecorded(prior_of_service()),           [NO, SERVE, SERVE, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO]),
        (E::PriorRecorded(prior_of_pair()),              [NO, PAIR, PAIR, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO]),
        (E::RoleProofAnnounced,                          [NO, NO, NO, NOPRO, SERVE, SERVE, NOPRO, PAIR, PAIR, NO, NO, NO, NO]),
        (E::RoleProofMade,                               [NO, NO, NO, NOPRO, SERVE, SERVE, NOPRO, PAIR, PAIR, NO, NO, NO, NO]),
        (E::Guarded(Guards::default()),                  [NO, NO, NO, SERVE, SERVE, SERVE, PAIR, PAIR, PAIR, NO, NO, NO, NO]),
        (E::RegistrationAnnounced(registering()),        [NO, NO, NO, SERVE, SERVE, SERVE, PAIR, PAIR, PAIR, NO, NO, NO, NO]),
        (E::Registered { task_definition },              [NO, NO, NO, NOREG, SERVE, SERVE, NOREG, PAIR, PAIR, NO, NO, NO, NO]),
        (change_announced(change()),                     [NO, NO, NO, SERVE, SERVE, SERVE, PAIR, PAIR, PAIR, NO, NO, NO, NO]),
        (E::DeploymentRecorded { deployment },           [NO, NO, NO, NOCHG, SERVE, SERVE, NOCHG, PAIR, PAIR, NO, NO, NO, NO]),
        (E::ShiftAnnounced { from, to },                 [NO, NO, NO, NO, NO, NO, PAIR, PAIR, PAIR, NO, NO, BACKP, BACKP]),
        (E::ShiftSubmitted { change: "C1".to_owned() },  [NO, NO, NO, NO, NO, NO, NOSHI, PAIR, CONFD, NO, NO, BACKP, CONFD]),
        (E::ShiftConfirmed,                              [NO, NO, NO, NO, NO, NO, NOSHI, PAIR, CONFD, NO, NO, BACKP, CONFD]),
        (E::StickinessNoted { off: None },               [FREE, NO, NO, NO, NO, NO, PAIR, PAIR, PAIR, NO, NO, BACKP, BACKP]),
        (E::ScaleInSuspensionAnnounced,                  [NO, NO, NO, NO, NO, NO, PAIR, PAIR, PAIR, NO, NO, NO, NO]),
        (E::ScaleInRestorationAnnounced,                 [NO, NO, NO, NO, NO, NO, PAIR, PAIR, PAIR, NO, NO, BACKP, BACKP]),
        (E::RaiseAnnounced { tasks: 9 },                 [NO, NO, NO, NO, NO, NO, PAIR, PAIR, PAIR, NO, NO, BACKP, BACKP]),
        (E::RetirementAnnounced,                         [NO, NO, NO, NO, NO, NO, PAIR, PAIR, PAIR, NO, NO, NO, NO]),
        (restoration_announced(),                        [NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, BACKS, BACKP, BACKP]),
        (E::PriorRegistered { task_definition: prior },  [NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, BACKS, NO, NO]),
        (E::HealthSeen(seen_health()),                   [NO, NO, NO, NO, NO, NO, PAIR, PAIR, PAIR, NO, NO, NO, NO]),
        (E::ReturnDecided(traffic_return(false)),        [NO, NO, NO, NO, NO, NO, PAIR, PAIR, RETND, NO, NO, NO, NO]),
        (E::JudgementRecorded(judgement(now())),         [NO, NO, NO, NO, NO, NO, PAIR, PAIR, PAIR, NO, NO, NO, NO]),
        (E::DecisionAwaited { action: now() },           [NO, NO, NO, NO, NO, NO, PAIR, PAIR, PAIR, NO, NO, NO, NO]),
        (E::OperatorDecided(OperatorDecision::Promote),  [NO, NO, NO, NO, NO, NO, NOWAI, PAIR, PAIR, NO, NO, NO, NO]),
        (E::FailureRecorded(Failure::job("unhealthy")),  [NO, BEGIN, FAILD, SERVE, SERVE, FAILD, PAIR, PAIR, FAILD, NO, NO, NO, NO]),
        (E::SuccessNoted,                                [NO, BEGIN, BEGIN, SERVE, SERVE, NOTED, PAIR, PAIR, NOTED, NO, NO, NO, NO]),
        (E::RoleNoted { refused: true },                 [NO, BEGIN, BEGIN, SERVE, SERVE, SERVE, PAIR, PAIR, PAIR, NO, NO, NO, NO]),
        (E::StatusNoted { unread: true },                [NO, BEGIN, BEGIN, SERVE, SERVE, SERVE, PAIR, PAIR, PAIR, NO, NO, NO, NO]),
        (E::TakenOver,                                   [NO, BACK0, BACK0, BACKS, BACKS, BACKS, BACKP, BACKP, BACKP, NO, NO, NO, NO]),
        ends(Outcome::Deployed,                          [n, n, n, y, y, y, y, y, y, n, n, n, n]),
        ends(Outcome::Unchanged,                         [n, n, n, y, y, y, y, y, y, n, n, n, n]),
        ends(Outcome::RolledBack,                        [n, n, n, n, n, n, n, n, n, n, y, y, y]),
        ends(Outcome::Held,                              [n, n, n, n, n, n, n, n, n, n, y, y, y]),
        ends(Outcome::Superseded,                        [n, y, y, y, y, y, y, y, y, y, y, y, y]),
        ends(Outcome::Failed,                            [n, y, y, y, y, y, y, y, y, y, y, y, y]),
    ]
}

#[test]
fn every_pair_of_phase_and_event_has_its_result() {
    for (event, expected) in rows() {
        for (lease, expected) in columns().into_iter().zip(expected) {
            let result = apply(&lease, event.clone(), after(9));
            let found = result
                .as_ref()
                .map(Lease::phase)
                .map_err(|illegal| illegal.because);
            assert_eq!(found, expected, "{event:?} while {:?}", lease.release);
            match result {
                Ok(next) => assert_eq!(next.fence, lease.fence + 1),
                Err(illegal) => {
                    assert_eq!(
                        (illegal.phase, illegal.event),
                        (lease.phase(), event.name())
                    );
                }
            }
        }
    }
}

#[test]
fn the_table_has_every_phase_every_event_and_every_outcome() {
    let phases = columns().map(|lease| lease.phase());
    for phase in PhaseName::ALL {
        assert!(phases.contains(phase), "{phase:?}");
    }

    let rows = rows();
    let mut names: Vec<EventName> = rows.iter().map(|(event, _)| event.name()).collect();
    names.dedup();
    assert_eq!(
        names,
        EventName::ALL,
        "a row for each event, in their order"
    );

    for outcome in Outcome::ALL {
        let mut events = rows.iter().map(|(event, _)| event);
        let closed = Event::Closed(*outcome);
        assert!(events.any(|event| *event == closed), "{outcome:?}");
    }
}

/// What they announce can be made until the time-out of the invocation, so each is dated.
#[test]
fn these_events_announce_a_change_that_is_made_after_them() {
    let all = EventName::ALL.iter().copied();
    let announcing: Vec<EventName> = all.filter(|name| name.announces()).collect();
    let expected = [
        EventName::RepairAnnounced,
        EventName::RoleProofAnnounced,
        EventName::RegistrationAnnounced,
        EventName::ChangeAnnounced,
        EventName::ShiftAnnounced,
        EventName::ScaleInSuspensionAnnounced,
        EventName::ScaleInRestorationAnnounced,
        EventName::RaiseAnnounced,
        EventName::RetirementAnnounced,
        EventName::RestorationAnnounced,
    ];
    assert_eq!(announcing, expected);
}

#[test]
fn a_refusal_names_the_event_and_the_phase() {
    let refusal = |lease: &Lease, event| {
        apply(lease, event, after(9))
            .expect_err("illegal")
            .to_string()
    };

    let deployment = "ecs-svc/2".to_owned();
    let [_, _, _, bare, ..] = columns();

    for (lease, event, text) in [
        (
            open_pair(),
            Event::Taken(Box::new(release())),
            "cannot take the lease: the release of a pair is open",
        ),
        (
            bare,
            Event::DeploymentRecorded { deployment },
            "cannot record a deployment: the release of a service is open and has announced no \
             change",
        ),
        (
            rolling_back(of_service(service_target())),
            Event::Closed(Outcome::Deployed),
            "cannot close the release: the release of a service is being rolled back, which \
             cannot end as deployed",
        ),
        (
            beginning(),
            change_announced(change()),
            "cannot announce a deployment: the release has not recorded the prior release",
        ),
    ] {
        assert_eq!(refusal(&lease, event), text);
    }
}
