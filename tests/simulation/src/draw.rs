//! Draws a plan from its seed. Everything is drawn here and nowhere else, so that a plan is all
//! there is to a run.

use std::time::Duration;

use fastrand::Rng;

use super::canary::{Flaw, Metrics};
use super::plan::{Act, Anchor, Answer, Image, Incident, Plan, Push, When};
use super::shape::{CANARIES_FROM, PAIRS_FROM, SHAPES, Shape};
use emulator::client::{CallFault, Hang};
use emulator::ecr::Behaviour;
use emulator::eventbridge::Mishap;

/// The functions that a shape's releases need, by how much can go wrong in them.
const FUNCTIONS: [&str; 7] = [
    "update-service",
    "swap-target-groups",
    "roll-back",
    "begin-release",
    "finish-release",
    "register-task-definition",
    "start-pipeline",
];

/// The function that only some shapes need, once a look.
const JUDGE: &str = "evaluate-canary";

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
    let pushes = if shape.canary().is_some() {
        canaries(&mut rng)
    } else {
        pushes(&mut rng)
    };
    let answers = (0..rng.usize(0..=2)).map(|_| answer(&mut rng)).collect();
    let mut incidents = Vec::new();

    // One run in six is undisturbed: it must go well.
    if rng.u8(..6) > 0 {
        let (faults, acts) = (rng.usize(0..=3), [0, 0, 0, 1, 1, 2][rng.usize(..6)]);
        incidents.extend((0..faults).map(|_| fault(&mut rng, &shape, pushes.len())));
        incidents.extend((0..acts).map(|_| act(&mut rng, &shape, pushes.len())));

        if rng.u8(..3) == 0 {
            incidents.extend(race(&mut rng, &shape, pushes.len()));
        }
        if rng.u8(..3) == 0 {
            incidents.extend(change(&mut rng, &shape));
        }
        if shape.pair.is_some() && rng.u8(..8) == 0 {
            let anchor = Anchor::Attempt {
                function: "swap-target-groups",
                nth: rng.usize(..6),
            };
            let when = When {
                anchor,
                after: secs(&mut rng, 0, 30),
            };
            incidents.push(Incident::Act {
                when,
                act: Act::SetWeights(rng.u32(0..=100)),
            });
        }
    }

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

    Plan {
        seed,
        shape,
        pushes,
        answers,
        incidents,
    }
}

