use super::super::tests::{IDLE, target, view_of};
use super::*;
use crate::observed::service::tests::NEW;
use crate::timestamp::Timestamp;

const GREEN: Colour = Colour::Green;

fn asked() -> Asked {
    Asked {
        task_definition: NEW.to_owned(),
        steps: vec![20, 50, 100],
        step_bake: Duration::from_secs(120),
        last_bake: Duration::from_secs(600),
        filled: 2,
        minimum_healthy_percent: 75,
    }
}

fn seen(percent: u32, healthy: u32) -> PairView {
    let mut view = view_of(NEW, Weights::with(GREEN, percent));
    view.green.target_groups[0].healthy = healthy;
    view
}

fn before(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_767_603_600 - secs).expect("in range")
}

/// A release that set `percent` so many seconds ago.
fn release(view: &PairView, shifted: Option<(u32, i64, bool)>) -> PairTarget {
    let shift = shifted.map(|(percent, ago, made)| TrafficShift {
        from: Weights::with(GREEN, 0),
        to: Weights::with(GREEN, percent),
        at: before(ago),
        made,
        known: Vec::new(),
    });
    PairTarget {
        shift,
        ..target(view, None)
    }
}

fn step(view: &PairView, shifted: Option<(u32, i64, bool)>) -> Step {
    next_step(
        &asked(),
        &release(view, shifted),
        view,
        Duration::from_secs(30),
        None,
    )
}

#[test]
fn each_step_bakes_before_the_next_and_the_last_one_longer() {
    assert_eq!(
        step(&seen(0, 2), None),
        Step::Shift {
            to: Weights {
                blue: 80,
                green: 20
            },
            percent: 0
        }
    );
    assert!(
        matches!(step(&seen(20, 2), Some((20, 119, true))), Step::Wait { summary, .. } if summary.contains("1m59s of 2m00s baked"))
    );
    assert_eq!(
        step(&seen(20, 2), Some((20, 120, true))),
        Step::Shift {
            to: Weights {
                blue: 50,
                green: 50
            },
            percent: 14
        }
    );
    assert!(matches!(
        step(&seen(100, 2), Some((100, 599, true))),
        Step::Wait { percent: 99, .. }
    ));
    assert!(matches!(
        step(&seen(100, 2), Some((100, 600, true))),
        Step::Done { .. }
    ));
}

#[test]
fn no_step_is_shorter_than_a_hung_invocation_can_live() {
    let hasty = Asked {
        step_bake: Duration::ZERO,
        ..asked()
    };
    let view = seen(20, 2);
    let next = |ago| {
        next_step(
            &hasty,
            &release(&view, Some((20, ago, true))),
            &view,
            Duration::ZERO,
            None,
        )
    };
    assert!(matches!(next(59), Step::Wait { .. }));
    assert!(matches!(next(60), Step::Shift { .. }));
    let settling = Some(Duration::from_secs(7));
    let first = next_step(
        &asked(),
        &release(&seen(0, 2), None),
        &seen(0, 2),
        Duration::ZERO,
        settling,
    );
    assert!(matches!(first, Step::Wait { .. }));
}

#[test]
fn an_announced_shift_is_confirmed_or_made_again() {
    assert_eq!(step(&seen(20, 2), Some((20, 5, false))), Step::Confirm);
    assert!(matches!(
        step(&seen(20, 1), Some((20, 5, false))),
        Step::Restore { .. }
    ));
    assert!(matches!(
        step(&seen(0, 2), Some((20, 5, false))),
        Step::Shift { .. }
    ));
}

#[test]
fn an_unfit_colour_gets_no_traffic_and_loses_what_it_has() {
    assert!(
        matches!(step(&seen(0, 1), None), Step::Wait { summary, .. } if summary.contains("1 of 2 targets healthy"))
    );
    let late = next_step(
        &asked(),
        &release(&seen(0, 1), None),
        &seen(0, 1),
        HEALTH_DEADLINE,
        None,
    );
    assert!(
        matches!(late, Step::Fail(failure) if failure.message.contains("no traffic was moved"))
    );
    let lost = step(&seen(50, 1), Some((50, 5, true)));
    assert!(
        matches!(lost, Step::Restore { reason } if reason.contains("1 healthy targets in green with 50% of the traffic, 2 needed"))
    );
    let other = view_of(IDLE, Weights::with(GREEN, 0));
    assert!(
        matches!(step(&other, None), Step::Fail(failure) if failure.message.contains("web-green:7"))
    );
    let other = view_of(IDLE, Weights::with(GREEN, 20));
    assert!(
        matches!(step(&other, Some((20, 5, true))), Step::Restore { reason } if reason.contains("deployed outside this release"))
    );
}

