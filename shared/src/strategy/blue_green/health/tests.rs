use super::*;
use crate::observed::colour::Colour;
use crate::observed::pair::PairView;
use crate::release::PairTarget;
use crate::strategy::blue_green::fixtures::*;
use crate::timestamp::Timestamp;

/// What a look has to record, and what it requires, after `known` was recorded.
fn look(
    filled: u32,
    view: &PairView,
    known: Option<SeenHealth>,
) -> (Option<SeenHealth>, HealthStep) {
    let plan = ShiftPlan { filled, ..plan() };
    let target = PairTarget {
        health: known,
        ..target(view, Some(view.weights))
    };
    let context = context(&target, view);
    (
        health_to_record(&plan, &context),
        health_step(&plan, &context),
    )
}

/// Both colours have half of the traffic, green is filled with 8 tasks.
fn filled(old: [u32; 2], healthy: u32) -> PairView {
    halves(old, [8, healthy])
}

fn loss(since: Timestamp, recovered_at: Option<Timestamp>) -> Option<SeenHealth> {
    let loss = HealthLoss {
        since,
        recovered_at,
    };
    Some(SeenHealth {
        most: 0,
        loss: Some(loss),
    })
}

fn wait(summary: impl Into<String>) -> HealthStep {
    HealthStep::Wait {
        summary: summary.into(),
    }
}

fn restore(reason: impl Into<String>) -> HealthStep {
    HealthStep::Restore {
        reason: reason.into(),
    }
}

fn too_few(healthy: u32) -> String {
    format!("{healthy} healthy targets in green with 50% of the traffic, 6 needed (75% of 8)")
}

#[test]
fn one_look_with_too_few_healthy_targets_ends_nothing() {
    let now = filled([2, 2], 8).observed_at;
    let of = |healthy| look(8, &filled([2, 2], healthy), None);

    assert_eq!(of(8), (None, HealthStep::Keep));
    assert_eq!(of(6), (None, HealthStep::Keep));
    let first = loss(now, None);
    for healthy in [5, 3] {
        let summary = format!("{}; 0s of 2m00s", too_few(healthy));
        assert_eq!(of(healthy), (first, wait(summary)));
    }
    // Less than half of what is needed: the next look decides.
    let summary = format!("{}; looking again", too_few(2));
    assert_eq!(of(2), (first, wait(summary)));
    assert_eq!(of(0), (None, restore(too_few(0))));
}

#[test]
fn a_loss_that_lasts_takes_the_traffic() {
    let view = |healthy| filled([2, 2], healthy);
    let now = view(8).observed_at;
    let after = |healthy, secs| look(8, &view(healthy), loss(earlier(now, secs), None));

    let summary = format!("{}; 1m59s of 2m00s", too_few(5));
    assert_eq!(after(5, 119), (None, wait(summary)));
    let reason = |healthy, lasted| restore(format!("{}, for {lasted}", too_few(healthy)));
    assert_eq!(after(5, 120), (None, reason(5, "2m00s")));
    assert_eq!(after(3, 120), (None, reason(3, "2m00s")));
    assert_eq!(after(2, 30), (None, reason(2, "30s")));
    assert_eq!(after(0, 30), (None, restore(too_few(0))));
}

#[test]
fn a_loss_of_both_colours_is_not_the_new_ones() {
    let now = filled([2, 2], 8).observed_at;
    let of = |old, healthy| look(8, &filled(old, healthy), None);
    let shared = |healthy, old| format!("{}, while blue has {old}", too_few(healthy));

    // Two of the old one's four tasks are healthy, and half of the new one's.
    let summary = format!("{}; 0s of 10m00s", shared(4, "2 of 4"));
    assert_eq!(of([4, 2], 4), (loss(now, None), wait(summary)));
    // With none in either, nothing would be gained.
    let summary = format!("{}; 0s of 10m00s", shared(0, "0 of 4"));
    assert_eq!(of([4, 0], 0), (loss(now, None), wait(summary)));

    // The new colour is worse off, the old one has what it needs, or has no tasks.
    let own = |healthy| {
        let summary = format!("{}; 0s of 2m00s", too_few(healthy));
        (loss(now, None), wait(summary))
    };
    assert_eq!(of([4, 2], 3), own(3));
    assert_eq!(of([4, 3], 5), own(5));
    assert_eq!(of([0, 0], 5), own(5));
    assert_eq!(of([4, 1], 0), (None, restore(too_few(0))));

    // Both lack targets for so long that nothing can go on.
    let after = |secs| look(8, &filled([4, 2], 4), loss(earlier(now, secs), None)).1;
    assert_eq!(
        after(599),
        wait(format!("{}; 9m59s of 10m00s", shared(4, "2 of 4")))
    );
    assert_eq!(
        after(600),
        restore(format!("{}, for 10m00s", shared(4, "2 of 4")))
    );
}

