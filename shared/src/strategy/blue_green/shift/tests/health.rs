//! When the new colour gets, keeps and loses its traffic.

use super::*;
use crate::release::{HealthLoss, SeenHealth};

#[test]
fn an_unhealthy_colour_gets_no_traffic_and_loses_what_it_has() {
    assert!(
        matches!(step(&seen(0, 1), None), ShiftStep::Wait { summary, .. } if summary.contains("1 \
            of 2 targets healthy"))
    );

    let late = decide(
        &plan(),
        &shifted_target(&seen(0, 1), None),
        &seen(0, 1),
        (HEALTH_DEADLINE, None),
    );
    assert!(
        matches!(late, ShiftStep::Fail { failure, .. } if failure.message.contains("no traffic \
            was moved"))
    );

    let lost = step(&seen(50, 0), Some((50, 5, true)));
    assert!(
        matches!(lost, ShiftStep::Restore { reason } if reason.contains("0 healthy targets in \
            green with 50% of the traffic, 2 needed"))
    );

    let other = view_of(IDLE, Weights::with(GREEN, 0));
    assert!(matches!(
        step(&other, None),
        ShiftStep::Fail { failure, .. }
            if failure.message.contains("web-green:7")
    ));

    let other = view_of(IDLE, Weights::with(GREEN, 20));
    assert!(matches!(
        step(&other, Some((20, 5, true))),
        ShiftStep::Restore { reason }
            if reason.contains("deployed outside this release")
    ));
}

#[test]
fn one_in_four_may_be_missing_during_the_bake_but_not_before() {
    let wide = ShiftPlan {
        filled: 8,
        ..plan()
    };
    let next = |percent, healthy| {
        let view = seen(percent, healthy);
        let shifted = (percent > 0).then_some((percent, 5, true));
        decide(
            &wide,
            &shifted_target(&view, shifted),
            &view,
            (Duration::ZERO, None),
        )
    };

    assert!(matches!(
        next(20, 6),
        ShiftStep::Wait { summary, .. } if summary.contains(" baked; ")
    ));
    assert!(matches!(
        next(20, 5),
        ShiftStep::Wait { summary, .. } if summary.ends_with("; 0s of 2m00s")
    ));
    assert!(matches!(next(0, 7), ShiftStep::Wait { .. }));
}

#[test]
fn a_colour_that_is_not_whole_gets_no_first_traffic_and_is_waited_for_ten_minutes() {
    let why = "1 of 2 targets healthy in green; 1 of 2 targets healthy";
    let waits = |elapsed| step_in(&seen(0, 1), None, elapsed, None);
    let health = "1 healthy targets in green, at least 2 needed";
    let text = format!("0% to green, green is not ready for 20%: {why}; 9m59s of 10m00s; {health}");

    assert_eq!(waits(HEALTH_DEADLINE - SECOND), wait(&text, 0));

    let text = format!(
        "green is not ready for traffic as web:2 after 10m00s: {why}; no traffic was moved; check \
         the tasks and targets of green"
    );
    assert_eq!(waits(HEALTH_DEADLINE), not_ready(text));
}

