use super::*;
use crate::observed::pair::PairView;
use crate::observed::service::Rollout;
use crate::strategy::blue_green::fixtures::*;

const HEALTH: &str = "2 healthy targets in green, at least 2 needed";

#[test]
fn weights_that_may_be_older_than_the_last_shift_are_read_again() {
    let summary =
        "waiting for the rule to show blue 80 / green 20; it shows blue 100 / green 0 as before"
            .to_owned();
    let short = seen(0, 1);
    assert!(matches!(
        watch(
            &plan(),
            &context(&shifted_target(&short, Some((20, 5, true))), &short)
        ),
        WatchStep::Wait { .. }
    ));
    let dead = seen(0, 0);
    assert!(matches!(
        watch(
            &plan(),
            &context(&shifted_target(&dead, Some((20, 5, true))), &dead)
        ),
        WatchStep::Restore { .. }
    ));

    let watched = |ago| {
        watch(
            &plan(),
            &context(
                &shifted_target(&seen(0, 2), Some((20, ago, true))),
                &seen(0, 2),
            ),
        )
    };
    assert_eq!(watched(299), WatchStep::Unseen { summary });
    assert!(matches!(watched(300), WatchStep::Overridden(_)));
}

#[test]
fn a_colour_whose_deployment_failed_loses_its_traffic_with_the_reason_of_ecs() {
    let mut view = seen(5, 2);
    view.services.green.deployments[0].rollout = Rollout::Failed;
    view.services.green.deployments[0].reason = "tasks failed to start".to_owned();
    let watched = watch(
        &plan(),
        &context(&shifted_target(&view, Some((5, 10, true))), &view),
    );

    assert_eq!(
        watched,
        WatchStep::Restore {
            reason: "the deployment of green failed: tasks failed to start".to_owned()
        }
    );
}

#[test]
fn a_pair_that_is_judged_is_watched_and_not_moved() {
    let watched =
        |view: &PairView, shifted| watch(&plan(), &context(&shifted_target(view, shifted), view));
    let made = Some((20, 5, true));

    assert_eq!(
        watched(&seen(20, 2), made),
        WatchStep::Healthy {
            health: HEALTH.to_owned()
        }
    );
    assert_eq!(
        watched(&seen(20, 2), Some((20, 5, false))),
        WatchStep::Confirm
    );

    let few = "healthy targets in green with 20% of the traffic, 2 needed (75% of 2)";
    for made in [true, false] {
        assert_eq!(
            watched(&seen(20, 0), Some((20, 5, made))),
            WatchStep::Restore {
                reason: format!("0 {few}")
            }
        );
        // A single look with one target less ends nothing, and confirms nothing.
        assert_eq!(
            watched(&seen(20, 1), Some((20, 5, made))),
            WatchStep::Wait {
                summary: format!("1 {few}; 0s of 2m00s")
            }
        );
    }

    let text = "overridden: the weights are blue 65 / green 35, expected blue 80 / green 20; \
        another writer changed the listener rule, find it, then retry the release";
    assert_eq!(
        watched(&seen(35, 0), made),
        WatchStep::Overridden(Failure::overridden(text))
    );
}

#[test]
fn a_colour_that_has_all_of_the_traffic_cannot_be_judged() {
    for (percent, shifted) in [(0, None), (100, Some((100, 5, true)))] {
        let view = seen(percent, 2);
        let watched = watch(&plan(), &context(&shifted_target(&view, shifted), &view));
        let WatchStep::NothingToCompare(failure) = watched else {
            panic!("{watched:?} at {percent}%")
        };
        assert_eq!(failure.kind, crate::job::FailureType::ConfigurationError);
        let found = format!(
            "the weights are blue {} / green {percent}, so there is nothing to compare",
            100 - percent
        );
        assert!(failure.message.starts_with(&found), "{}", failure.message);
        assert!(
            failure
                .message
                .contains("green to be judged and blue to compare it with"),
            "{}",
            failure.message
        );
    }
}
