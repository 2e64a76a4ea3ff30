//! What a release found, and what it returns to.

use serde_json::json;

use super::*;
use crate::observed::colour::Colour::Green;

fn of_lease(lease: &Lease) -> &PriorService {
    match lease.release.as_ref().and_then(Release::target) {
        Some(Target::Service(service)) => &service.prior,
        other => panic!("{other:?} is not a service"),
    }
}

fn found(number: u32) -> FoundDeployment {
    FoundDeployment {
        task_definition: OLD.to_owned(),
        deployment: format!("ecs-svc/{number}"),
        failed: false,
    }
}

fn announced_with(lease: &Lease, desired_count: u32) -> Lease {
    let had = PriorState {
        found: Some(found(desired_count)),
        desired_count,
        percentages: percentages(0, 100),
        early_success: Some(50),
    };
    let event = Event::ChangeAnnounced {
        change: change(),
        had: Some(had),
    };
    apply(lease, event, after(9)).expect("a legal event")
}

#[test]
fn percentages_of_a_restoration_are_recorded_as_those_of_the_release() {
    let lease = rolling_back(of_service(service_target()));
    let event = Event::RestorationAnnounced {
        percentages: Some(percentages(95, 100)),
    };
    let restored = apply(&lease, event, after(9)).expect("a legal event");

    let expected = Change {
        percentages: percentages(95, 100),
        set_before: Some(change().percentages),
        ..change()
    };
    let found = restored.release.as_ref().and_then(Release::change);
    assert_eq!(found, Some(&expected));
}

#[test]
fn what_is_restored_of_a_service_is_what_it_had_at_the_first_announcement() {
    let unchanged = with_target(open_service(), |target| *target.change_mut() = None);
    let expected = PriorService {
        found: Some(found(7)),
        desired_count: 7,
        percentages: percentages(0, 100),
        early_success: Some(50),
        ..prior_service()
    };

    let first = announced_with(&unchanged, 7);
    assert_eq!(*of_lease(&first), expected);
    assert_eq!(*of_lease(&announced_with(&first, 0)), expected);

    // Of a pair only the deployment of the colour that is filled is taken again.
    let unchanged = with_target(open_pair(), |target| *target.change_mut() = None);
    let mut expected = prior_pair();
    expected.colours.green.found = Some(found(7));
    let first = announced_with(&unchanged, 7);
    for lease in [&first, &announced_with(&first, 0)] {
        let pair = lease.release.as_ref().and_then(Release::pair);
        assert_eq!(pair.map(|pair| &pair.prior), Some(&expected));
    }
}

#[test]
fn what_was_found_and_early_success_are_stored_with_the_prior_release() {
    let found = FoundDeployment {
        task_definition: NEW.to_owned(),
        deployment: "ecs-svc/1".to_owned(),
        failed: false,
    };
    for failed in [false, true] {
        let found = FoundDeployment {
            failed,
            ..found.clone()
        };
        let prior = Prior::Service(PriorService {
            early_success: Some(50),
            found: Some(found),
            ..prior_service()
        });
        let stored = serde_json::to_value(&prior).expect("serializes");
        assert_eq!(stored["found"].get("failed").is_some(), failed);
        let read: Prior = serde_json::from_value(stored).expect("is read");
        assert_eq!(read, prior);
    }

    let mut pair = prior_pair();
    pair.colours.green.found = Some(found);
    let prior = Prior::Pair {
        pair: Box::new(pair),
        recorded_at: now(),
    };
    let stored = serde_json::to_value(&prior).expect("serializes");
    let read: Prior = serde_json::from_value(stored).expect("is read");
    assert_eq!(read, prior);
}

#[test]
fn a_prior_revision_that_is_registered_again_is_what_a_rollback_returns_to() {
    let lease = rolling_back(of_service(service_target()));
    let event = Event::PriorRegistered {
        task_definition: NEW.to_owned(),
    };
    let next = apply(&lease, event, after(9)).expect("a legal event");
    let expected = PriorService {
        task_definition: NEW.to_owned(),
        ..prior_service()
    };

    assert_eq!(*of_lease(&next), expected);
    assert_eq!(next.changed_at, lease.changed_at, "it announces nothing");
}

#[test]
fn whether_scheduled_scaling_was_suspended_is_stored_with_its_colour_if_it_is_recorded() {
    for recorded in [None, Some(false), Some(true)] {
        let colour = PriorColour {
            schedule_suspended: recorded,
            ..prior_pair().colours.blue
        };
        let stored = serde_json::to_value(&colour).expect("serializes");
        let expected = recorded.map(serde_json::Value::from);
        assert_eq!(stored.get("schedule_suspended"), expected.as_ref());
        let read: PriorColour = serde_json::from_value(stored).expect("reads");
        assert_eq!(read, colour);
    }
}

#[test]
fn the_prior_release_of_a_pair_is_stored_as_what_the_live_colour_ran() {
    let mut pair = prior_pair();
    pair.live = Green;
    pair.colours.green.task_definition = NEW.to_owned();
    pair.colours.green.desired_count = 5;
    pair.colours.green.percentages = percentages(50, 150);
    let prior = Prior::Pair {
        pair: Box::new(pair),
        recorded_at: now(),
    };
    let stored = serde_json::to_value(&prior).expect("serializes");

    assert_eq!(
        [
            &stored["task_definition"],
            &stored["desired_count"],
            &stored["percentages"],
            &stored["pair"]["live"],
        ],
        [
            &json!(NEW),
            &json!(5),
            &json!({"minimum_healthy": 50, "maximum": 150}),
            &json!("green"),
        ]
    );

    let read: Prior = serde_json::from_value(stored.clone()).expect("reads");
    assert_eq!(read, prior);

    for (field, other) in [
        ("task_definition", json!(OLD)),
        ("desired_count", json!(2)),
        (
            "percentages",
            json!({"minimum_healthy": 100, "maximum": 200}),
        ),
    ] {
        let mut strange = stored.clone();
        strange[field] = other;
        let error = serde_json::from_value::<Prior>(strange).expect_err("another's");
        assert!(
            error
                .to_string()
                .starts_with(&format!("`prior.{field}` is "))
        );
    }
}
