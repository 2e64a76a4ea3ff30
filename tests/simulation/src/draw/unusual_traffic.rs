//! Draws unusual traffic, and images that respond in ways that no others do.

use std::time::Duration;

use fastrand::Rng;

use super::About;
use crate::canary::Flaw;
use crate::plan::{Image, Push};
use crate::shape::Shape;
use crate::traffic::DrawnTraffic;

/// When the first image of a judged pair is pushed: with the minutes of its account, requests have
/// come for longer than half an hour then, which a judge needs to trust its counters.
const SETTLED: Duration = Duration::from_secs(25 * 60);

/// What is unusual about the traffic of a run. Half of the first images of judged pairs respond
/// then in ways that no others do. It is drawn by itself, so that all else of a run stays as it is.
pub(super) fn of_traffic(
    seed: u64,
    about: About,
    shape: &Shape,
    pushes: &mut [Push],
) -> Vec<DrawnTraffic> {
    let mut rng = Rng::with_seed(seed ^ 0x58e2_b7d1_04c9_6fa3);
    let is_unusual = match about {
        About::Traffic => true,
        About::Canaries => rng.bool(),
        About::Releases => rng.u8(..3) == 0,
        About::CustomActions | About::Promotions => false,
    };
    let is_behind_rule = shape.pair.is_some() && shape.records().is_none();
    if !is_unusual || !is_behind_rule {
        return Vec::new();
    }

    let is_judged = shape.canary().is_some();
    if let Some(first) = pushes.first_mut().filter(|_| is_judged) {
        first.after = SETTLED;
        if rng.bool() {
            first.image = Image::Flawed(flaw(&mut rng));
        }
    }
    DrawnTraffic::draw(&mut rng, shape)
}

fn flaw(rng: &mut Rng) -> Flaw {
    match rng.u8(..6) {
        0 => Flaw::Rejects(rng.u32(50..=1000)),
        1 => Flaw::Resets(rng.u32(20..=1000)),
        2 => Flaw::Unanswered(rng.u32(20..=1000)),
        // It is good: the others are seen in fewer releases.
        _ => Flaw::Cold(rng.u32(20..=50), rng.u32(1..=3)),
    }
}
