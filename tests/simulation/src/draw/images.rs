//! What is pushed, and when.

use std::time::Duration;

use fastrand::Rng;

use crate::canary::Flaw;
use crate::plan::{Image, Push};
use crate::shape::{Oddity, Shape};
use emulator::ecr::Behaviour;

use super::secs;

pub(super) fn pushes(rng: &mut Rng) -> Vec<Push> {
    let count = [1, 2, 3, 3, 4, 4, 5, 6][rng.usize(..8)];
    let one = |rng: &mut Rng, number| {
        let after = if rng.u8(..3) > 0 {
            secs(rng, 1, 30)
        } else {
            secs(rng, 40, 300)
        };
        let image = match rng.u8(..16) {
            0..=8 => Image::New(Behaviour::Healthy),
            9..=10 => Image::New(Behaviour::NeverHealthy),
            11 => match rng.u32(0..40) {
                0..20 => Image::New(Behaviour::Exits),
                secs => Image::New(Behaviour::ExitsAfter(secs)),
            },
            12 => Image::New(Behaviour::FailsAfter(rng.u32(20..150))),
            13 => Image::New(Behaviour::FailsUnderTraffic),
            _ if number > 0 => Image::Again(rng.usize(..number)),
            _ => Image::New(Behaviour::Healthy),
        };
        (after, image)
    };
    pushed(rng, count, one)
}

/// The same where new versions are judged: fewer, and rather images that answer worse than such
/// that do not run.
pub(super) fn canaries(rng: &mut Rng) -> Vec<Push> {
    let count = [1, 1, 1, 2, 2, 3][rng.usize(..6)];
    let one = |rng: &mut Rng, number| {
        let after = if rng.u8(..3) > 0 {
            secs(rng, 1, 30)
        } else {
            secs(rng, 40, 1200)
        };
        let image = match rng.u8(..16) {
            0..=7 => Image::New(Behaviour::Healthy),
            8 => Image::Flawed(Flaw::Fails(rng.u32(5..=1000))),
            9 => Image::Flawed(Flaw::FailsLater(rng.u32(5..=200))),
            10 => Image::Flawed(Flaw::Slower(rng.u32(25..=200))),
            11 => Image::Flawed(Flaw::Bursty(rng.u32(2..=5))),
            12 => Image::New(Behaviour::NeverHealthy),
            13 => Image::New(Behaviour::FailsAfter(rng.u32(20..600))),
            14 => Image::New(Behaviour::FailsUnderTraffic),
            _ if number > 0 => Image::Again(rng.usize(..number)),
            _ => Image::New(Behaviour::Healthy),
        };
        (after, image)
    };
    pushed(rng, count, one)
}

/// Behind a Classic Load Balancer three of four first images exit: whether the circuit breaker
/// trips there is drawn, and few other tasks fail before they count as started. It is drawn by
/// itself, so that other runs stay as they are.
pub(super) fn exit_behind_classic(seed: u64, shape: &Shape, pushes: &mut [Push]) {
    let mut rng = Rng::with_seed(seed ^ 0x0b7e_4a61_93d5_28cf);
    let is_drawn = shape.oddity == Some(Oddity::Classic) && rng.u8(..4) > 0;
    if let Some(first) = pushes.first_mut().filter(|_| is_drawn) {
        first.image = Image::New(Behaviour::Exits);
    }
}

fn pushed(
    rng: &mut Rng,
    count: usize,
    one: impl Fn(&mut Rng, usize) -> (Duration, Image),
) -> Vec<Push> {
    (0..count)
        .map(|number| {
            let (after, image) = one(rng, number);
            Push {
                after: if number == 0 {
                    Duration::from_secs(1)
                } else {
                    after
                },
                image,
                replicated: false,
            }
        })
        .scan(Vec::new(), |known: &mut Vec<Image>, push| {
            // An image that is the same as one that is the same is the first of them.
            let image = match push.image {
                Image::Again(of) => match known[of] {
                    Image::Again(first) => Image::Again(first),
                    Image::New(_) | Image::Flawed(_) => push.image,
                },
                Image::New(_) | Image::Flawed(_) => push.image,
            };
            known.push(image);
            Some(Push { image, ..push })
        })
        .collect()
}
