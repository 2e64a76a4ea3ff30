//! What every test of releases starts from: a lease in each phase, with every field that the phase
//! can have.

mod closing;
mod deploy_role;
mod health;
mod judgements;
mod lease;
mod left;
mod places;
mod prior;
mod repairs;
mod restarts;
mod role_proof;
mod stored;
mod stored_parts;
mod table;
mod transitions;

use std::collections::BTreeMap;

use super::*;
use crate::freeze::{Freeze, Guards, Line};
use crate::job::Failure;
use crate::observed::colour::{Colour, PerColour};
use crate::observed::fixtures::{NEW, OLD};
use crate::observed::listener_rule::RuleView;
use crate::observed::percentages::Percentages;
use crate::observed::route::{Route, RouteView};
use crate::observed::scaling::RecordedScaling;
use crate::observed::weights::Weights;
use crate::timestamp::Timestamp;

fn after(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_767_603_600 + secs).expect("in range")
}

fn now() -> Timestamp {
    after(0)
}

fn weights(blue: u32, green: u32) -> Weights {
    Weights { blue, green }
}

fn percentages(minimum_healthy: u32, maximum: u32) -> Percentages {
    Percentages {
        minimum_healthy,
        maximum,
    }
}

/// A release that has only begun.
fn release() -> Release {
    Release::begin("e-1", "slipway-web", None, now())
}

fn change() -> Change {
    Change {
        task_definition: NEW.to_owned(),
        percentages: percentages(50, 150),
        desired_count: Some(5),
        deployment: None,
        promise: None,
        set_before: None,
        given: None,
    }
}

fn shift() -> TrafficShift {
    TrafficShift {
        from: weights(100, 0),
        to: weights(80, 20),
        at: now(),
        made: true,
        change: None,
        known: vec![weights(90, 10)],
    }
}

fn judgement(since: Timestamp) -> JudgementRecord {
    JudgementRecord {
        since,
        verdict: "promote".to_owned(),
        summary: "healthy".to_owned(),
        outputs: BTreeMap::from([("Minutes".to_owned(), "7".to_owned())]),
        report: "reports/e-1".to_owned(),
    }
}

fn traffic_return(held: bool) -> TrafficReturn {
    TrafficReturn {
        reason: "unhealthy".to_owned(),
        since: now(),
        held,
    }
}

fn seen_health() -> SeenHealth {
    SeenHealth {
        most: 6,
        loss: Some(HealthLoss {
            since: after(3),
            recovered_at: Some(after(4)),
        }),
    }
}

/// The stickiness of the rule of [`prior_pair`], which the return of the traffic switched off.
fn stickiness() -> SuspendedStickiness {
    SuspendedStickiness {
        secs: 600,
        at: after(8),
    }
}

fn awaiting(decision: Option<OperatorDecision>) -> AwaitingDecision {
    AwaitingDecision {
        action: after(5),
        since: after(6),
        decision,
    }
}

fn restoration_announced() -> Event {
    Event::RestorationAnnounced { percentages: None }
}

/// The announcement of a change, without the size of the service before it.
fn change_announced(change: Change) -> Event {
    Event::ChangeAnnounced { change, had: None }
}

fn prior_service() -> PriorService {
    PriorService {
        task_definition: OLD.to_owned(),
        desired_count: 2,
        percentages: percentages(100, 200),
        early_success: None,
        found: None,
        recorded_at: now(),
    }
}

/// Blue is live.
fn prior_pair() -> PriorPair {
    let colour = |group: &str, weight, suspended| PriorColour {
        target_group: group.to_owned(),
        weight,
        task_definition: OLD.to_owned(),
        desired_count: 2,
        percentages: percentages(100, 200),
        found: None,
        suspended,
        schedule_suspended: None,
    };

    PriorPair {
        route: Route::Rule("rule".to_owned()),
        live: Colour::Blue,
        given_services: None,
        colours: PerColour {
            blue: colour("group-blue", 100, Some(false)),
            green: colour("group-green", 0, Some(true)),
        },
    }
}

/// A service with every field that one can have.
fn service_target() -> ServiceTarget {
    ServiceTarget {
        prior: prior_service(),
        change: Some(change()),
    }
}

/// A pair with every field that one can have.
fn pair_target() -> PairTarget {
    PairTarget {
        prior: prior_pair(),
        recorded_at: now(),
        change: Some(change()),
        shift: Some(shift()),
        scale_in_suspended: Some(true),
        raised_to: Some(4),
        retiring: true,
        recount: true,
        health: Some(seen_health()),
        stickiness: Some(stickiness()),
        traffic_return: Some(traffic_return(false)),
        judgements: vec![judgement(now())],
        awaiting: Some(awaiting(None)),
    }
}

fn of_service(target: ServiceTarget) -> Target {
    Target::Service(Box::new(target))
}

