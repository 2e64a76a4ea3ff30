//! Draws a run of pushes from its seed. Everything is drawn here and nowhere else, but for what
//! becomes of a digest, which is in its own characters.

use std::time::Duration;

use emulator::client::{CallFault, Hang, Trouble};
use emulator::eventbridge::Mishap;
use fastrand::Rng;

use super::plan::{PushAct, PushPlan, Timed, is_scanned};
use crate::plan::Incident;

const FUNCTION: &str = "start-pipeline";
const SOURCE: &str = "aws.ecr";
/// The repositories of most runs, and of one in a hundred.
const REPOSITORIES: usize = 3;
const MANY: usize = 40;
/// How long something happens.
const ACTS: Duration = Duration::from_secs(5 * 3_600);
/// The most by which an event is late.
const LATEST: Duration = Duration::from_secs(9_000);
/// How many percent of the events are lost, and of the deliveries doubled.
const LOST: u8 = 30;
const DOUBLED: u8 = 30;
const LATE: u8 = 30;

/// Draws the plan of a seed.
#[must_use]
pub fn draw(seed: u64) -> PushPlan {
    let mut rng = Rng::with_seed(seed ^ 0x7075_7368_6573_2e00);
    let is_large = seed.is_multiple_of(100);
    let repositories = if is_large { MANY } else { REPOSITORIES };
    // One run in six is undisturbed.
    let is_disturbed = rng.u8(..6) > 0;

    let mut acts = Vec::new();
    for repository in 0..repositories {
        acts.extend(of_repository(&mut rng, repository, is_large));
    }
    acts.sort_by_key(|timed| timed.at);
    let incidents = if is_disturbed {
        incidents(&mut rng, acts.len(), repositories)
    } else {
        Vec::new()
    };
    PushPlan {
        seed,
        repositories,
        acts,
        incidents,
        doubled_percent: if is_disturbed { DOUBLED } else { 0 },
    }
}

/// What happens in a repository: a few pushes, each with what may follow from it.
fn of_repository(rng: &mut Rng, repository: usize, is_large: bool) -> Vec<Timed> {
    let timed = |at: Duration, act: PushAct| Timed {
        at,
        repository,
        act,
    };
    let is_scanned = is_scanned(repository);
    let pushes = if is_large {
        rng.usize(1..=3)
    } else {
        rng.usize(2..=6)
    };
    let mut times: Vec<Duration> = (0..pushes).map(|_| within(rng, ACTS)).collect();
    times.sort();

    let mut acts = Vec::new();
    // The image of the beginning is number 0.
    for (number, at) in (1..).zip(times) {
        acts.push(timed(at, push(rng)));
        // Another one within a second or two.
        if rng.u8(..4) == 0 {
            let soon = Duration::from_millis(rng.u64(50..2_000));
            acts.push(timed(at + soon, PushAct::PushVersion));
        }
        if is_scanned && rng.u8(..8) > 0 {
            let scanned = PushAct::Scan {
                image: number,
                is_critical: rng.u8(..4) == 0,
            };
            let longest = [120, 9_000][rng.usize(..2)];
            acts.push(timed(at + secs(rng, 5, longest), scanned));
        }
        match rng.u8(..8) {
            0 | 1 => acts.push(timed(
                within(rng, ACTS),
                PushAct::Return(rng.usize(..=number)),
            )),
            2 => acts.push(timed(at + secs(rng, 1, 3_600), PushAct::Tag(number))),
            3 => acts.push(timed(
                within(rng, ACTS),
                PushAct::Delete(rng.usize(..=number)),
            )),
            _ => {}
        }
    }
    acts
}

fn push(rng: &mut Rng) -> PushAct {
    match rng.u8(..10) {
        0..=3 => PushAct::PushVersion,
        4 => PushAct::PushTwice,
        5..=7 => PushAct::PushMoving,
        8 => PushAct::PushOther,
        _ => PushAct::PushChart,
    }
}

fn within(rng: &mut Rng, time: Duration) -> Duration {
    Duration::from_millis(rng.u64(..time.as_millis() as u64))
}

fn secs(rng: &mut Rng, least: u64, most: u64) -> Duration {
    Duration::from_secs(rng.u64(least..=most))
}

fn incidents(rng: &mut Rng, acts: usize, repositories: usize) -> Vec<Incident> {
    let mut incidents = Vec::new();
    for nth in 0..acts {
        let drawn = rng.u8(..100);
        let mishap = if drawn < LOST {
            Mishap::Lost
        } else if drawn < LOST + LATE {
            Mishap::Late(within(rng, LATEST))
        } else if drawn < LOST + LATE + 10 {
            Mishap::Again(within(rng, LATEST))
        } else {
            continue;
        };
        incidents.push(Incident::Event {
            source: SOURCE,
            nth,
            mishap,
        });
    }

    let attempts = acts + 6 * repositories;
    for _ in 0..rng.usize(..=1 + attempts / 5) {
        incidents.push(of_attempt(rng, attempts));
    }
    if rng.u8(..3) == 0 {
        incidents.push(Incident::Throttle {
            service: ["codepipeline", "dynamodb", "ecr"][rng.usize(..3)],
            from: within(rng, ACTS),
            lasts: secs(rng, 60, 3_600),
        });
    }
    incidents
}

/// What goes wrong with one attempt of the function.
fn of_attempt(rng: &mut Rng, attempts: usize) -> Incident {
    let nth = rng.usize(..attempts);
    let call = rng.u32(1..=9);
    let fault = match rng.u8(..10) {
        0..=2 => CallFault::CrashAfter(call),
        3 => CallFault::CrashBefore(call),
        4 => CallFault::TimeoutAfterEffect(call),
        5 => CallFault::ThrottleFrom(call, rng.u32(1..=12)),
        6 => CallFault::From {
            first: call,
            count: rng.u32(1..=6),
            trouble: [
                Trouble::InternalError { effect: true },
                Trouble::Conflict,
                Trouble::CutOff,
            ][rng.usize(..3)],
        },
        7 | 8 => CallFault::HangAfter(call, Hang::For(secs(rng, 2, 50))),
        _ => {
            return Incident::Duplicate {
                function: FUNCTION,
                nth,
                after: secs(rng, 1, 3_600),
            };
        }
    };
    Incident::Call {
        function: FUNCTION,
        nth,
        fault,
    }
}