fn pushes(rng: &mut Rng) -> Vec<Push> {
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
            11 => Image::New(Behaviour::Exits),
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
fn canaries(rng: &mut Rng) -> Vec<Push> {
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

fn answer(rng: &mut Rng) -> Answer {
    Answer {
        approves: rng.u8(..4) > 0,
        after: secs(rng, 2, 250),
    }
}

/// A function and one of the first attempts of it, which every release has.
fn attempt(rng: &mut Rng, shape: &Shape, pushes: usize) -> (&'static str, usize) {
    if shape.canary().is_some() && rng.bool() {
        return (JUDGE, rng.usize(..20 * pushes));
    }

    let function = FUNCTIONS[rng
        .usize(..FUNCTIONS.len())
        .min(rng.usize(..FUNCTIONS.len()))];
    let most = match function {
        "update-service" | "swap-target-groups" => 5 * pushes,
        "roll-back" => 8 * pushes,
        "finish-release" => 2 * pushes,
        _ => pushes + 1,
    };
    (function, rng.usize(..most))
}

fn fault(rng: &mut Rng, shape: &Shape, pushes: usize) -> Incident {
    let is_judged = shape.canary().is_some();
    if is_judged && rng.u8(..3) == 0 {
        return Incident::Metrics(metrics(rng));
    }

    let (function, nth) = attempt(rng, shape, pushes);
    let call = rng.u32(1..=9).min(rng.u32(1..=12));

    // A push has one attempt of start-pipeline only, which would hardly ever be met.
    if rng.u8(..12) == 0 {
        let (nth, fault) = (rng.usize(..pushes), CallFault::CrashAfter(rng.u32(1..=5)));
        return Incident::Call {
            function: "start-pipeline",
            nth,
            fault,
        };
    }

    let fault = |fault| Incident::Call {
        function,
        nth,
        fault,
    };
    match rng.u8(..16) {
        0..=1 => fault(CallFault::CrashAfter(call)),
        2 => fault(CallFault::CrashBefore(call)),
        3 => fault(CallFault::TimeoutAfterEffect(call)),
        4 => fault(CallFault::ThrottleFrom(call, rng.u32(1..=6))),
        5..=7 => fault(CallFault::HangAfter(call, hang(rng))),
        8..=9 => Incident::Duplicate {
            function,
            nth,
            after: soon(rng),
        },
        10..=11 => Incident::Duplicate {
            function,
            nth,
            after: secs(rng, 20, 500),
        },
        12 => Incident::Throttle {
            service: SERVICES[rng.usize(
                ..if is_judged {
                    SERVICES.len()
                } else {
                    SERVICES.len() - 2
                },
            )],
            from: secs(rng, 1, if is_judged { 1500 } else { 300 }),
            lasts: secs(rng, 2, 60),
        },
        13..=14 => Incident::Event {
            source: "aws.codepipeline",
            nth: rng.usize(..6 * pushes),
            mishap: mishap(rng),
        },
        _ => Incident::Event {
            source: "aws.ecr",
            nth: rng.usize(..pushes),
            mishap: Mishap::Again(late(rng)),
        },
    }
}

/// What is wrong with CloudWatch while the first images are judged.
fn metrics(rng: &mut Rng) -> Metrics {
    let from = secs(rng, 60, 900);
    match rng.u8(..7) {
        0 => Metrics::Lost(rng.u32(1..=15)),
        1 => Metrics::Late(rng.u32(1..=30)),
        2 => Metrics::Missing {
            from,
            lasts: secs(rng, 60, 600),
            delay: None,
        },
        3 => Metrics::Missing {
            from,
            lasts: secs(rng, 60, 600),
            delay: Some(secs(rng, 60, 600)),
        },
        4 => Metrics::Throttled {
            from,
            lasts: secs(rng, 60, 900),
        },
        5 => Metrics::Errors(rng.u32(1..=5)),
        _ => Metrics::Pages(rng.u32(3..=100)),
    }
}

fn hang(rng: &mut Rng) -> Hang {
    if rng.bool() {
        Hang::For(Duration::from_millis(rng.u64(1000..58_000)))
    } else {
        Hang::UntilLeft(Duration::from_millis(rng.u64(70..2000)))
    }
}

fn mishap(rng: &mut Rng) -> Mishap {
    match rng.u8(..3) {
        0 => Mishap::Lost,
        1 => Mishap::Late(late(rng)),
        _ => Mishap::Again(late(rng)),
    }
}

fn late(rng: &mut Rng) -> Duration {
    if rng.bool() {
        soon(rng)
    } else {
        secs(rng, 5, 300)
    }
}

fn soon(rng: &mut Rng) -> Duration {
    Duration::from_millis(rng.u64(0..4000))
}

fn secs(rng: &mut Rng, least: u64, most: u64) -> Duration {
    Duration::from_millis(rng.u64(least * 1000..=most * 1000))
}

fn when(rng: &mut Rng, shape: &Shape, pushes: usize) -> When {
    match rng.u8(..4) {
        0 => When {
            anchor: Anchor::Push(rng.usize(..pushes)),
            after: secs(rng, 0, 300),
        },
        1 => When {
            anchor: Anchor::RollBack(rng.usize(..pushes)),
            after: secs(rng, 0, 150),
        },
        _ => {
            let (function, nth) = attempt(rng, shape, pushes);
            When {
                anchor: Anchor::Attempt { function, nth },
                after: secs(rng, 0, 20),
            }
        }
    }
}

fn act(rng: &mut Rng, shape: &Shape, pushes: usize) -> Incident {
    let act = match rng.u8(..14) {
        _ if shape.canary().is_some_and(|canary| canary.alarm) && rng.u8(..4) == 0 => {
            Act::AlarmActive(secs(rng, 10, 300))
        }
        0..=1 => Act::Stop { abandon: true },
        2 => Act::Stop { abandon: false },
        3 => Act::Retry,
        4 => Act::Start {
            push: rng.usize(..pushes),
        },
        5 => Act::AskRollBack,
        6..=7 => Act::SetCount(rng.u32(0..=5).min(if shape.static_port {
            shape.instances
        } else {
            5
        })),
        8 if shape.pair.is_some() && rng.bool() => Act::SetWeights(rng.u32(0..=100)),
        8 if shape.pair.is_some() && rng.bool() => Act::SetIdleDefinition,
        8 => Act::SetDefinition,
        9 => Act::UpdateStack,
        10 if shape.pair.is_some() => Act::SetIdleDefinition,
        10..=11 => Act::TaskDies,
        12 => Act::TaskSilent(secs(rng, 5, 60)),
        _ => Act::InstanceBusy(secs(rng, 10, 300)),
    };

    // There must be something that failed.
    let when = match act {
        Act::Retry => When {
            anchor: Anchor::Push(rng.usize(..pushes)),
            after: secs(rng, 60, 900),
        },
        // A filled colour without traffic could be replaced from outside unnoticed.
        Act::SetIdleDefinition => {
            if shape.approval && rng.u8(..4) > 0 {
                When {
                    anchor: Anchor::Approval(rng.usize(..2)),
                    after: secs(rng, 1, 20),
                }
            } else {
                let anchor = Anchor::Attempt {
                    function: "swap-target-groups",
                    nth: rng.usize(..2),
                };
                When {
                    anchor,
                    after: Duration::from_millis(rng.u64(0..300)),
                }
            }
        }
        _ => when(rng, shape, pushes),
    };
    Incident::Act { when, act }
}

/// An invocation hangs around a change that it has announced, while another one of its kind goes
/// on. Mostly the first attempt makes the first change, after it has looked at three things or
/// four.
fn change(rng: &mut Rng, shape: &Shape) -> Vec<Incident> {
    let function = if shape.pair.is_some() {
        "swap-target-groups"
    } else {
        "update-service"
    };
    let nth = [0, 0, 0, 1, 2, 4][rng.usize(..6)];
    let hangs = Incident::Call {
        function,
        nth,
        fault: CallFault::HangAfter(rng.u32(4..=6), hang(rng)),
    };

    vec![
        hangs,
        Incident::Duplicate {
            function,
            nth,
            after: soon(rng),
        },
    ]
}

/// Incidents that belong together: an invocation hangs while another one of its kind goes on, or
/// while the execution is ended under its hands.
fn race(rng: &mut Rng, shape: &Shape, pushes: usize) -> Vec<Incident> {
    let (function, nth) = attempt(rng, shape, pushes);
    let hangs = Incident::Call {
        function,
        nth,
        fault: CallFault::HangAfter(rng.u32(1..=7), hang(rng)),
    };
    let again = Incident::Duplicate {
        function,
        nth,
        after: soon(rng),
    };
    let anchor = Anchor::Attempt { function, nth };
    let ended = match rng.u8(..4) {
        0 => Act::AskRollBack,
        _ => Act::Stop { abandon: true },
    };
    let stopped = Incident::Act {
        when: When {
            anchor,
            after: secs(rng, 0, 8),
        },
        act: ended,
    };

    // Lambda delivers the event of an attempt that died once more, when others may have taken the
    // release over.
    let dies = Incident::Call {
        function,
        nth,
        fault: CallFault::CrashAfter(rng.u32(1..=3)),
    };
    match rng.u8(..5) {
        0 => vec![hangs, again],
        1..=2 => vec![hangs, stopped],
        3 => vec![dies, stopped],
        _ => vec![hangs, again, stopped],
    }
}
