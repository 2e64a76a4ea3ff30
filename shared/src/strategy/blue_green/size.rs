//! How many tasks a colour needs for all of the traffic, by the load that there is now.

use super::context::PairContext;
use crate::observed::colour::Colour;
use crate::observed::pair::PairView;

/// Tasks that the recorded live colour needs to take all of the traffic.
///
/// It had enough for all of it when the release began, and the new colour was filled to the same
/// size. A colour that has grown since has grown for its own share, so the whole needs `desired ÷
/// share` of it: 6 tasks at 60 % are 10 at 100 %. What the new colour was given because the load had
/// grown is what all of the traffic needed then.
#[must_use]
pub fn required_tasks(context: &PairContext<'_>) -> u32 {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let filled = context.filled_tasks();
    let recorded = pair.of(pair.live).desired_count;
    let has_grown = target.change.as_ref().is_some_and(|change| change.grown);
    let given = if has_grown { filled } else { 0 };
    let at_least = target.raised_to.unwrap_or(0).max(recorded).max(given);

    // Growth caused by a restoration does not count: the old colour was raised for all of the
    // traffic, not for its share.
    let by_old = grown(view, pair.live, at_least.max(filled));
    let by_new = grown(view, pair.idle(), filled);

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
    let known = target.raised_to.unwrap_or(0).max(filled);

    grown(view, carries_most, known).map_or(known, |needed| needed.max(known))
}

/// Tasks for all of the traffic, by a colour that has grown above the count `before`.
fn grown(view: &PairView, colour: Colour, before: u32) -> Option<u32> {
    let (desired, share) = (view.of(colour).desired, view.weights.percent(colour));
    (desired > before && share > 0).then(|| (desired * 100).div_ceil(share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::weights::Weights;
    use crate::release::PairTarget;
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
        // The larger need counts, and shares are rounded up: 7 of 30 % are 24.
        assert_eq!(required(2, Some(2), None, 30, 2, 7), 24);
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
    fn what_the_new_colour_was_given_for_a_grown_load_is_required_after_the_old_one_was_retired() {
        let required = |filled, grown| {
            let mut view = view(Weights::with(Colour::Green, 100));
            view.services.blue.desired = 0;
            view.services.green.desired = filled;
            let mut target = target(&view, None);
            let change = target.change.as_mut().expect("changed");
            change.desired_count = Some(filled);
            change.grown = grown;
            required_tasks(&context(&target, &view))
        };

        assert_eq!(required(10, true), 10);
        // A size that the release was asked for says nothing about the load.
        assert_eq!(required(10, false), 2);
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
