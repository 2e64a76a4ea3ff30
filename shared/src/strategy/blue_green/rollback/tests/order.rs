//! The order in which a pair is restored.

use super::*;
use crate::observed::route::Route;
use crate::observed::service::TargetGroupView;

#[test]
fn large_enough_then_traffic_then_scaling_then_the_new_colour_then_proof() {
    let half = Weights::with(Colour::Green, 50);
    let all = Weights::with(Colour::Green, 100);
    let mut grown = view_of(NEW, all);
    grown.services.green.desired = 8;
    assert_eq!(next(&grown, Some(all), scaling(true)), raise(8, Some(25)));

    // It has what its two tasks carry, then the others are healthy.
    grown.weights = Weights::with(Colour::Green, 75);
    grown.services.blue.desired = 8;
    let mut sized = PairTarget {
        raised_to: Some(8),
        ..target(&grown, Some(grown.weights))
    };
    sized.shift.as_mut().expect("shifted").from = all;
    let step = |view: &PairView| restored(&sized, Ending::Failed, view, scaling(true));
    let waits = "returning the traffic to blue: 2 of 8 healthy targets that blue needs for all of \
        the traffic; 0s of 10m00s";
    assert_eq!(step(&grown), Restoration::Wait(waits.to_owned()));

    grown.services.blue.target_groups[0].healthy = 8;
    assert_eq!(step(&grown), MOVE);

    let back = pair().weights();
    assert_eq!(
        next(&view_of(NEW, back), Some(half), scaling(true)),
        RESTORE_SCALE_IN
    );
    assert_eq!(
        next(&view_of(NEW, back), Some(half), scaling(false)),
        RESET_IDLE
    );

    let closed = next(&emptied(back), Some(half), scaling(false));
    assert!(matches!(
        closed,
        Restoration::Close(Conclusion {
            outcome: Outcome::RolledBack,
            ..
        })
    ));
}

#[test]
fn the_traffic_goes_back_at_once_and_the_rest_waits_until_no_step_can_act() {
    let waits = Restoration::Wait("waiting 9s for earlier invocations to time out".to_owned());
    let half = Weights::with(Colour::Green, 50);
    let away = view_of(NEW, half);
    let open = target(&away, Some(half));
    assert_eq!(while_steps_may_act(&open, &away), MOVE);

    let back = view_of(NEW, pair().weights());
    assert_eq!(while_steps_may_act(&target(&back, None), &back), waits);

    // A step that hung sets its weights after they were restored.
    let mut overtaken = target(&away, Some(pair().weights()));
    let shift = overtaken.shift.as_mut().expect("shifted");
    shift.from = half;
    shift.known = vec![half];
    assert_eq!(while_steps_may_act(&overtaken, &away), MOVE);
    assert_eq!(
        restored(&overtaken, Ending::Failed, &away, NO_SCALING),
        MOVE
    );
}

#[test]
fn traffic_stays_on_a_colour_that_serves_while_the_old_one_may_still_be_scaled_in() {
    let all = Weights::with(Colour::Green, 100);
    let mut view = view_of(NEW, all);
    let retiring = PairTarget {
        retiring: true,
        ..target(&view, Some(all))
    };
    assert_eq!(
        while_steps_may_act(&retiring, &view),
        Restoration::Wait("waiting 9s for earlier invocations to time out".to_owned())
    );
    assert_eq!(
        restored(&retiring, Ending::Failed, &view, scaling(true)),
        MOVE
    );

    // The old colour is raised meanwhile.
    view.services.blue.desired = 0;
    assert_eq!(while_steps_may_act(&retiring, &view), raise(2, None));

    view.services.blue.desired = 2;
    view.services.green.target_groups[0].healthy = 0;
    assert_eq!(while_steps_may_act(&retiring, &view), MOVE);
}

#[test]
fn the_new_colour_is_reset_after_scale_in_although_it_is_read_as_recorded() {
    let view = emptied(pair().weights());
    let mut target = target(&view, None);
    let next = |target: &PairTarget| restored(target, Ending::Failed, &view, scaling(false));
    assert!(matches!(next(&target), Restoration::Close(_)));

    target.recount = true;
    assert_eq!(next(&target), RESET_IDLE);
}

#[test]
fn fewer_tasks_than_recorded_are_restored_unless_scaling_chose_them() {
    let mut fewer = emptied(pair().weights());
    fewer.services.blue.desired = 1;
    fewer.services.blue.running = 1;
    fewer.services.blue.deployments[0].running = 1;
    fewer.services.blue.target_groups[0].healthy = 1;

    assert_eq!(next(&fewer, None, NO_SCALING), raise(2, None));

    let closed = next(&fewer, None, scaling(false));
    assert!(matches!(
        closed,
        Restoration::Close(Conclusion {
            outcome: Outcome::RolledBack,
            ..
        })
    ));
}