#[test]
fn a_loss_is_over_once_enough_are_healthy_for_as_long() {
    let view = |healthy| filled([2, 2], healthy);
    let now = view(8).observed_at;
    let ago = |secs| earlier(now, secs);
    let health = "8 healthy targets in green, at least 6 needed, again for";

    let first = look(8, &view(8), loss(ago(30), None));
    let summary = format!("{health} 0s of 2m00s");
    assert_eq!(first, (loss(ago(30), Some(now)), wait(summary)));

    let recovered = |secs| look(8, &view(8), loss(ago(900), Some(ago(secs))));
    let summary = format!("{health} 1m59s of 2m00s");
    assert_eq!(recovered(119), (None, wait(summary)));
    let over = SeenHealth::default();
    assert_eq!(recovered(120), (Some(over), HealthStep::Keep));

    // Tasks that come and go are one loss: it counts from its beginning.
    let again = |since| look(8, &view(5), loss(ago(since), Some(ago(20))));
    let summary = format!("{}; 1m40s of 2m00s", too_few(5));
    assert_eq!(again(100), (loss(ago(100), None), wait(summary)));
    assert_eq!(
        again(150),
        (None, restore(format!("{}, for 2m30s", too_few(5))))
    );
}

#[test]
fn without_traffic_nothing_is_recorded() {
    let mut view = filled([2, 2], 1);
    view.weights = pair().weights();
    let target = target(&view, None);
    let context = context(&target, &view);
    assert!(!has_traffic(&context));
    assert_eq!(health_to_record(&plan(), &context), None);
}

/// Green has this share of the traffic, this many tasks and as many healthy; blue has `old` tasks.
fn grown(percent: u32, old: u32, [desired, healthy]: [u32; 2]) -> PairView {
    let mut view = seen(percent, healthy);
    view.services.blue.desired = old;
    view.services.blue.target_groups[0].healthy = old;
    view.services.green.desired = desired;
    view
}

fn most(most: u32) -> Option<SeenHealth> {
    Some(SeenHealth { most, loss: None })
}

#[test]
fn a_colour_that_grew_to_forty_and_lost_thirty_six_loses_its_traffic() {
    let lost = grown(100, 4, [40, 4]);
    let few = "4 healthy targets in green with 100% of the traffic, 30 needed (75% of 40)";
    let first = look(4, &lost, most(40));
    assert_eq!(first.1, wait(format!("{few}; looking again")));
    let second = look(4, &lost, first.0);
    assert_eq!(second.1, restore(format!("{few}, for 0s")));

    // Tasks that only start were not lost.
    assert_eq!(look(4, &lost, None), (None, HealthStep::Keep));
    // What was healthy is remembered, as far as the colour keeps it.
    let all = grown(100, 4, [40, 40]);
    assert_eq!(look(4, &all, None), (most(40), HealthStep::Keep));
    assert_eq!(look(4, &all, most(40)), (None, HealthStep::Keep));
    let fewer = grown(100, 4, [40, 31]);
    assert_eq!(look(4, &fewer, most(40)), (None, HealthStep::Keep));
    let stopping = grown(100, 4, [30, 40]);
    assert_eq!(look(4, &stopping, None), (most(30), HealthStep::Keep));
    assert_eq!(
        look(4, &grown(100, 4, [5, 4]), most(40)),
        (None, HealthStep::Keep)
    );
}

#[test]
fn what_a_canary_scaled_out_to_by_itself_is_not_needed() {
    let measured = |filled, percent, old, new, seen| {
        let view = grown(percent, old, [new, new]);
        let target = PairTarget {
            health: most(seen),
            ..target(&view, Some(view.weights))
        };
        measured_tasks(&context(&target, &view), filled)
    };

    // 10 tasks have 95 % of the traffic, so 5 % need no more than were filled.
    assert_eq!(measured(10, 5, 10, 240, 240), 10);
    // The old colour grew with the load: 20 at 75 % are 27, of which a quarter needs 7.
    assert_eq!(measured(2, 25, 20, 9, 9), 7);
    assert_eq!(measured(2, 25, 20, 9, 5), 5);
    assert_eq!(measured(2, 50, 20, 30, 30), 20);
    // With most of the traffic the new colour shows the load.
    assert_eq!(measured(2, 60, 2, 9, 9), 9);
    assert_eq!(measured(2, 60, 2, 6, 9), 6);
    assert_eq!(measured(8, 100, 2, 6, 9), 8);
}

#[test]
fn the_colour_of_an_unseen_shift_has_traffic() {
    let view = seen(0, 0);
    let target = shifted_target(&view, Some((20, 5, true)));
    let context = context(&target, &view);
    assert!(has_traffic(&context));
    assert_eq!(context.weights().percent(Colour::Green), 20);
}