fn of_pair(target: PairTarget) -> Target {
    Target::Pair(Box::new(target))
}

fn last_known(live: Colour, of: [u32; 2], to_restore: [Option<bool>; 2]) -> LastKnownRouting {
    LastKnownRouting {
        live,
        weights: weights(of[0], of[1]),
        scaling_to_restore: PerColour {
            blue: to_restore[0].map(scale_in),
            green: to_restore[1].map(scale_in),
        },
        stickiness: None,
        rule: None,
    }
}

/// Scale-in that was suspended, or was not, in a lease that has nothing of scheduled scaling.
fn scale_in(suspended: bool) -> RecordedScaling {
    RecordedScaling {
        scale_in_suspended: suspended,
        schedule_suspended: None,
    }
}

/// The rule of [`prior_pair`].
fn known_rule() -> KnownRule {
    KnownRule {
        route: Route::Rule("rule".to_owned()),
        target_groups: PerColour::from_fn(|colour| format!("group-{colour}")),
        deploy_role: None,
        given_services: None,
    }
}

/// Names that do not follow from the pair's.
fn given_services() -> PerColour<String> {
    PerColour {
        blue: "Shop-ServiceA1B2-x".to_owned(),
        green: "Shop-Green-y".to_owned(),
    }
}

/// What holds the steps of a release back, with all that it can have.
fn guards() -> Guards {
    Guards {
        freeze: Some(Freeze {
            windows: vec!["Fri 16:00/Mon 06:00".to_owned()],
            zone: Some("Europe/Berlin".to_owned()),
        }),
        line: Some(Line {
            stage: "UAT".to_owned(),
            next: Some("Prod".to_owned()),
        }),
    }
}

/// What an earlier release left.
fn left_running() -> LeftRunning {
    LeftRunning {
        execution: "e-0".to_owned(),
        service: "web".to_owned(),
        task_definition: OLD.to_owned(),
        deployment: Some("ecs-svc/1".to_owned()),
        began_at: now(),
        ended_at: now(),
        deploy_role: None,
        drift: None,
    }
}

/// A lease that is held in a phase, with every field that it can have.
fn held(phase: Phase) -> Lease {
    let release = Release {
        digest: Some("sha256:00".to_owned()),
        phase,
        role_proof: Some(RoleProof::Announced),
        warning: Some("warning: mind".to_owned()),
        registering: Some(Registering {
            family: "web".to_owned(),
            newest: Some(OLD.to_owned()),
        }),
        registered: Some(NEW.to_owned()),
        failure: None,
        succeeded_at: None,
        role_refused_since: None,
        unread_since: None,
        ..release()
    };

    Lease {
        cluster: "apps".to_owned(),
        service: "web".to_owned(),
        fence: 7,
        changed_at: Some(now()),
        last_known: Some(last_known(Colour::Green, [1, 9], [Some(true), None])),
        restart: None,
        left: Some(Box::new(left_running())),
        release: Some(release),
    }
}

fn open_service() -> Lease {
    held(Phase::Open(of_service(service_target())))
}

fn open_pair() -> Lease {
    held(Phase::Open(of_pair(pair_target())))
}

fn rolling_back(target: Target) -> Lease {
    held(Phase::RollingBack {
        since: after(7),
        target: Some(target),
    })
}

fn beginning() -> Lease {
    Lease {
        release: Some(release()),
        ..open_service()
    }
}

fn free() -> Lease {
    Lease {
        release: None,
        ..open_service()
    }
}

fn failed(lease: Lease) -> Lease {
    with_release(lease, |release| {
        release.failure = Some(Failure::job("unhealthy"))
    })
}

/// The success of its execution is noted.
fn noted(lease: Lease) -> Lease {
    with_release(lease, |release| release.succeeded_at = Some(after(8)))
}

fn with_release(mut lease: Lease, edit: impl FnOnce(&mut Release)) -> Lease {
    edit(lease.release.as_mut().expect("a release"));
    lease
}

fn with_target(lease: Lease, edit: impl FnOnce(&mut Target)) -> Lease {
    with_release(lease, |release| match &mut release.phase {
        Phase::Open(target)
        | Phase::RollingBack {
            target: Some(target),
            ..
        } => edit(target),
        other => panic!("{other:?} has recorded nothing"),
    })
}

fn with_pair(lease: Lease, edit: impl FnOnce(&mut PairTarget)) -> Lease {
    with_target(lease, |target| match target {
        Target::Pair(pair) => edit(pair),
        other => panic!("{other:?} is not a pair"),
    })
}

/// The same lease one write later.
fn later(lease: Lease) -> Lease {
    Lease {
        fence: lease.fence + 1,
        ..lease
    }
}

/// The same lease one write later, which announced a change at `at`.
fn announced(lease: Lease, at: Timestamp) -> Lease {
    Lease {
        changed_at: Some(at),
        ..later(lease)
    }
}
