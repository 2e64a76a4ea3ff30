//! How many tasks a colour needs before all of the traffic goes back to it.

use super::context::PairContext;
use crate::observed::colour::Colour;

/// Tasks that the recorded live colour needs to take all of the traffic.
///
/// It had enough for all of it when the release began, and the new colour was filled to the same
/// size. A colour that has grown since has grown for its own share, so the whole needs `desired ÷
/// share` of it: 6 tasks at 60 % are 10 at 100 %.
#[must_use]
pub fn required_tasks(context: &PairContext<'_>) -> u32 {
    let PairContext { target, view } = context;
    let pair = &target.prior;
    let filled = context.filled_tasks();
    let recorded = pair.of(pair.live).desired_count;
    let at_least = target.raised_to.unwrap_or(0).max(recorded);

    let grown = |colour: Colour, before: u32| {
        let (desired, share) = (view.of(colour).desired, view.weights.percent(colour));
        (desired > before && share > 0).then(|| (desired * 100).div_ceil(share))
    };
    // Growth caused by a restoration does not count: the old colour was raised for all of the
    // traffic, not for its share.
    let by_old = grown(pair.live, at_least.max(filled));
    let by_new = grown(pair.idle(), filled);

    [by_old, by_new]
        .into_iter()
        .flatten()
        .fold(at_least, u32::max)
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
}