#[test]
fn weights_set_outside_the_release_are_not_fought_over() {
    for (percent, shifted) in [
        (0, Some((20, 300, true))),
        (35, Some((20, 5, false))),
        (10, None),
    ] {
        assert!(
            matches!(step(&seen(percent, 2), shifted), Step::Fail(failure) if failure.message.starts_with("overridden"))
        );
    }
}

#[test]
fn one_in_four_may_be_missing_during_the_bake_but_not_before() {
    let wide = Asked {
        filled: 8,
        ..asked()
    };
    let next = |percent, healthy| {
        let view = seen(percent, healthy);
        let shifted = (percent > 0).then_some((percent, 5, true));
        next_step(&wide, &release(&view, shifted), &view, Duration::ZERO, None)
    };
    assert!(matches!(next(20, 6), Step::Wait { .. }));
    assert!(matches!(next(20, 5), Step::Restore { .. }));
    assert!(matches!(next(0, 7), Step::Wait { .. }));
}

/// The same with how long the action has been going on and what is left of an earlier change.
fn step_in(
    view: &PairView,
    shifted: Option<(u32, i64, bool)>,
    elapsed: Duration,
    settling: Option<u64>,
) -> Step {
    let settling = settling.map(Duration::from_secs);
    next_step(&asked(), &release(view, shifted), view, elapsed, settling)
}

fn wait(summary: &str, percent: u8) -> Step {
    Step::Wait {
        summary: summary.to_owned(),
        percent,
    }
}

fn restore(reason: &str) -> Step {
    Step::Restore {
        reason: reason.to_owned(),
    }
}

const SECOND: Duration = Duration::from_secs(1);
const HEALTH: &str = "2 healthy targets in green, at least 2 needed";

#[test]
fn the_floor_is_the_share_of_the_filled_tasks_rounded_up_and_one_at_least() {
    let floor = |filled, minimum_healthy_percent| {
        Asked {
            filled,
            minimum_healthy_percent,
            ..asked()
        }
        .floor()
    };
    assert_eq!(
        [floor(4, 75), floor(5, 75), floor(8, 75), floor(3, 100)],
        [3, 4, 6, 3]
    );
    assert_eq!(
        [
            floor(1, 1),
            floor(10, 1),
            floor(0, 75),
            floor(100, 1),
            floor(101, 1)
        ],
        [1, 1, 1, 1, 2]
    );
}

#[test]
fn each_step_has_its_own_bake_and_none_is_shorter_than_an_invocation() {
    let bakes = |asked: &Asked| [1, 20, 50, 99, 100].map(|percent| asked.bake(percent).as_secs());
    assert_eq!(bakes(&asked()), [120, 120, 120, 120, 600]);
    let short = Asked {
        step_bake: 59 * SECOND,
        last_bake: Duration::ZERO,
        ..asked()
    };
    assert_eq!(bakes(&short), [60, 60, 60, 60, 60]);
    let once = Asked {
        steps: vec![50],
        ..asked()
    };
    assert_eq!(bakes(&once), [120, 120, 600, 600, 600]);
}

#[test]
fn a_whole_shift_moves_in_the_steps_that_were_listed() {
    let shift = |blue, green, percent| Step::Shift {
        to: Weights { blue, green },
        percent,
    };
    assert_eq!(step(&seen(0, 2), None), shift(80, 20, 0));
    assert_eq!(
        step(&seen(20, 2), Some((20, 119, true))),
        wait(&format!("20% to green, 1m59s of 2m00s baked; {HEALTH}"), 14)
    );
    assert_eq!(step(&seen(20, 2), Some((20, 120, true))), shift(50, 50, 14));
    assert_eq!(
        step(&seen(50, 2), Some((50, 60, true))),
        wait(&format!("50% to green, 1m00s of 2m00s baked; {HEALTH}"), 21)
    );
    assert_eq!(step(&seen(50, 2), Some((50, 120, true))), shift(0, 100, 28));
    assert_eq!(
        step(&seen(100, 2), Some((100, 599, true))),
        wait(
            &format!("100% to green, 9m59s of 10m00s baked; {HEALTH}"),
            99
        )
    );
    let done = Step::Done {
        summary: format!("100% to green, baked 10m00s; {HEALTH}"),
    };
    assert_eq!(step(&seen(100, 2), Some((100, 600, true))), done);
}

