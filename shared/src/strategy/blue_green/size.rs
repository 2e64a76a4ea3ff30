//! How many tasks a colour needs for all of the traffic, by the load that there is now.

use super::context::PairContext;
use crate::observed::colour::Colour;
use crate::observed::pair::PairView;
use crate::release::PairTarget;

/// Tasks that the recorded live colour needs to take all of the traffic.
///
/// It had enough for all of it when the release began, and the new colour was filled to the same
/// size. A colour that has grown since has grown for its own share, so the whole needs `desired ÷
/// share` of it: 6 tasks at 60 % are 10 at 100 %, but no more than both colours have if its share
/// is the smaller one. What the release gave the new colour later was enough for all of it, and
/// does not count as growth of a share.
#[must_use]
pub fn required_tasks(context: &PairContext<'_>) -> u32 {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let filled = context.filled_tasks();
    let recorded = pair.of(pair.live).desired_count;
    let given = given(target);
    let at_least = target.raised_to.unwrap_or(0).max(recorded).max(given);

    // Growth caused by a restoration does not count: the old colour was raised for all of the
    // traffic, not for its share.
    let by_old = grown(view, pair.live, at_least.max(filled));
    let by_new = grown(view, pair.idle(), filled.max(given));

    [by_old, by_new]
        .into_iter()
        .flatten()
        .fold(at_least, u32::max)
}

/// Tasks that the new colour, which was `filled` before, needs before it takes more of the traffic:
/// enough for all of it, by the colour that carries most.
#[must_use]
pub fn needed_by_new(context: &PairContext<'_>, filled: u32) -> u32 {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let carries_most = if view.weights.percent(pair.idle()) > 50 {
        pair.idle()
    } else {
        pair.live
    };
    let known = target.raised_to.unwrap_or(0).max(filled).max(given(target));

    grown(view, carries_most, known).map_or(known, |needed| needed.max(known))
}

/// Tasks that the release gave the new colour after the fill; 0 when the load had not grown.
fn given(target: &PairTarget) -> u32 {
    let change = target.change.as_ref();
    change.and_then(|change| change.given).unwrap_or(0)
}

/// Tasks for all of the traffic, by a colour that has grown above the count `before`.
///
/// A small share multiplies each task, also one that was started for another reason than load: 11
/// tasks at 5 % would be 220. Both colours carry all of the traffic with what they have, and the
/// one with the larger share counts for itself, so that the smaller one never needs more than both.
fn grown(view: &PairView, colour: Colour, before: u32) -> Option<u32> {
    let (desired, share) = (view.of(colour).desired, view.weights.percent(colour));
    let has_grown = desired > before && share > 0;
    if !has_grown {
        return None;
    }

    let by_share = (desired * 100).div_ceil(share);
    let of_both = desired + view.of(colour.other()).desired;
    Some(if share < 50 {
        by_share.min(of_both)
    } else {
        by_share
    })
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
            required_tasks(&context(&target, &view))
        };
        let sized = |green_percent, blue, green| after(None, green_percent, blue, green);

        assert_eq!(sized(50, 2, 2), 2);
        assert_eq!(sized(60, 2, 6), 10);
        assert_eq!(sized(100, 2, 9), 9);
        assert_eq!(sized(20, 8, 2), 10);
        assert_eq!(sized(0, 5, 9), 5);
        assert_eq!(after(Some(8), 50, 8, 4), 8);
        assert_eq!(after(Some(8), 50, 8, 6), 12);
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
            required_tasks(&context(&target, &view))
        };

        // Fewer than recorded is never sufficient, whatever both colours have now.
        assert_eq!(required(4, Some(4), None, 50, 1, 1), 4);
        assert_eq!(required(4, None, None, 0, 4, 0), 4);
        // What a restoration set stays required, even when more was recorded before or fewer run
        // now.
        assert_eq!(required(4, Some(4), Some(9), 50, 4, 4), 9);
        assert_eq!(required(4, Some(4), Some(3), 50, 4, 4), 4);
        // The larger need counts, and shares are rounded up: 7 of 60 % are 12.
        assert_eq!(required(2, Some(2), None, 60, 2, 7), 12);
        // The colour with the smaller share needs what both have at most: 11 of 5 % are not 220.
        assert_eq!(required(10, Some(10), None, 5, 10, 11), 21);
        assert_eq!(required(10, Some(10), None, 1, 10, 11), 21);
        assert_eq!(required(2, Some(2), None, 30, 9, 3), 13);
        assert_eq!(required(2, Some(2), None, 30, 2, 7), 9);
        assert_eq!(required(10, Some(10), None, 95, 11, 10), 21);
        assert_eq!(required(2, Some(2), None, 50, 9, 6), 18);
        assert_eq!(required(2, Some(2), None, 50, 6, 9), 18);
        // Growth is what is above the filled size for the new colour, and above all that was set
        // for the old one.
        assert_eq!(required(2, Some(5), None, 50, 5, 5), 2);
        assert_eq!(required(2, Some(5), None, 50, 6, 5), 12);
        assert_eq!(required(2, Some(5), None, 50, 5, 6), 12);
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
            [required_tasks(&context), needed_by_new(&context, 2)]
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
    fn the_new_colour_needs_what_the_one_that_carries_most_has_grown_to() {
        let needed = |filled, raised_to, new_percent, [old, new]: [u32; 2]| {
            let mut view = view(Weights::with(Colour::Green, new_percent));
            view.services.blue.desired = old;
            view.services.green.desired = new;
            let target = PairTarget {
                raised_to,
                ..target(&view, None)
            };
            needed_by_new(&context(&target, &view), filled)
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
