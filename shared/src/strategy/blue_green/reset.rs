//! Weights that a stack update set back to those of its template: traffic goes to a colour that has
//! nothing to serve it, and the colour that the last release left live could.
//!
//! Never takes traffic from a colour with a healthy target: an operator may have moved it there.

use crate::observed::colour::PerColour;
use crate::observed::weights::Weights;
use crate::release::LastKnownRouting;

/// Whether the weights must be set back to what the last release left. `healthy` is the number of
/// healthy targets of each colour in the production rule's groups.
#[must_use]
pub fn is_reset(known: &LastKnownRouting, seen: Weights, healthy: PerColour<u32>) -> bool {
    let other = known.live.other();
    let loses_traffic = *seen.of(other) > 0 && *healthy.of(other) == 0;
    loses_traffic && *healthy.of(known.live) > 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observed::colour::Colour;

    fn reset(live: Colour, seen: [u32; 2], healthy: [u32; 2]) -> bool {
        let known = LastKnownRouting {
            live,
            weights: Weights::with(live, 100),
            scaling_to_restore: PerColour::default(),
            stickiness: None,
            rule: None,
        };
        let pair = |of: [u32; 2]| PerColour {
            blue: of[0],
            green: of[1],
        };
        is_reset(&known, pair(seen), pair(healthy))
    }

    #[test]
    fn traffic_of_an_empty_colour_belongs_to_the_one_that_was_left_live() {
        for (live, seen, healthy) in [
            (Colour::Green, [100, 0], [0, 2]),
            (Colour::Green, [50, 50], [0, 1]),
            (Colour::Green, [1, 999], [0, 1]),
            (Colour::Blue, [0, 7], [2, 0]),
        ] {
            assert!(reset(live, seen, healthy), "{live} {seen:?} {healthy:?}");
        }
    }

    #[test]
    fn traffic_that_is_served_or_cannot_be_is_left_alone() {
        for (live, seen, healthy) in [
            // The live colour has it.
            (Colour::Green, [0, 100], [0, 2]),
            (Colour::Green, [0, 100], [0, 0]),
            // The other colour serves it.
            (Colour::Green, [100, 0], [1, 2]),
            // Neither can.
            (Colour::Green, [100, 0], [0, 0]),
            // There is none.
            (Colour::Green, [0, 0], [0, 2]),
            (Colour::Blue, [0, 7], [2, 1]),
        ] {
            assert!(!reset(live, seen, healthy), "{live} {seen:?} {healthy:?}");
        }
    }
}
