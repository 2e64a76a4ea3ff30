//! Draws a plan from its seed. Everything is drawn here and nowhere else, so that a plan is all
//! there is to a run.

mod images;
mod incidents;

use std::time::Duration;

use fastrand::Rng;

use super::artifact::Artifact;
use super::plan::{Act, Anchor, Answer, Image, Incident, Plan, Push, When};
use super::shape::{CANARIES_FROM, PAIRS_FROM, SHAPES, Shape};
use harness::functions::ALL;

use images::{canaries, pushes};
use incidents::{act, change, cut_off, fault, race};

/// The functions in which most can go wrong: they are drawn more often than the others, the first
/// most often.
const MOST_DRAWN: [&str; 5] = [
    "update-service",
    "swap-target-groups",
    "roll-back",
    "begin-release",
    "finish-release",
];

/// The function that only some shapes need, once a look.
pub(super) const JUDGE: &str = "evaluate-canary";

/// Services whose throttling is tried. The last two are called where a canary is judged.
const SERVICES: [&str; 7] = [
    "ecs",
    "dynamodb",
    "elasticloadbalancing",
    "codepipeline",
    "application-autoscaling",
    "monitoring",
    "s3",
];

/// What a simulation is about. Runs with canaries take several times as long as others: they are a
/// simulation of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum About {
    /// In-place and blue/green releases.
    #[default]
    Releases,
    /// Releases of pairs whose new colour is judged beside the old one.
    Canaries,
}

/// Draws the plan of a seed.
#[must_use]
pub fn plan(seed: u64, about: About) -> Plan {
    let mut rng = Rng::with_seed(seed ^ 0x5117_3a7d_0c0f_fee5);
    let number = match about {
        About::Releases if rng.u8(..3) > 0 => rng.u32(..PAIRS_FROM),
        About::Releases => rng.u32(PAIRS_FROM..CANARIES_FROM),
        About::Canaries => rng.u32(CANARIES_FROM..SHAPES),
    };
    let shape = Shape::nth(number);
    let mut pushes = if shape.canary().is_some() {
        canaries(&mut rng)
    } else {
        pushes(&mut rng)
    };
    let answers = (0..rng.usize(0..=2)).map(|_| answer(&mut rng)).collect();

    // One run in six is undisturbed: it must go well.
    let mut incidents = if rng.u8(..6) > 0 {
        disturbances(&mut rng, &shape, pushes.len())
    } else {
        Vec::new()
    };

    // Of an image that is pushed twice a late copy of the first event would be a push out of order.
    let again = pushes
        .iter()
        .any(|push| matches!(push.image, Image::Again(_)));
    incidents.retain(|incident| {
        !(again
            && matches!(
                incident,
                Incident::Event {
                    source: "aws.ecr",
                    ..
                }
            ))
    });

    // Also in a run that is undisturbed otherwise.
    incidents.extend(artifact(&mut rng, pushes.len()));
    pushes.iter_mut().for_each(|push| replicate(&mut rng, push));

    Plan {
        seed,
        shape,
        pushes,
        answers,
        incidents,
    }
}

fn disturbances(rng: &mut Rng, shape: &Shape, pushes: usize) -> Vec<Incident> {
    let (faults, acts) = (rng.usize(0..=3), [0, 0, 0, 1, 1, 2][rng.usize(..6)]);
    let mut incidents = Vec::new();
    incidents.extend((0..faults).map(|_| fault(rng, shape, pushes)));
    incidents.extend((0..acts).map(|_| act(rng, shape, pushes)));

    if rng.u8(..3) == 0 {
        incidents.extend(race(rng, shape, pushes));
    }
    if rng.u8(..3) == 0 {
        incidents.extend(change(rng, shape));
    }
    if shape.pair.is_some() && rng.u8(..8) == 0 {
        let anchor = Anchor::Attempt {
            function: "swap-target-groups",
            nth: rng.usize(..6),
        };
        let when = When {
            anchor,
            after: secs(rng, 0, 30),
        };
        incidents.push(Incident::Act {
            when,
            act: Act::SetWeights(rng.u32(0..=100)),
        });
    }
    if rng.u8(..6) == 0 {
        incidents.push(cut_off(rng, shape, pushes));
    }
    incidents
}

/// In one run of eight something is pushed that cannot run.
fn artifact(rng: &mut Rng, pushes: usize) -> Option<Incident> {
    if rng.u8(..8) > 0 {
        return None;
    }

    let when = When {
        anchor: Anchor::Push(rng.usize(..pushes)),
        after: secs(rng, 0, 120),
    };
    let artifact = Artifact::ALL[rng.usize(..Artifact::ALL.len())];
    Some(Incident::Act {
        when,
        act: Act::PushArtifact(artifact),
    })
}

/// One new image in sixteen was pushed in another region.
fn replicate(rng: &mut Rng, push: &mut Push) {
    push.replicated = rng.u8(..16) == 0 && matches!(push.image, Image::New(_));
}

fn answer(rng: &mut Rng) -> Answer {
    Answer {
        approves: rng.u8(..4) > 0,
        after: secs(rng, 2, 250),
    }
}

/// The functions that every shape's releases need, by how often they are drawn.
fn functions() -> Vec<&'static str> {
    let others = ALL
        .iter()
        .filter(|name| !MOST_DRAWN.contains(name) && **name != JUDGE);
    MOST_DRAWN.iter().chain(others).copied().collect()
}

/// A function and one of the first attempts of it, which every release has.
fn attempt(rng: &mut Rng, shape: &Shape, pushes: usize) -> (&'static str, usize) {
    if shape.canary().is_some() && rng.bool() {
        return (JUDGE, rng.usize(..20 * pushes));
    }

    let functions = functions();
    let count = functions.len();
    let function = functions[rng.usize(..count).min(rng.usize(..count))];
    let most = match function {
        "update-service" | "swap-target-groups" => 5 * pushes,
        "roll-back" => 8 * pushes,
        "finish-release" => 2 * pushes,
        _ => pushes + 1,
    };
    (function, rng.usize(..most))
}

fn soon(rng: &mut Rng) -> Duration {
    Duration::from_millis(rng.u64(0..4000))
}

fn secs(rng: &mut Rng, least: u64, most: u64) -> Duration {
    Duration::from_millis(rng.u64(least * 1000..=most * 1000))
}
