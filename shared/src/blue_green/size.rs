//! How many tasks a colour needs before all of the traffic goes back to it.

use super::restore::filled;
use super::{Colour, PairView, PriorPair};
use crate::ledger::OpenRelease;

/// Tasks that the recorded live colour needs to take all of the traffic.
///
/// It had enough for all of it when the release began, and the new colour was filled to the same size. A colour that has
/// grown since has grown for its own share, so the whole needs `desired ÷ share` of it: 6 tasks at 60 % are 10 at 100 %. What a
/// restoration made it grow to is no such growth.
#[must_use]
pub fn enough(release: &OpenRelease, pair: &PriorPair, view: &PairView) -> u32 {
    let (recorded, filled) = (pair.of(pair.live).desired_count, filled(release, pair));
    let at_least = release.sized.unwrap_or(0).max(recorded);
    let grown = |colour: Colour, before: u32| {
        let (desired, share) = (view.of(colour).desired, view.weights.percent(colour));
        (desired > before && share > 0).then(|| (desired * 100).div_ceil(share))
    };
    let by_old = grown(pair.live, at_least.max(filled));
    let by_new = grown(pair.idle(), filled);
    [by_old, by_new].into_iter().flatten().fold(at_least, u32::max)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{pair, release, view};
    use super::*;
    use crate::blue_green::Weights;

    #[test]
    fn what_was_enough_is_enough_until_a_colour_has_grown() {
        let after = |sized, green_percent, blue, green| {
            let mut view = view(Weights::with(Colour::Green, green_percent));
            (view.blue.desired, view.green.desired) = (blue, green);
            let release = OpenRelease { sized, ..release(&view, None) };
            enough(&release, &pair(), &view)
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
}
