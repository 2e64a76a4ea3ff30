//! The percentages of a release that leaves what the service runs.

use super::*;

fn percentages(minimum_healthy: u32, maximum: u32) -> Percentages {
    Percentages {
        minimum_healthy,
        maximum,
    }
}

/// A release that made room, and before that with a higher floor.
fn making_room(rolling_back_since: Option<Timestamp>) -> Release {
    let mut release = release(true, rolling_back_since);
    let change = change_of(&mut release);
    change.percentages = percentages(50, 100);
    change.set_before = Some(percentages(75, 100));
    release
}

const EXTERNAL: &str = "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:9";

#[test]
fn only_percentages_of_the_release_are_given_back_before_it_is_closed() {
    let given_back = |release: &Release, ending, found| {
        let view = ServiceView {
            percentages: found,
            ..steady(EXTERNAL)
        };
        match restored(release, ending, &view, at(60)) {
            Restoration::Apply(ServiceChange::GiveBack(recorded)) => Some(recorded),
            Restoration::Close(_) => None,
            other => panic!("{other:?}"),
        }
    };
    let taken_over = making_room(Some(at(0)));
    let recorded = Some(prior().percentages);

    for ending in [Ending::Stopped, Ending::Superseded] {
        let found = [(50, 100), (75, 100), (50, 200), (100, 100), (100, 200)];
        let found = found
            .map(|(floor, ceiling)| given_back(&taken_over, ending, percentages(floor, ceiling)));
        assert_eq!(found, [recorded, recorded, None, None, None], "{ending:?}");
    }

    let own = percentages(50, 100);
    let unchanged = release(false, Some(at(0)));
    assert_eq!(given_back(&unchanged, Ending::Stopped, own), None);
}

#[test]
fn percentages_stay_with_a_success_and_where_ecs_refuses_the_recorded_ones() {
    let own = percentages(50, 100);
    let deployed = ServiceView {
        percentages: own,
        ..steady(NEW)
    };
    let step = restored(&making_room(None), Ending::Succeeded, &deployed, at(60));
    assert!(matches!(
        step,
        Restoration::Close(Conclusion {
            outcome: Outcome::Deployed,
            ..
        })
    ));

    // To rebalance, ECS takes no maximum of 100 %.
    let mut refused = making_room(Some(at(0)));
    prior_of(&mut refused).percentages = percentages(0, 100);
    let rebalancing = ServiceView {
        rebalancing: true,
        percentages: own,
        ..steady(EXTERNAL)
    };
    let step = restored(&refused, Ending::Stopped, &rebalancing, at(60));
    assert!(matches!(
        step,
        Restoration::Close(Conclusion {
            outcome: Outcome::Superseded,
            ..
        })
    ));
}

#[test]
fn a_rollout_ends_before_the_percentages_of_the_release_are_given_back() {
    let recorded = prior().percentages;
    let external = "the execution was stopped; web:9 was deployed outside this release, left \
                    unchanged";
    let newer = "the execution was superseded by a newer one; the newer one replaces what this one \
                 deployed";

    for (ending, revision, reason) in [
        (Ending::Stopped, EXTERNAL, external),
        (Ending::Superseded, NEW, newer),
    ] {
        let step = |rollout, found, secs| {
            let mut view = steady(revision);
            view.deployments[0].rollout = rollout;
            view.percentages = found;
            restored(&making_room(Some(at(0))), ending, &view, at(secs))
        };
        let own = percentages(50, 100);
        assert_eq!(
            step(Rollout::InProgress, own, 60),
            Restoration::Wait(format!(
                "waiting for the end of the rollout, which has the percentages of this release, \
                 then superseded: {reason}"
            ))
        );
        let given_back = Restoration::Apply(ServiceChange::GiveBack(recorded));
        for (rollout, secs) in [
            (Rollout::Completed, 60),
            (Rollout::Failed, 60),
            (Rollout::InProgress, 3_600),
        ] {
            assert_eq!(
                step(rollout, own, secs),
                given_back,
                "{ending:?}, {rollout:?}"
            );
        }

        let closed = Restoration::Close(Conclusion::new(Outcome::Superseded, reason));
        let others = percentages(60, 100);
        assert_eq!(step(Rollout::InProgress, others, 60), closed);
    }
}
