//! Draws a plan from its seed. Everything is drawn here and nowhere else, so that a plan determines
//! a run.

mod checks;
mod images;
pub(super) mod incidents;
mod unusual_traffic;

use std::time::Duration;

use fastrand::Rng;

use super::artifact::Artifact;
use super::freeze::DrawnFreeze;
use super::plan::{Act, Anchor, ApprovalAnswer, Image, Incident, LEAST_TASKS, Plan, Push, When};
use super::shape::{
    CANARIES_FROM, PAIRS_FROM, POLLED_FROM, POLLED_TO, RECORDS_FROM, SHAPES, Shape,
};
use harness::functions::ALL;

use checks::of_checks;
use images::{canaries, exit_behind_classic, pushes};
use incidents::{act, change, credentials, cut_off, fault, of_worker, of_zone, race};
use unusual_traffic::of_traffic;

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
const JUDGE: &str = "evaluate-canary";
/// The function that only pairs behind records need.
const SWAP_RECORDS: &str = "swap-records";
/// The function that only the pipelines of some shapes have.
const RUN_CHECKS: &str = "run-checks";

/// The function that only pipelines of custom actions need.
const WORKER: &str = "poll-jobs";

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
    /// In-place and blue/green releases by custom actions.
    CustomActions,
    /// Blue/green releases, judged or not, with traffic that is not usual.
    Traffic,
    /// Commits whose images go through several environments, drawn by `Promotion`.
    Promotions,
}

/// Draws the plan of a seed.
///
/// # Panics
/// For promotions, which are not a plan of one service or pair.
#[must_use]
pub fn plan(seed: u64, about: About) -> Plan {
    let mut rng = Rng::with_seed(seed ^ 0x5117_3a7d_0c0f_fee5);
    let number = number(&mut rng, about);
    let shape = Shape::nth(behind_records(seed, about).unwrap_or(number));
    let mut pushes = if shape.canary().is_some() {
        canaries(&mut rng)
    } else {
        pushes(&mut rng)
    };
    exit_behind_classic(seed, &shape, &mut pushes);
    let traffic = of_traffic(seed, about, &shape, &mut pushes);
    let answers = (0..rng.usize(0..=2)).map(|_| answer(&mut rng)).collect();

    // One run in six is undisturbed: it must go well.
    let is_disturbed = rng.u8(..6) > 0;
    let mut incidents = if is_disturbed {
        disturbances(&mut rng, &shape, pushes.len())
    } else {
        Vec::new()
    };

    // Also in a run that is undisturbed otherwise.
    incidents.extend(artifact(&mut rng, pushes.len()));
    incidents.extend(scaling(seed, &shape));
    pushes.iter_mut().for_each(|push| replicate(&mut rng, push));

    if is_disturbed && rng.u8(..5) == 0 {
        incidents.push(credentials(&mut rng, &shape, pushes.len()));
    }
    if is_disturbed {
        incidents.extend(of_checks(seed, &shape, pushes.len()));
        incidents.extend(of_worker(seed, &shape, pushes.len()));
    }

    Plan {
        seed,
        freeze: DrawnFreeze::draw(seed, &shape),
        shape,
        pushes,
        answers,
        incidents,
        traffic,
    }
}

/// The number of the shape that a run is about.
fn number(rng: &mut Rng, about: About) -> u32 {
    match about {
        About::Releases if rng.u8(..3) > 0 => rng.u32(..PAIRS_FROM),
        About::Releases => rng.u32(PAIRS_FROM..CANARIES_FROM),
        About::Canaries => rng.u32(CANARIES_FROM..RECORDS_FROM),
        About::CustomActions => rng.u32(POLLED_FROM..POLLED_TO),
        About::Traffic => rng.u32(PAIRS_FROM..RECORDS_FROM),
        About::Promotions => unreachable!("a promotion is drawn by itself"),
    }
}

