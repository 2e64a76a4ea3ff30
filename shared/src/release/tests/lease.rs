//! The queries of a lease, a release and a target.

use super::*;
use crate::observed::fixtures::{deployment, steady};
use crate::observed::service::Rollout;

#[test]
fn only_the_holder_finds_its_release() {
    let lease = beginning();
    assert!(lease.held_by("e-1").is_some() && lease.held_by("e-2").is_none());
}

#[test]
fn a_change_is_possible_for_one_time_out_after_it_was_announced() {
    let left = |secs| {
        open_service()
            .grace_left(after(secs))
            .map(|left| left.as_secs())
    };

    assert_eq!(
        [left(0), left(59), left(60), left(61)],
        [Some(60), Some(1), None, None]
    );

    let unannounced = Lease {
        changed_at: None,
        ..open_service()
    };
    assert_eq!(unannounced.grace_left(now()), None);
}

#[test]
fn a_change_a_shift_and_a_suspension_are_announced_changes() {
    let announced = |target| Release {
        phase: Phase::Open(target),
        ..open_service().release.expect("a release")
    };
    let service = |change| {
        announced(of_service(ServiceTarget {
            change,
            ..service_target()
        }))
    };
    let untouched = || PairTarget {
        raised_to: Some(4),
        ..PairTarget::new(prior_pair(), now())
    };

    assert!(!release().has_announced_change());
    assert!(!service(None).has_announced_change());
    assert!(service(Some(change())).has_announced_change());
    assert!(!announced(of_pair(untouched())).has_announced_change());

    for touched in [
        PairTarget {
            change: Some(change()),
            ..untouched()
        },
        PairTarget {
            shift: Some(shift()),
            ..untouched()
        },
        PairTarget {
            scale_in_suspended: Some(false),
            ..untouched()
        },
    ] {
        assert!(announced(of_pair(touched)).has_announced_change());
    }
}

#[test]
fn a_recorded_deployment_and_a_shift_are_made_changes() {
    let open = |target| Release {
        phase: Phase::Open(target),
        ..open_service().release.expect("a release")
    };
    let service = |deployment: Option<&str>| {
        open(of_service(ServiceTarget {
            change: Some(Change {
                deployment: deployment.map(ToOwned::to_owned),
                ..change()
            }),
            ..service_target()
        }))
    };
    let pair = |shift| {
        open(of_pair(PairTarget {
            change: Some(change()),
            scale_in_suspended: Some(true),
            shift,
            ..PairTarget::new(prior_pair(), now())
        }))
    };

    assert!(!release().has_made_change());
    assert!(!service(None).has_made_change() && service(Some("ecs-svc/2")).has_made_change());
    assert!(!pair(None).has_made_change() && pair(Some(shift())).has_made_change());
}

#[test]
fn a_change_that_an_earlier_invocation_announced_may_have_been_made() {
    let of = |change| {
        held(Phase::Open(of_service(ServiceTarget {
            change,
            ..service_target()
        })))
    };
    let unrecorded = of(Some(Change {
        deployment: None,
        ..change()
    }));
    let recorded = of(Some(Change {
        deployment: Some("ecs-svc/2".to_owned()),
        ..change()
    }));
    let by = |lease: &Lease| [0, 1].map(|secs| lease.may_have_made_change("e-1", after(secs)));

    assert_eq!(by(&unrecorded), [false, true]);
    assert_eq!(by(&recorded), [true, true]);
    assert_eq!(by(&of(None)), [false, false]);
    assert!(!recorded.may_have_made_change("e-2", after(1)));
}

