//! How many tasks a colour needs for all of the traffic, by the load that there is now, and how
//! much of it the old colour can carry with the tasks that it has.

use super::context::PairContext;
use crate::limits::SMALL_SHARE_PERCENT;
use crate::observed::colour::Colour;
use crate::release::PairTarget;

/// How many tasks a colour gets to take all of the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequiredTasks {
    pub tasks: u32,
    /// Tasks that the load needs, where `MaxCapacity` allows fewer; none once the old colour was
    /// raised to that.
    pub capped_from: Option<u32>,
}

/// That a colour may not have the tasks that the load needs, in words.
#[must_use]
pub fn limit(colour: Colour, capped_from: Option<u32>) -> Option<String> {
    capped_from.map(|needed| {
        format!("MaxCapacity of {colour} is below the {needed} tasks that all of the traffic needs")
    })
}

/// Tasks that the recorded live colour needs to take all of the traffic.
///
/// It had enough for all of it when the release began, and the new colour was filled to the same
/// size. The colour that carries most of the traffic shows what the load needs now: what it has
/// grown to is for its own share, so the whole needs `desired ÷ share` of it: 6 tasks at 60 % are
/// 10 at 100 %. What the release gave the new colour later was enough for all of it, and so was
/// what the old one was raised to: only what comes on top of it counts as growth of a share.
///
/// It gets no more than `max_capacity`, unless it was recorded with more or has more.
#[must_use]
pub fn required_tasks(context: &PairContext<'_>, max_capacity: Option<u32>) -> RequiredTasks {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let old = pair.live;
    let filled = context.filled_tasks();
    let recorded = pair.of(old).desired_count;
    let desired = view.of(old).desired;
    let given = given(target);
    let at_least = target.raised_to.unwrap_or(0).max(recorded).max(given);

    // While the traffic returns, what the new colour has is for the larger share that it had, and
    // the old one was raised for all of the traffic.
    let carrier = carries_most(context);
    let for_all = if carrier == old || is_returning(target) {
        at_least.max(filled)
    } else {
        filled.max(given)
    };
    let by_load = grown(context, carrier, for_all);
    let needed = by_load.unwrap_or(0).max(at_least);

    let allowed = max_capacity.map_or(needed, |most| most.max(recorded).max(desired));
    // By a count that was raised to the bound, the need is not known any more.
    let is_capped = needed > allowed && target.raised_to != Some(allowed);
    RequiredTasks {
        tasks: needed.min(allowed),
        capped_from: is_capped.then_some(needed),
    }
}

/// The share of the traffic, in percent, that the recorded live colour can carry now: its healthy
/// tasks over those that all of it requires, rounded down. Healthy tasks beyond its count do not
/// count, because they will stop.
///
/// All of it if it lacks a small share only and has a healthy task: what it carries anyway hardly
/// differs.
#[must_use]
pub fn share_carried(context: &PairContext<'_>, required: u32) -> u32 {
    let (pair, view) = (context.pair(), context.view);
    let old = pair.live;
    let tasks = pair.healthy(view, old).min(view.of(old).desired);
    let has_nearly_all = context.weights().percent(old) >= 100 - SMALL_SHARE_PERCENT;
    if has_nearly_all && tasks > 0 {
        return 100;
    }

    let carried = (tasks * 100).checked_div(required);
    carried.unwrap_or(100).min(100)
}

/// Tasks that the new colour, which was `filled` before, needs before it takes more of the traffic:
/// enough for all of it, by the colour that carries most. It gets no more than `max_capacity`,
/// unless it was filled with more or has more.
#[must_use]
pub fn needed_by_new(
    context: &PairContext<'_>,
    filled: u32,
    max_capacity: Option<u32>,
) -> RequiredTasks {
    let PairContext { target, view } = context;
    let known = target.raised_to.unwrap_or(0).max(filled).max(given(target));
    let by_load = grown(context, carries_most(context), known);
    let load = by_load.map_or(known, |needed| needed.max(known));

    let has = view.of(target.prior.idle()).desired;
    let bound = max_capacity.map_or(load, |most| most.max(filled).max(has));
    RequiredTasks {
        tasks: load.min(bound),
        capped_from: (load > bound).then_some(load),
    }
}

/// Tasks by which the health of the new colour, which was `filled` before, is measured: those it
/// was filled with, and beyond them those that were healthy at one look, as far as its share of the
/// load needs them. Tasks that are still starting were not lost. With less than most of the
/// traffic, the new colour may have grown for a reason of its own, so the old one shows the load.
#[must_use]
pub(super) fn measured_tasks(context: &PairContext<'_>, filled: u32) -> u32 {
    let PairContext { target, view } = context;
    let new = target.prior.idle();
    let most = target.health.map_or(0, |health| health.most);
    let kept = most.min(view.of(new).desired);
    if carries_most(context) == new {
        return filled.max(kept);
    }

    let all = needed_by_new(context, filled, None).tasks;
    let share = context.weights().percent(new);
    filled.max(kept.min((all * share).div_ceil(100)))
}