#[test]
fn a_list_that_ends_below_all_of_the_traffic_ends_there_after_the_last_bake() {
    let part = Asked {
        steps: vec![10],
        ..asked()
    };
    let next = |ago| {
        let view = seen(10, 2);
        next_step(
            &part,
            &release(&view, Some((10, ago, true))),
            &view,
            SECOND,
            None,
        )
    };
    assert_eq!(
        next(599),
        wait(
            &format!("10% to green, 9m59s of 10m00s baked; {HEALTH}"),
            99
        )
    );
    assert_eq!(
        next(600),
        Step::Done {
            summary: format!("10% to green, baked 10m00s; {HEALTH}")
        }
    );
}

#[test]
fn a_later_action_goes_on_from_the_weights_of_the_one_before() {
    let further = Asked {
        steps: vec![10, 20, 100],
        ..asked()
    };
    let view = seen(20, 2);
    let next = next_step(
        &further,
        &release(&view, Some((20, 900, true))),
        &view,
        SECOND,
        None,
    );
    assert_eq!(
        next,
        Step::Shift {
            to: Weights {
                blue: 0,
                green: 100
            },
            percent: 28
        }
    );
}

#[test]
fn no_traffic_moves_while_an_earlier_change_may_still_be_made() {
    let first = step_in(&seen(0, 2), None, SECOND, Some(7));
    assert_eq!(
        first,
        wait(
            &format!("0% to green, lets invocations that may still run end: 7s left; {HEALTH}"),
            0
        )
    );
    let second = step_in(&seen(20, 2), Some((20, 120, true)), SECOND, Some(1));
    assert_eq!(
        second,
        wait(
            &format!("20% to green, lets invocations that may still run end: 1s left; {HEALTH}"),
            14
        )
    );
    assert!(matches!(
        step_in(&seen(20, 2), Some((20, 120, true)), SECOND, None),
        Step::Shift { .. }
    ));
}

#[test]
fn a_colour_that_is_not_whole_gets_no_first_traffic_and_is_waited_for_ten_minutes() {
    let why = "1 of 2 targets healthy in green; 1 of 2 targets healthy";
    let waits = |elapsed| step_in(&seen(0, 1), None, elapsed, None);
    let health = "1 healthy targets in green, at least 2 needed";
    let text = format!("0% to green, green is not ready for 20%: {why}; 9m59s of 10m00s; {health}");
    assert_eq!(waits(HEALTH_DEADLINE - SECOND), wait(&text, 0));
    let text = format!(
        "green is not fit to get traffic as web:2 after 10m00s: {why}; no traffic was moved; look at the tasks and targets of green"
    );
    assert_eq!(waits(HEALTH_DEADLINE), Step::Fail(Failure::job(text)));
}

#[test]
fn before_its_first_traffic_the_new_colour_must_truly_be_deployed() {
    type Spoil = fn(&mut PairView);
    let cases: [(Spoil, &str); 4] = [
        (
            |view| view.green.deployments[0].rollout = Rollout::InProgress,
            "the rollout is not completed",
        ),
        (|view| view.green.running = 1, "1 of 2 tasks running"),
        (
            |view| (view.green.desired, view.green.running) = (1, 1),
            "desired count is 1, asked for 2",
        ),
        (
            |view| view.green.pending = 1,
            "2 of 2 tasks running, 1 pending",
        ),
    ];
    for (spoil, why) in cases {
        let mut view = seen(0, 2);
        spoil(&mut view);
        let text =
            format!("0% to green, green is not ready for 20%: {why}; 30s of 10m00s; {HEALTH}");
        assert_eq!(step(&view, None), wait(&text, 0));
    }
}

#[test]
fn another_revision_in_the_new_colour_is_refused_without_waiting() {
    let other = view_of(IDLE, Weights::with(GREEN, 0));
    let text = "green is not fit to get traffic as web:2 after 30s: the PRIMARY deployment runs web-green:7; no traffic was moved; look at the tasks and targets of green";
    assert_eq!(step(&other, None), Step::Fail(Failure::job(text)));
    let mut empty = seen(0, 2);
    empty.green.deployments.clear();
    let text = "green is not fit to get traffic as web:2 after 30s: the service has no PRIMARY deployment; no traffic was moved; look at the tasks and targets of green";
    assert_eq!(step(&empty, None), Step::Fail(Failure::job(text)));
}