#[test]
fn fewer_tasks_than_recorded_are_no_restoration_while_scale_in_is_suspended() {
    let mut fewer = emptied(pair().weights());
    fewer.services.blue.desired = 1;
    fewer.services.blue.running = 1;
    fewer.services.blue.target_groups[0].healthy = 1;
    let mut suspended = pair();
    for colour in [&mut suspended.colours.blue, &mut suspended.colours.green] {
        colour.suspended = Some(true);
        colour.schedule_suspended = Some(true);
    }
    let target = PairTarget {
        prior: suspended,
        ..target(&fewer, None)
    };
    let left = |scaling| restored(&target, Ending::Failed, &fewer, scaling);

    assert_eq!(left(scaling(true)), raise(2, None));

    // A scheduled action may take tasks away, too, once its own suspension is over.
    let by_schedule = PerColour::from_fn(|_| {
        scaled(true).map(|suspended| ScalingView {
            schedule_suspended: false,
            ..suspended
        })
    });
    assert_eq!(left(by_schedule), RESTORE_SCALE_IN);

    // Only the old colour's scaling counts.
    let only_blue = PerColour {
        blue: scaled(true),
        green: scaled(false),
    };
    assert_eq!(left(only_blue), raise(2, None));

    // Scaling that took tasks away may not take the last one.
    fewer.services.blue.desired = 0;
    fewer.services.blue.running = 0;
    assert_eq!(next(&fewer, None, scaling(false)), raise(2, None));
}

#[test]
fn a_revision_that_was_deregistered_is_not_deployed_again() {
    let back = pair().weights();
    let mut stopped = view_of(NEW, back);
    stopped.services.green.desired = 0;
    stopped.services.green.running = 0;
    let target = target(&stopped, None);
    let next = |active| with_idle(&target, &stopped, active);

    assert_eq!(next(true), RESET_IDLE);
    assert!(matches!(
        next(false),
        Restoration::Close(Conclusion {
            outcome: Outcome::RolledBack,
            ..
        })
    ));
}

#[test]
fn scale_in_is_restored_on_each_colour_before_the_new_one_shrinks() {
    let back = view_of(NEW, pair().weights());
    let with = |blue, green| next(&back, None, PerColour { blue, green });

    for (blue, green) in [
        (scaled(true), scaled(false)),
        (scaled(false), scaled(true)),
        (scaled(true), None),
        (None, scaled(true)),
    ] {
        assert_eq!(with(blue, green), RESTORE_SCALE_IN, "{blue:?} {green:?}");
    }

    assert_eq!(with(scaled(false), scaled(false)), RESET_IDLE);
    assert_eq!(with(scaled(false), None), RESET_IDLE);
}

#[test]
fn the_new_colour_returns_to_its_recorded_definition_count_and_percentages() {
    let whole = emptied(pair().weights());
    type Spoil = fn(&mut PairView);
    let cases: [Spoil; 4] = [
        |view| view.services.green.deployments[0].task_definition = NEW.to_owned(),
        |view| view.services.green.deployments.clear(),
        |view| view.services.green.desired = 1,
        |view| {
            view.services.green.percentages = Percentages {
                minimum_healthy: 50,
                maximum: 200,
            }
        },
    ];

    for spoil in cases {
        let mut view = whole.clone();
        spoil(&mut view);
        assert_eq!(after(&view, 0, |_| {}), RESET_IDLE);
    }

    // A revision that was deregistered cannot be deployed again, but the count and the percentages
    // can be set.
    let mut gone = view_of(NEW, pair().weights());
    let target = target(&gone, None);
    let left = |view: &PairView| with_idle(&target, view, false);

    assert_eq!(left(&gone), RESET_IDLE);

    gone.services.green.desired = 0;
    gone.services.green.running = 0;
    assert!(matches!(
        left(&gone),
        Restoration::Close(Conclusion {
            outcome: Outcome::RolledBack,
            ..
        })
    ));
}

#[test]
fn percentages_that_ecs_refuses_by_now_are_not_missed() {
    // Rebalancing was turned on during the release: ECS refuses a maximum of 100 % with it.
    let mut view = emptied(pair().weights());
    view.services.green.rebalancing = true;
    view.services.green.percentages.maximum = 150;
    let recorded = |maximum| {
        let set = |target: &mut PairTarget| {
            target.prior.colours.green.percentages.maximum = maximum;
        };
        after(&view, 0, set)
    };

    assert_eq!(recorded(101), RESET_IDLE);
    assert!(matches!(recorded(100), Restoration::Close(_)));
}