#[test]
fn before_its_first_traffic_the_new_colour_must_truly_be_deployed() {
    type Spoil = fn(&mut PairView);
    let cases: [(Spoil, &str); 4] = [
        (
            |view| view.services.green.deployments[0].rollout = Rollout::InProgress,
            "the rollout is not completed",
        ),
        (
            |view| view.services.green.running = 1,
            "1 of 2 tasks running",
        ),
        (
            |view| {
                view.services.green.desired = 1;
                view.services.green.running = 1;
                view.services.green.deployments[0].running = 1;
            },
            "desired count is 1, expected 2 or more",
        ),
        (
            |view| view.services.green.pending = 1,
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
    let text = "green is not ready for traffic as web:2 after 30s: the PRIMARY deployment runs \
        web-green:7; no traffic was moved; check the tasks and targets of green";

    assert_eq!(step(&other, None), not_ready(text));

    let mut empty = seen(0, 2);
    empty.services.green.deployments.clear();
    let text = "green is not ready for traffic as web:2 after 30s: the service has no PRIMARY \
        deployment; no traffic was moved; check the tasks and targets of green";
    assert_eq!(step(&empty, None), not_ready(text));
}

#[test]
fn while_it_serves_the_new_colour_may_grow_but_not_shrink_below_what_was_filled() {
    let wide = ShiftPlan {
        filled: 8,
        ..plan()
    };
    let next = |healthy, ago| {
        let mut view = seen(20, healthy);
        // It grows with its load, and tasks are still starting.
        view.services.green.desired = 10;
        view.services.green.running = 8;
        view.services.green.pending = 2;
        view.services.green.deployments[0].rollout = Rollout::InProgress;
        decide(
            &wide,
            &shifted_target(&view, Some((20, ago, true))),
            &view,
            (Duration::from_secs(900), None),
        )
    };

    assert_eq!(
        next(8, 120),
        ShiftStep::Shift {
            to: Weights {
                blue: 50,
                green: 50
            },
            percent: 14
        }
    );

    let text = "20% to green, green is not ready for 50%: 7 of 8 targets healthy; 0s of 10m00s; 7 \
        healthy targets in green, at least 6 needed";
    assert_eq!(next(7, 120), wait(text, 14));

    let text = "20% to green, green is not ready for 50%: 7 of 8 targets healthy; 9m59s of \
        10m00s; 7 healthy targets in green, at least 6 needed";
    assert_eq!(next(7, 719), wait(text, 14));
    assert_eq!(
        next(7, 720),
        restore("green is not ready for more traffic after 10m00s: 7 of 8 targets healthy")
    );
}

#[test]
fn a_later_action_waits_for_health_since_it_began() {
    let wide = ShiftPlan {
        filled: 8,
        ..plan()
    };
    let view = seen(20, 7);
    let after = |elapsed| {
        decide(
            &wide,
            &shifted_target(&view, Some((20, 7_200, true))),
            &view,
            (elapsed, None),
        )
    };

    assert!(matches!(
        after(HEALTH_DEADLINE - SECOND),
        ShiftStep::Wait { summary, .. } if summary.contains("9m59s of 10m00s")
    ));
    assert!(matches!(after(HEALTH_DEADLINE), ShiftStep::Restore { .. }));
}

#[test]
fn a_colour_that_must_not_keep_its_traffic_loses_it_whatever_else_is_due() {
    let none = restore("0 healthy targets in green with 20% of the traffic, 2 needed (75% of 2)");
    // Baking, baked, not confirmed, at the end of its time, and while an earlier change may still
    // be made.
    assert_eq!(step(&seen(20, 0), Some((20, 5, true))), none);
    assert_eq!(step(&seen(20, 0), Some((20, 120, true))), none);
    assert_eq!(step(&seen(20, 0), Some((20, 5, false))), none);
    assert_eq!(
        step_in(&seen(20, 0), Some((20, 5, true)), SECOND, Some(30)),
        none
    );

    let all = restore("0 healthy targets in green with 100% of the traffic, 2 needed (75% of 2)");
    assert_eq!(step(&seen(100, 0), Some((100, 700, true))), all);
}

#[test]
fn a_colour_whose_deployment_failed_loses_its_traffic_with_the_reason_of_ecs() {
    let mut view = seen(5, 2);
    view.services.green.deployments[0].rollout = Rollout::Failed;
    view.services.green.deployments[0].reason = "tasks failed to start".to_owned();
    let why = restore("the deployment of green failed: tasks failed to start");

    assert_eq!(step(&view, Some((5, 10, true))), why);
    assert_eq!(step(&view, Some((5, 10, false))), why);

    // Without traffic there is nothing to return: it is waited for, and gets none.
    let mut idle = seen(0, 2);
    idle.services.green.deployments[0].rollout = Rollout::Failed;
    assert!(
        matches!(step(&idle, None), ShiftStep::Wait { summary, .. } if summary.contains("the \
            rollout failed"))
    );
}

#[test]
fn a_colour_without_a_deployment_or_with_another_revision_loses_its_traffic() {
    let mut view = seen(20, 2);
    view.services.green.deployments.clear();

    assert_eq!(
        step(&view, Some((20, 5, true))),
        restore("green no longer has a deployment")
    );

    let view = view_of(IDLE, Weights::with(GREEN, 20));
    let why = "green runs web-green:7 instead of web:2: it was deployed outside this release";
    assert_eq!(step(&view, Some((20, 5, true))), restore(why));

    // What another deployment of it is doing beside the PRIMARY one is not of interest.
    let mut view = seen(20, 2);
    let failed = deployment("ecs-svc/0", IDLE, false, Rollout::Failed);
    view.services.green.deployments.insert(0, failed);
    assert!(matches!(
        step(&view, Some((20, 5, true))),
        ShiftStep::Wait { .. }
    ));
}

#[test]
fn one_missing_target_takes_no_traffic_at_the_first_look_and_lets_none_come() {
    let few = "1 healthy targets in green with 20% of the traffic, 2 needed (75% of 2)";
    let first =
        |percent, text: &str, done| wait(&format!("{}; {text}", few.replace("20%", percent)), done);
    // Baking, baked, not confirmed, and at the end of the last bake.
    for (ago, made, done) in [(5, true, 0), (120, true, 14), (5, false, 0)] {
        let waits = step(&seen(20, 1), Some((20, ago, made)));
        assert_eq!(waits, first("20%", "0s of 2m00s", done));
    }
    let waits = step(&seen(100, 1), Some((100, 700, true)));
    assert_eq!(waits, first("100%", "0s of 2m00s", 99));

    let view = seen(20, 1);
    let after = |secs| {
        let mut target = shifted_target(&view, Some((20, 400, true)));
        let loss = HealthLoss {
            since: earlier(view.observed_at, secs),
            recovered_at: None,
        };
        target.health = Some(SeenHealth {
            most: 0,
            loss: Some(loss),
        });
        decide(&plan(), &target, &view, (SECOND, None))
    };
    assert_eq!(after(119), first("20%", "1m59s of 2m00s", 14));
    assert_eq!(after(120), restore(&format!("{few}, for 2m00s")));
}

#[test]
fn an_alarm_takes_the_traffic_back_and_lets_none_move() {
    let reason = "alarm errors is in ALARM: 5 of 5";
    let stopped = |percent, shifted| {
        let view = seen(percent, 2);
        let target = shifted_target(&view, shifted);
        by_alarm(&context(&target, &view), reason.to_owned())
    };

    assert_eq!(stopped(100, Some((100, 60, true))), restore(reason));
    // The rule may be read from before the shift.
    assert_eq!(stopped(0, Some((20, 5, true))), restore(reason));
    let text = format!("{reason}; no traffic was moved; release again when it is OK");
    assert_eq!(
        stopped(0, None),
        ShiftStep::Fail {
            failure: Failure::job(text),
            cause: StepFailureCause::Precondition,
        }
    );
}