#[test]
fn while_it_serves_the_new_colour_may_grow_but_not_shrink_below_what_was_filled() {
    let wide = Asked {
        filled: 8,
        ..asked()
    };
    let next = |healthy, ago| {
        let mut view = seen(20, healthy);
        // It grows with its load, and tasks are still starting.
        (view.green.desired, view.green.running, view.green.pending) = (10, 8, 2);
        view.green.deployments[0].rollout = Rollout::InProgress;
        next_step(
            &wide,
            &release(&view, Some((20, ago, true))),
            &view,
            Duration::ZERO,
            None,
        )
    };
    assert_eq!(
        next(8, 120),
        Step::Shift {
            to: Weights {
                blue: 50,
                green: 50
            },
            percent: 14
        }
    );
    let text = "20% to green, green is not ready for 50%: 7 of 8 targets healthy; 0s of 10m00s; 7 healthy targets in green, at least 6 needed";
    assert_eq!(next(7, 120), wait(text, 14));
    let text = "20% to green, green is not ready for 50%: 7 of 8 targets healthy; 9m59s of 10m00s; 7 healthy targets in green, at least 6 needed";
    assert_eq!(next(7, 719), wait(text, 14));
    assert_eq!(
        next(7, 720),
        restore("green is not fit to get more traffic after 10m00s: 7 of 8 targets healthy")
    );
}

#[test]
fn a_colour_that_must_not_keep_its_traffic_loses_it_whatever_else_is_due() {
    let few = restore("1 healthy targets in green with 20% of the traffic, 2 needed (75% of 2)");
    // Baking, baked, not confirmed, at the end of its time, and while an earlier change may still be made.
    assert_eq!(step(&seen(20, 1), Some((20, 5, true))), few);
    assert_eq!(step(&seen(20, 1), Some((20, 120, true))), few);
    assert_eq!(step(&seen(20, 1), Some((20, 5, false))), few);
    assert_eq!(
        step_in(&seen(20, 1), Some((20, 5, true)), SECOND, Some(30)),
        few
    );
    let all = restore("0 healthy targets in green with 100% of the traffic, 2 needed (75% of 2)");
    assert_eq!(step(&seen(100, 0), Some((100, 700, true))), all);
}

#[test]
fn a_colour_whose_deployment_failed_loses_its_traffic_with_the_reason_of_ecs() {
    let mut view = seen(5, 2);
    view.green.deployments[0].rollout = Rollout::Failed;
    view.green.deployments[0].reason = "tasks failed to start".to_owned();
    let why = restore("the deployment of green failed: tasks failed to start");
    assert_eq!(step(&view, Some((5, 10, true))), why);
    assert_eq!(step(&view, Some((5, 10, false))), why);
    let watched = watch(&asked(), &release(&view, Some((5, 10, true))), &view);
    assert_eq!(
        watched,
        Watched::Restore {
            reason: "the deployment of green failed: tasks failed to start".to_owned()
        }
    );
    // Without traffic there is nothing to give back: it is waited for, and gets none.
    let mut idle = seen(0, 2);
    idle.green.deployments[0].rollout = Rollout::Failed;
    assert!(
        matches!(step(&idle, None), Step::Wait { summary, .. } if summary.contains("the rollout is not completed"))
    );
}

#[test]
fn a_colour_without_a_deployment_or_with_another_revision_loses_its_traffic() {
    let mut view = seen(20, 2);
    view.green.deployments.clear();
    assert_eq!(
        step(&view, Some((20, 5, true))),
        restore("green has no deployment any more")
    );
    let view = view_of(IDLE, Weights::with(GREEN, 20));
    let why = "green runs web-green:7 instead of web:2: it was deployed outside this release";
    assert_eq!(step(&view, Some((20, 5, true))), restore(why));
    // What another deployment of it is doing beside the PRIMARY one is not of interest.
    let mut view = seen(20, 2);
    let failed =
        crate::observed::service::tests::deployment("ecs-svc/0", IDLE, false, Rollout::Failed);
    view.green.deployments.insert(0, failed);
    assert!(matches!(
        step(&view, Some((20, 5, true))),
        Step::Wait { .. }
    ));
}