#[test]
fn a_failed_primary_is_never_the_prior_release() {
    let with = |primary, active: Option<Rollout>| {
        let mut view = steady(NEW);
        view.desired = 4;
        view.percentages = percentages(75, 125);
        view.deployments[0].rollout = primary;
        if let Some(rollout) = active {
            view.deployments
                .push(deployment("ecs-svc/0", OLD, false, rollout));
        }
        let prior = PriorService::from_view(&view);
        prior.map(|prior| PriorService {
            found: None,
            ..prior
        })
    };
    let prior = |task_definition: &str| {
        Some(PriorService {
            task_definition: task_definition.to_owned(),
            desired_count: 4,
            percentages: percentages(75, 125),
            early_success: None,
            found: None,
            recorded_at: now(),
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
    assert_eq!(PriorService::from_view(&none), None);
}

#[test]
fn the_prior_task_definition_is_the_live_colour_s() {
    let mut pair = prior_pair();
    pair.colours.green.task_definition = NEW.to_owned();
    let of = |live| {
        let pair = PriorPair {
            live,
            ..pair.clone()
        };
        of_pair(PairTarget::new(pair, now()))
    };

    assert_eq!(of(Colour::Blue).prior_task_definition(), OLD);
    assert_eq!(of(Colour::Green).prior_task_definition(), NEW);
    assert_eq!(of_service(service_target()).prior_task_definition(), OLD);
}

/// A revision by its number.
fn web(number: u32) -> String {
    format!("arn:aws:ecs:eu-west-1:111122223333:task-definition/web:{number}")
}

fn found(number: u32) -> Option<FoundDeployment> {
    Some(FoundDeployment {
        task_definition: web(number),
        deployment: "ecs-svc/1".to_owned(),
        failed: false,
    })
}

fn change_to(number: u32) -> Option<Change> {
    Some(Change {
        task_definition: web(number),
        ..change()
    })
}

#[test]
fn a_release_names_what_it_returns_to_found_deploys_and_registered() {
    let service = of_service(ServiceTarget {
        prior: PriorService {
            task_definition: web(1),
            found: found(2),
            ..prior_service()
        },
        change: change_to(3),
    });
    let release = Release {
        registered: Some(web(4)),
        ..held(Phase::Open(service)).release.expect("a release")
    };

    let named: Vec<u32> = (1..=6)
        .filter(|number| release.names(&web(*number)))
        .collect();
    assert_eq!(named, [1, 2, 3, 4]);
}

#[test]
fn a_pair_names_what_either_colour_has_and_ran_what_the_live_one_had() {
    let mut prior = prior_pair();
    prior.colours.blue.task_definition = web(1);
    prior.colours.blue.found = found(2);
    prior.colours.green.task_definition = web(3);
    prior.colours.green.found = found(4);
    let pair = of_pair(PairTarget {
        change: change_to(5),
        ..PairTarget::new(prior, now())
    });

    let of = |is: &dyn Fn(&str) -> bool| -> Vec<u32> {
        (1..=6).filter(|number| is(&web(*number))).collect()
    };
    assert_eq!(of(&|revision| pair.names(revision)), [1, 2, 3, 4, 5]);
    assert_eq!(of(&|revision| pair.ran(revision)), [2]);
}

#[test]
fn the_services_of_an_open_release_are_the_same_by_whichever_name_they_are_given() {
    let names = |lease: &Lease| -> Vec<String> {
        let services = lease.services().into_iter();
        services.map(|service| service.name).collect()
    };
    let arn = |name: &str| format!("arn:aws:ecs:eu-west-1:111122223333:service/apps/{name}");

    assert_eq!(names(&open_service()), ["web"]);
    let by_arn = Lease {
        cluster: "arn:aws:ecs:eu-west-1:111122223333:cluster/apps".to_owned(),
        service: arn("web"),
        ..open_service()
    };
    assert_eq!(by_arn.services(), open_service().services());

    assert_eq!(names(&open_pair()), ["web-blue", "web-green"]);
    let pair_by_arn = Lease {
        service: arn("web"),
        ..open_pair()
    };
    assert_eq!(pair_by_arn.services(), open_pair().services());
    let given = with_pair(open_pair(), |pair| {
        pair.prior.given_services = Some(given_services());
    });
    assert_eq!(names(&given), ["Shop-ServiceA1B2-x", "Shop-Green-y"]);

    assert!(names(&beginning()).is_empty() && names(&free()).is_empty());
}

#[test]
fn services_of_one_name_in_two_places_are_two() {
    let elsewhere = with_target(open_service(), |target| match target {
        Target::Service(service) => {
            let arn = &mut service.prior.task_definition;
            *arn = arn.replace("eu-west-1", "eu-central-1");
        }
        Target::Pair(_) => panic!("a service"),
    });
    assert_ne!(elsewhere.services(), open_service().services());

    let in_another_cluster = Lease {
        cluster: "tools".to_owned(),
        ..open_service()
    };
    assert_ne!(in_another_cluster.services(), open_service().services());
}

#[test]
fn a_lease_has_the_names_that_the_last_release_gave() {
    let cluster = "arn:aws:ecs:eu-central-1:111122223333:cluster/apps";
    let named = free().named(cluster, "web");
    let expected = Lease {
        cluster: cluster.to_owned(),
        ..free()
    };
    assert_eq!(named, expected);
    assert_eq!(named.cluster_name(), "apps");
}

#[test]
fn a_release_stops_the_line_if_one_of_its_steps_failed_after_a_change() {
    let stops = |lease: Lease, outcome| {
        let lease = with_release(lease, |release| release.guards = guards());
        let release = lease.release.expect("a release");
        release.stops_before(outcome).map(ToOwned::to_owned)
    };
    let prod = Some("Prod".to_owned());

    assert_eq!(stops(failed(open_pair()), Outcome::RolledBack), prod);
    assert_eq!(stops(failed(open_service()), Outcome::Failed), prod);
    for outcome in [Outcome::Held, Outcome::Superseded, Outcome::Deployed] {
        assert_eq!(stops(failed(open_service()), outcome), None, "{outcome}");
    }
    // An operator stopped it, nothing was changed, or a freeze ended it.
    assert_eq!(stops(open_service(), Outcome::RolledBack), None);
    assert_eq!(stops(failed(beginning()), Outcome::Failed), None);
    let frozen = with_release(open_service(), |release| {
        release.failure = Some(Failure::frozen("until Monday"));
    });
    assert_eq!(stops(frozen, Outcome::RolledBack), None);

    let without = failed(open_service()).release.expect("a release");
    assert_eq!(without.stops_before(Outcome::RolledBack), None);
}

#[test]
fn only_a_revision_of_the_release_itself_is_looked_for_again_for_five_minutes() {
    let release = Release {
        registered: Some(NEW.to_owned()),
        ..open_service().release.expect("a release")
    };
    let awaited = |revision: &str, secs| {
        release.awaits_revision(revision, std::time::Duration::from_secs(secs))
    };

    let waits = "web:2 was registered and is not found yet; retrying";
    assert_eq!(awaited(NEW, 299).as_deref(), Some(waits));
    assert_eq!(awaited(NEW, 300), None);
    assert_eq!(awaited(OLD, 0), None);
}
