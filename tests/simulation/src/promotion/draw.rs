//! Draws a promotion from its seed.

use std::time::Duration;

use fastrand::Rng;

use super::{DrawnCommit, Promotion};
use crate::draw::incidents::{hang, mishap};
use crate::draw::{secs, soon};
use crate::freeze::DrawnFreeze;
use crate::plan::{Act, Anchor, ApprovalAnswer, Incident, When};
use crate::shape::in_place_strategies;
use emulator::client::{CallFault, Trouble};
use emulator::ecr::Behaviour;
use harness::demo::promotion::STAGES;

/// The functions of a promotion, each with how many of its attempts a commit has, about.
pub(crate) const FUNCTIONS: [(&str, usize); 6] = [
    ("begin-release", 6),
    ("register-task-definition", 5),
    ("update-service", 24),
    ("run-checks", 16),
    ("finish-release", 20),
    ("roll-back", 40),
];

/// Services whose throttling is tried.
const SERVICES: [&str; 4] = ["ecs", "dynamodb", "elasticloadbalancing", "codepipeline"];

/// What a commit may fail.
const FAILS: [&str; 5] = [
    "Build/build",
    "Dev/test",
    "CI/test",
    "UAT/test",
    "Production/test",
];

pub(super) fn promotion(seed: u64) -> Promotion {
    let mut rng = Rng::with_seed(seed ^ 0x7b41_e6d8_20f9_53ac);
    let count = [1, 1, 2, 2, 3][rng.usize(..5)];
    let commits = (0..count).map(|number| commit(&mut rng, number)).collect();
    let answers = (0..rng.usize(0..=2)).map(|_| answer(&mut rng)).collect();

    // One run in five is undisturbed: it must go well.
    let mut incidents = Vec::new();
    if rng.u8(..5) > 0 {
        let (faults, acts) = (rng.usize(0..=3), [0, 0, 1, 1, 2][rng.usize(..5)]);
        incidents.extend((0..faults).map(|_| fault(&mut rng, count)));
        incidents.extend((0..acts).map(|_| act(&mut rng, count)));
    }

    let strategies = in_place_strategies();
    Promotion {
        seed,
        strategy: strategies[rng.usize(..strategies.len())],
        mode: ["SUPERSEDED", "QUEUED"][rng.usize(..2)],
        soak_minutes: rng.u32(0..=3),
        freeze: freeze(&mut rng),
        commits,
        answers,
        incidents,
    }
}

fn commit(rng: &mut Rng, number: usize) -> DrawnCommit {
    let after = if number == 0 {
        Duration::from_secs(1)
    } else {
        secs(rng, 30, 1800)
    };
    let behaviour = match rng.u8(..12) {
        0..=8 => Behaviour::Healthy,
        9..=10 => Behaviour::NeverHealthy,
        _ => Behaviour::Exits,
    };
    let fails = (rng.u8(..5) == 0).then(|| FAILS[rng.usize(..FAILS.len())]);
    DrawnCommit {
        after,
        behaviour,
        fails,
    }
}

fn answer(rng: &mut Rng) -> ApprovalAnswer {
    ApprovalAnswer {
        approves: rng.u8(..4) > 0,
        after: secs(rng, 2, 250),
    }
}

/// Production is reached after a quarter of an hour at the earliest.
fn freeze(rng: &mut Rng) -> Option<DrawnFreeze> {
    let after = rng.i64(5..=45);
    match rng.u8(..8) {
        0 => Some(DrawnFreeze::HalfHour(after)),
        1 => Some(DrawnFreeze::Weekend(after)),
        2..=3 => Some(DrawnFreeze::Line),
        _ => None,
    }
}

/// A function, and one of the attempts of it that commits have.
fn attempt(rng: &mut Rng, commits: usize) -> (&'static str, usize) {
    let (function, each) = FUNCTIONS[rng.usize(..FUNCTIONS.len())];
    (function, rng.usize(..each * commits))
}

fn fault(rng: &mut Rng, commits: usize) -> Incident {
    let (function, nth) = attempt(rng, commits);
    let call = rng.u32(1..=9).min(rng.u32(1..=12));
    let fault = match rng.u8(..14) {
        0..=2 => CallFault::CrashAfter(call),
        3 => CallFault::CrashBefore(call),
        4 => CallFault::TimeoutAfterEffect(call),
        5 => CallFault::ThrottleFrom(call, rng.u32(1..=6)),
        6..=7 => CallFault::HangAfter(call, hang(rng)),
        8 => CallFault::From {
            first: call,
            count: rng.u32(1..=6),
            trouble: Trouble::CutOff,
        },
        9..=10 => {
            let after = if rng.bool() {
                soon(rng)
            } else {
                secs(rng, 20, 500)
            };
            return Incident::Duplicate {
                function,
                nth,
                after,
            };
        }
        11 => {
            return Incident::Throttle {
                service: SERVICES[rng.usize(..SERVICES.len())],
                from: secs(rng, 1, 1800),
                lasts: secs(rng, 2, 60),
            };
        }
        _ => {
            return Incident::Event {
                source: "aws.codepipeline",
                nth: rng.usize(..8 * commits),
                mishap: mishap(rng),
            };
        }
    };
    Incident::Call {
        function,
        nth,
        fault,
    }
}

fn act(rng: &mut Rng, commits: usize) -> Incident {
    let act = match rng.u8(..8) {
        0..=1 => Act::Stop { abandon: true },
        2 => Act::Stop { abandon: false },
        3 => Act::Retry,
        4 => Act::Start { push: 0 },
        5 => Act::AskRollBack,
        _ => Act::StopLine {
            environment: rng.usize(..STAGES.len()),
        },
    };
    let when = match rng.u8(..4) {
        // There must be something that failed, or that was promoted.
        _ if matches!(act, Act::Retry | Act::Start { .. }) => When {
            anchor: Anchor::Push(rng.usize(..commits)),
            after: secs(rng, 300, 2400),
        },
        0 => When {
            anchor: Anchor::Push(rng.usize(..commits)),
            after: secs(rng, 0, 1800),
        },
        1 => When {
            anchor: Anchor::Approval(rng.usize(..commits)),
            after: secs(rng, 0, 30),
        },
        _ => {
            let (function, nth) = attempt(rng, commits);
            When {
                anchor: Anchor::Attempt { function, nth },
                after: secs(rng, 0, 20),
            }
        }
    };
    Incident::Act { when, act }
}