#[test]
fn only_weights_that_this_release_set_or_found_are_moved_on() {
    let foreign = |seen: Weights, left: Weights| {
        let text = format!(
            "overridden: the weights are {seen}, expected {left}; another writer changed the listener rule, find it, then retry the release"
        );
        Step::Fail(Failure::overridden(text))
    };
    let [none, part, odd] = [0, 20, 35].map(|percent| Weights::with(GREEN, percent));
    // Nothing was announced: only what was recorded is expected.
    assert_eq!(step(&seen(35, 2), None), foreign(odd, none));
    // Made: only what was set is. The weights before were set again by another writer.
    assert_eq!(
        step(&seen(0, 2), Some((20, 300, true))),
        foreign(none, part)
    );
    assert_eq!(step(&seen(35, 2), Some((20, 5, true))), foreign(odd, part));
    // Announced: what was found is as well.
    assert_eq!(step(&seen(35, 2), Some((20, 5, false))), foreign(odd, part));
    assert!(matches!(
        step(&seen(0, 2), Some((20, 5, false))),
        Step::Shift { .. }
    ));
    assert_eq!(step(&seen(20, 2), Some((20, 5, false))), Step::Confirm);
    // Foreign weights are left alone even when the new colour is not fit.
    assert_eq!(step(&seen(35, 0), Some((20, 5, true))), foreign(odd, part));
    // The same share in other numbers is another setting.
    let mut view = seen(20, 2);
    view.weights = Weights { blue: 4, green: 1 };
    assert_eq!(
        step(&view, Some((20, 5, true))),
        foreign(Weights { blue: 4, green: 1 }, part)
    );
}

#[test]
fn a_pair_that_is_judged_is_watched_and_not_moved() {
    let watched = |view: &PairView, shifted| watch(&asked(), &release(view, shifted), view);
    let made = Some((20, 5, true));
    assert_eq!(
        watched(&seen(20, 2), made),
        Watched::Fit {
            health: HEALTH.to_owned()
        }
    );
    assert_eq!(
        watched(&seen(20, 2), Some((20, 5, false))),
        Watched::Confirm
    );
    let few = "1 healthy targets in green with 20% of the traffic, 2 needed (75% of 2)".to_owned();
    assert_eq!(
        watched(&seen(20, 1), made),
        Watched::Restore {
            reason: few.clone()
        }
    );
    assert_eq!(
        watched(&seen(20, 1), Some((20, 5, false))),
        Watched::Restore { reason: few }
    );
    let text = "overridden: the weights are blue 65 / green 35, expected blue 80 / green 20; another writer changed the listener rule, find it, then retry the release";
    assert_eq!(
        watched(&seen(35, 0), made),
        Watched::Fail(Failure::overridden(text))
    );
}

#[test]
fn a_colour_that_is_alone_cannot_be_judged() {
    for (percent, shifted) in [(0, None), (100, Some((100, 5, true)))] {
        let view = seen(percent, 2);
        let watched = watch(&asked(), &release(&view, shifted), &view);
        let Watched::Alone(failure) = watched else {
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

#[test]
fn progress_is_the_share_of_the_time_that_all_bakes_take() {
    let at = |percent, secs| progress(&asked(), percent, Duration::from_secs(secs));
    assert_eq!([at(0, 0), at(0, 500)], [0, 0]);
    assert_eq!(
        [at(20, 0), at(20, 60), at(20, 120), at(20, 900)],
        [0, 7, 14, 14]
    );
    assert_eq!(
        [
            at(50, 0),
            at(50, 120),
            at(100, 0),
            at(100, 300),
            at(100, 9000)
        ],
        [14, 28, 28, 64, 99]
    );
    let none = Asked {
        steps: Vec::new(),
        ..asked()
    };
    assert_eq!(progress(&none, 100, SECOND), 0);
}

#[test]
fn weights_that_may_be_older_than_the_last_shift_are_read_again() {
    let summary =
        "waiting for the rule to show blue 80 / green 20; it shows blue 100 / green 0 as before"
            .to_owned();
    let wait = Step::Wait {
        summary: summary.clone(),
        percent: 0,
    };
    assert_eq!(step(&seen(0, 2), Some((20, 5, true))), wait);
    assert_eq!(step(&seen(0, 2), Some((20, 299, true))), wait);
    // The new colour has 20 % of the traffic, whatever is read.
    assert!(matches!(
        step(&seen(0, 0), Some((20, 5, true))),
        Step::Restore { .. }
    ));
    let dead = seen(0, 0);
    assert!(matches!(
        watch(&asked(), &release(&dead, Some((20, 5, true))), &dead),
        Watched::Restore { .. }
    ));
    assert!(matches!(
        step(&seen(0, 2), Some((20, 300, true))),
        Step::Fail(_)
    ));

    let watched = |ago| {
        watch(
            &asked(),
            &release(&seen(0, 2), Some((20, ago, true))),
            &seen(0, 2),
        )
    };
    assert_eq!(watched(299), Watched::Unseen { summary });
    assert!(matches!(watched(300), Watched::Fail(_)));
}
