//! What every decision about a pair is made from.

use crate::observed::pair::PairView;
use crate::observed::weights::Weights;
use crate::release::{PairTarget, PriorPair, TrafficShift};

/// What a release recorded and announced of its pair, and the pair as it was observed now.
#[derive(Clone, Copy, Debug)]
pub struct PairContext<'a> {
    pub target: &'a PairTarget,
    pub view: &'a PairView,
}

impl<'a> PairContext<'a> {
    /// The pair as it was recorded before the release changed it.
    #[must_use]
    pub fn pair(&self) -> &'a PriorPair {
        &self.target.prior
    }

    /// The last traffic move, if the weights may have been read from before it.
    #[must_use]
    pub(crate) fn unseen_shift(&self) -> Option<&'a TrafficShift> {
        let shift = self.target.shift.as_ref()?;
        shift
            .may_be_unseen(self.view.weights, self.view.observed_at)
            .then_some(shift)
    }

    /// The weights by which the traffic is shared: those that were set last, if the ones that were
    /// read may be from before.
    #[must_use]
    pub(crate) fn weights(&self) -> Weights {
        self.unseen_shift()
            .map_or(self.view.weights, |shift| shift.to)
    }

    /// Tasks that the new colour was filled with; the size of the live one when it never was.
    #[must_use]
    pub fn filled_tasks(&self) -> u32 {
        filled_tasks(self.target)
    }
}

/// Tasks that the new colour was filled with; the size of the live one when it never was.
#[must_use]
pub fn filled_tasks(target: &PairTarget) -> u32 {
    let pair = &target.prior;
    target
        .change
        .as_ref()
        .and_then(|change| change.desired_count)
        .unwrap_or(pair.of(pair.live).desired_count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::colour::Colour;
    use crate::strategy::blue_green::fixtures::{halves, target};

    #[test]
    fn the_new_colour_counts_as_filled_to_what_was_announced_or_else_to_the_live_size() {
        let view = halves([2, 2], [2, 2]);
        let mut open = target(&view, None);
        open.change.as_mut().expect("changed").desired_count = Some(7);

        assert_eq!(filled_tasks(&open), 7);

        open.change.as_mut().expect("changed").desired_count = None;
        assert_eq!(filled_tasks(&open), 2);

        open.change = None;
        open.prior.live = Colour::Green;
        assert_eq!(filled_tasks(&open), 0);
    }
}