#[test]
fn a_new_colour_that_may_be_read_as_before_its_fill_is_reset_once_more() {
    let mut view = emptied(pair().weights());
    let found = FoundDeployment::from_view(&view.services.green).expect("a PRIMARY deployment");
    let left = |view: &PairView, secs| {
        after(view, secs, |target| {
            let change = target.change.as_mut().expect("changed");
            change.deployment = Some("ecs-svc/2".to_owned());
            target.prior.colours.green.found = Some(found.clone());
        })
    };

    assert_eq!(left(&view, 60), RESET_IDLE);
    assert_eq!(left(&view, 299), RESET_IDLE);
    assert!(matches!(left(&view, 300), Restoration::Close(_)));

    view.services.green.deployments[0].id = "ecs-svc/3".to_owned();
    assert!(matches!(left(&view, 60), Restoration::Close(_)));
}

#[test]
fn with_records_the_new_colour_is_kept_while_resolvers_may_answer_with_it() {
    let back = view_of(NEW, pair().weights());
    let after = |route: Route, ago, made| {
        let mut target = target(&back, Some(pair().weights()));
        target.prior.route = route;
        let shift = target.shift.as_mut().expect("a shift");
        shift.made = made;
        shift.at = earlier(back.observed_at, ago);
        restored(&target, Ending::Failed, &back, NO_SCALING)
    };

    let confirm = Restoration::Apply(PairChange::ConfirmWeights);
    assert_eq!(after(records(), 5, false), confirm);
    let waits = "resolvers may answer with green until the TTL has passed: 29s of 30s";
    let waits = Restoration::Wait(waits.to_owned());
    assert_eq!(after(records(), 29, true), waits);
    assert_eq!(after(records(), 30, true), RESET_IDLE);

    // Every request follows a rule.
    assert_eq!(after(pair().route, 5, true), RESET_IDLE);
}

#[test]
fn records_that_another_writer_set_back_are_set_once_more() {
    let back = view_of(NEW, pair().weights());
    let half = Weights::with(Colour::Green, 50);
    let after_change = |from: Weights, made, change: Option<&str>| {
        let mut target = target(&back, Some(half));
        target.prior.route = records();
        let shift = target.shift.as_mut().expect("a shift");
        shift.from = from;
        shift.made = made;
        shift.change = change.map(str::to_owned);
        restored(&target, Ending::Failed, &back, NO_SCALING)
    };

    let after = |from, made| after_change(from, made, None);

    let fifth = Weights::with(Colour::Green, 20);
    assert_eq!(after(fifth, true), MOVE);
    assert_eq!(after(fifth, false), MOVE);
    assert_eq!(after(pair().weights(), true), MOVE);
    // It was announced and never made.
    assert_eq!(after(pair().weights(), false), RESET_IDLE);
    // Route 53 had it before all servers did.
    let change = Some("/change/C1");
    assert_eq!(after_change(pair().weights(), false, change), MOVE);
}

#[test]
fn with_records_a_colour_has_as_many_healthy_targets_as_each_of_its_groups() {
    let half = Weights::with(Colour::Green, 50);
    let mut away = view_of(NEW, half);
    let old = &mut away.services.blue.target_groups;
    let admin = TargetGroupView {
        arn: "arn:…:targetgroup/admin/1".to_owned(),
        healthy: 1,
        ..old[0].clone()
    };
    old.push(admin);

    let mut moved = target(&away, Some(half));
    assert_eq!(restored(&moved, Ending::Failed, &away, NO_SCALING), MOVE);
    moved.prior.route = records();
    assert_eq!(
        restored(&moved, Ending::Failed, &away, NO_SCALING),
        Restoration::Wait(
            "returning the traffic to blue: 1 of 2 healthy targets that blue needs for all of the \
             traffic; 0s of 10m00s"
                .to_owned()
        )
    );
}

#[test]
fn the_old_colour_is_raised_to_its_own_max_capacity_at_most() {
    let all = Weights::with(Colour::Green, 100);
    let mut grown = view_of(NEW, all);
    grown.services.green.desired = 8;
    let bounded = |max_capacity| {
        scaled(true).map(|scaling| ScalingView {
            max_capacity,
            ..scaling
        })
    };
    let scaling = PerColour {
        blue: bounded(4),
        green: bounded(6),
    };

    let expected = ReturnChange {
        raise: Some(4),
        weights: Some(Weights::with(Colour::Blue, 50)),
        capped_from: Some(8),
    };
    assert_eq!(
        next(&grown, Some(all), scaling),
        Restoration::Apply(PairChange::Return(expected))
    );
}