/// The colour that carries most of the traffic; the old one when both carry half.
fn carries_most(context: &PairContext<'_>) -> Colour {
    let pair = context.pair();
    if context.weights().percent(pair.idle()) > 50 {
        pair.idle()
    } else {
        pair.live
    }
}

/// Whether the old colour was raised for all of the traffic, and the last move took some from the
/// new one.
fn is_returning(target: &PairTarget) -> bool {
    let new = target.prior.idle();
    let shift = target.shift.as_ref();
    let took = shift.is_some_and(|shift| shift.to.percent(new) < shift.from.percent(new));
    took && target.raised_to.is_some()
}

/// Tasks that the release gave the new colour after the fill; 0 when the load had not grown.
fn given(target: &PairTarget) -> u32 {
    let change = target.change.as_ref();
    change.and_then(|change| change.given).unwrap_or(0)
}

/// Tasks for all of the traffic, by a colour that has grown above the count `before`.
fn grown(context: &PairContext<'_>, colour: Colour, before: u32) -> Option<u32> {
    let desired = context.view.of(colour).desired;
    let share = context.weights().percent(colour);
    let has_grown = desired > before && share > 0;
    has_grown.then(|| (desired * 100).div_ceil(share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::weights::Weights;
    use crate::strategy::blue_green::fixtures::{context, pair, target, view};

    #[test]
    fn what_was_required_stays_required_until_a_colour_has_grown() {
        let after = |sized, green_percent, blue, green| {
            let mut view = view(Weights::with(Colour::Green, green_percent));
            view.services.blue.desired = blue;
            view.services.green.desired = green;
            let target = PairTarget {
                raised_to: sized,
                ..target(&view, None)
            };
            required_tasks(&context(&target, &view), None).tasks
        };
        let sized = |green_percent, blue, green| after(None, green_percent, blue, green);

        assert_eq!(sized(50, 2, 2), 2);
        assert_eq!(sized(60, 2, 6), 10);
        assert_eq!(sized(100, 2, 9), 9);
        assert_eq!(sized(20, 8, 2), 10);
        assert_eq!(sized(0, 5, 9), 5);
        assert_eq!(after(Some(8), 50, 8, 4), 8);
        // While both carry half, the old colour shows what the load needs.
        assert_eq!(after(Some(8), 50, 8, 6), 8);
        assert_eq!(after(Some(8), 50, 9, 6), 18);
    }

    #[test]
    fn the_recorded_size_is_the_least_and_growth_counts_by_its_share() {
        let required = |recorded, filled: Option<u32>, sized, green_percent, blue, green| {
            let mut before = pair();
            before.colours.blue.desired_count = recorded;
            let mut view = view(Weights::with(Colour::Green, green_percent));
            view.services.blue.desired = blue;
            view.services.green.desired = green;
            let mut target = PairTarget {
                prior: before,
                raised_to: sized,
                ..target(&view, None)
            };
            target.change.as_mut().expect("changed").desired_count = filled;
            required_tasks(&context(&target, &view), None).tasks
        };

        // Fewer than recorded is never sufficient, whatever both colours have now.
        assert_eq!(required(4, Some(4), None, 50, 1, 1), 4);
        assert_eq!(required(4, None, None, 0, 4, 0), 4);
        // What a restoration set stays required, even when more was recorded before or fewer run
        // now.
        assert_eq!(required(4, Some(4), Some(9), 50, 4, 4), 9);
        assert_eq!(required(4, Some(4), Some(3), 50, 4, 4), 4);
        // The colour that carries most counts, and shares are rounded up: 7 of 60 % are 12.
        assert_eq!(required(2, Some(2), None, 60, 2, 7), 12);
        assert_eq!(required(2, Some(2), None, 30, 9, 3), 13);
        // The other one may have grown for a reason of its own: 11 of 5 % are not 220.
        assert_eq!(required(10, Some(10), None, 5, 10, 11), 10);
        assert_eq!(required(2, Some(2), None, 30, 2, 7), 2);
        assert_eq!(required(10, Some(10), None, 95, 11, 10), 10);
        assert_eq!(required(2, Some(2), None, 50, 9, 6), 18);
        assert_eq!(required(2, Some(2), None, 50, 6, 9), 12);
        // Growth is what is above the filled size for the new colour, and above all that was set
        // for the old one.
        assert_eq!(required(2, Some(5), None, 50, 5, 5), 2);
        assert_eq!(required(2, Some(5), None, 50, 6, 5), 12);
        assert_eq!(required(2, Some(5), None, 60, 5, 5), 2);
        assert_eq!(required(2, Some(5), None, 60, 5, 6), 10);
        assert_eq!(required(2, Some(2), Some(8), 50, 9, 2), 18);
        // A colour without traffic grew for another reason.
        assert_eq!(required(2, Some(2), None, 100, 9, 2), 2);
    }

    #[test]
    fn what_the_new_colour_was_given_is_for_all_of_the_traffic() {
        let after = |given: u32, new_percent, [old, new]: [u32; 2]| {
            let mut view = view(Weights::with(Colour::Green, new_percent));
            view.services.blue.desired = old;
            view.services.green.desired = new;
            let mut target = target(&view, None);
            target.change.as_mut().expect("changed").given = Some(given);
            let context = context(&target, &view);
            let required = required_tasks(&context, None).tasks;
            [required, needed_by_new(&context, 2, None).tasks]
        };

        // It was given 13 for 5 % and more: all of the traffic needs 13 and not 260.
        assert_eq!(after(13, 5, [12, 13]), [13, 13]);
        // What it was given is not a reason to give it more, however much of the traffic it has.
        assert_eq!(after(15, 80, [10, 15]), [15, 15]);
        // What it has beyond that is growth: 16 at 80 % are 20.
        assert_eq!(after(15, 80, [10, 16]), [20, 20]);
        // The old colour needs it too, even after it was retired.
        assert_eq!(after(10, 100, [0, 10]), [10, 10]);
    }

    #[test]
    fn what_has_gone_back_does_not_make_the_rest_count_for_more() {
        // 10 tasks had all of the traffic; the old colour has 40 % of it.
        let required = |from, raised_to, new| {
            let mut view = view(Weights::with(Colour::Green, 60));
            view.services.blue.desired = 10;
            view.services.green.desired = new;
            let mut target = PairTarget {
                raised_to,
                ..target(&view, Some(view.weights))
            };
            target.shift.as_mut().expect("shifted").from = Weights::with(Colour::Green, from);
            target.prior.colours.blue.desired_count = 10;
            let bounded = required_tasks(&context(&target, &view), Some(20));
            (bounded.tasks, bounded.capped_from)
        };

        assert_eq!(required(100, Some(10), 10), (10, None));
        assert_eq!(required(50, Some(10), 10), (17, None));
        // The load grows while the new colour has most of it: 11 at 60 % are 19.
        assert_eq!(required(100, Some(10), 11), (19, None));
        assert_eq!(required(100, Some(10), 13), (20, Some(22)));
        // Raised to its bound, it cannot have more, whatever the new colour had before.
        assert_eq!(required(100, Some(20), 21), (20, None));
        // A part that went back without a raise does not make what the old colour has enough.
        assert_eq!(required(100, None, 10), (17, None));
    }

    #[test]
    fn max_capacity_bounds_what_the_old_colour_gets_beyond_what_it_had() {
        let required = |max_capacity, recorded, desired| {
            let mut view = view(Weights::with(Colour::Green, 100));
            view.services.blue.desired = desired;
            view.services.green.desired = 13;
            let mut target = target(&view, None);
            target.prior.colours.blue.desired_count = recorded;
            let required = required_tasks(&context(&target, &view), max_capacity);
            (required.tasks, required.capped_from)
        };

        assert_eq!(required(None, 2, 2), (13, None));
        assert_eq!(required(Some(13), 2, 2), (13, None));
        assert_eq!(required(Some(12), 2, 2), (12, Some(13)));
        assert_eq!(required(Some(4), 9, 2), (9, Some(13)));
        assert_eq!(required(Some(4), 2, 11), (11, Some(13)));
        assert_eq!(required(Some(4), 15, 2), (15, None));
    }

    #[test]
    fn the_new_colour_needs_what_the_one_that_carries_most_has_grown_to() {
        let needed = |filled, raised_to, new_percent, [old, new]: [u32; 2]| {
            let mut view = view(Weights::with(Colour::Green, new_percent));
            view.services.blue.desired = old;
            view.services.green.desired = new;
            let target = PairTarget {
                raised_to,
                ..target(&view, None)
            };
            needed_by_new(&context(&target, &view), filled, None).tasks
        };

        // Filled with 2 at night: 10 have the traffic in the morning.
        assert_eq!(needed(2, None, 0, [2, 2]), 2);
        assert_eq!(needed(2, None, 0, [10, 2]), 10);
        // Fewer than were filled are not a reason to shrink.
        assert_eq!(needed(5, None, 0, [2, 5]), 5);
        // The old colour grew with its share of the traffic, up to half of it.
        assert_eq!(needed(10, None, 20, [10, 10]), 10);
        assert_eq!(needed(10, None, 20, [12, 10]), 15);
        assert_eq!(needed(10, None, 50, [12, 14]), 24);
        assert_eq!(needed(10, None, 80, [12, 10]), 10);
        // From there on the new one does.
        assert_eq!(needed(10, None, 80, [10, 12]), 15);
        // What the old one was raised to, to take all of the traffic, is for all of it.
        assert_eq!(needed(2, Some(8), 50, [8, 2]), 8);
        assert_eq!(needed(2, Some(8), 50, [9, 2]), 18);
    }
}