/// One run of eight is about a pair behind records. It is drawn by itself, so that the others stay
/// as they are.
fn behind_records(seed: u64, about: About) -> Option<u32> {
    let mut rng = Rng::with_seed(seed ^ 0x2c8f_15d6_79a3_e04b);
    let is_drawn = about == About::Releases && rng.u8(..8) == 0;
    is_drawn.then(|| rng.u32(RECORDS_FROM..SHAPES))
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
            function: shape.swap(),
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
    if shape.records().is_some() && rng.bool() {
        incidents.push(of_zone(rng));
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

/// A service in place that sets no count of its own grows in one run of four, while a release of it
/// is in progress, and shrinks in one of the others. It is drawn by itself, so that nothing else of
/// the run depends on it.
fn scaling(seed: u64, shape: &Shape) -> Option<Incident> {
    let scales = shape.pair.is_none() && !shape.static_port && shape.desired_count.is_none();
    let mut rng = Rng::with_seed(seed ^ 0x6d1e_90b4_52c7_3f08);
    if !scales {
        return None;
    }
    if rng.u8(..4) > 0 {
        return shrinkage(&mut rng, shape);
    }

    let anchor = Anchor::Attempt {
        function: "update-service",
        nth: rng.usize(..3),
    };
    let after = secs(&mut rng, 0, 60);
    let act = Act::Scales(rng.u32(2..=6));
    Some(Incident::Act {
        when: When { anchor, after },
        act,
    })
}

/// One in three of those that could be released with each of the counts.
fn shrinkage(rng: &mut Rng, shape: &Shape) -> Option<Incident> {
    if !shape.can_shrink_to(LEAST_TASKS) || rng.u8(..3) > 0 {
        return None;
    }

    let functions = ["begin-release", "update-service", "finish-release"];
    let anchor = Anchor::Attempt {
        function: functions[rng.usize(..functions.len())],
        nth: rng.usize(..3),
    };
    let after = secs(rng, 0, 30);
    let act = Act::ScalesIn(rng.u32(2..=8));
    Some(Incident::Act {
        when: When { anchor, after },
        act,
    })
}

/// One new image in sixteen was pushed in another region.
fn replicate(rng: &mut Rng, push: &mut Push) {
    push.replicated = rng.u8(..16) == 0 && matches!(push.image, Image::New(_));
}

fn answer(rng: &mut Rng) -> ApprovalAnswer {
    ApprovalAnswer {
        approves: rng.u8(..4) > 0,
        after: secs(rng, 2, 250),
    }
}

/// The functions that every shape's releases need, by how often they are drawn.
fn functions() -> Vec<&'static str> {
    let others = ALL
        .iter()
        .filter(|name| !MOST_DRAWN.contains(name) && ![JUDGE, RUN_CHECKS].contains(name));
    MOST_DRAWN.iter().chain(others).copied().collect()
}

/// A function and one of the first attempts of it, which every release has.
fn attempt(rng: &mut Rng, shape: &Shape, pushes: usize) -> (&'static str, usize) {
    if shape.canary().is_some() && rng.bool() {
        return (JUDGE, rng.usize(..20 * pushes));
    }

    if shape.is_polled && rng.u8(..3) == 0 {
        return (WORKER, rng.usize(..20 * pushes));
    }
    let functions = functions();
    let count = functions.len();
    let function = match functions[rng.usize(..count).min(rng.usize(..count))] {
        "swap-target-groups" | SWAP_RECORDS => shape.swap(),
        other => other,
    };
    let most = match function {
        "update-service" | "swap-target-groups" | SWAP_RECORDS => 5 * pushes,
        "roll-back" => 8 * pushes,
        "finish-release" => 2 * pushes,
        _ => pushes + 1,
    };
    (function, rng.usize(..most))
}

pub(super) fn soon(rng: &mut Rng) -> Duration {
    Duration::from_millis(rng.u64(0..4000))
}

pub(super) fn secs(rng: &mut Rng, least: u64, most: u64) -> Duration {
    Duration::from_millis(rng.u64(least * 1000..=most * 1000))
}
