//! What goes wrong and what operators do, and when.

use std::time::Duration;

use fastrand::Rng;

use crate::canary::Metrics;
use crate::plan::{Act, Anchor, Incident, When};
use crate::shape::Shape;
use emulator::client::{CallFault, Hang, Trouble};
use emulator::eventbridge::Mishap;

use super::{SERVICES, SWAP_RECORDS, WORKER, attempt, secs, soon};

pub(super) fn fault(rng: &mut Rng, shape: &Shape, pushes: usize) -> Incident {
    let is_judged = shape.canary().is_some();
    if is_judged && rng.u8(..3) == 0 {
        return Incident::Metrics(metrics(rng));
    }

    let (function, nth) = attempt(rng, shape, pushes);
    let call = rng.u32(1..=9).min(rng.u32(1..=12));

    // A push has one attempt of start-pipeline only, which would hardly ever be met.
    if rng.u8(..12) == 0 {
        return crash_of_start_pipeline(rng, pushes);
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
        4 => fault(refused(rng, call)),
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
        12 => throttle(rng, is_judged),
        13..=14 => Incident::Event {
            source: "aws.codepipeline",
            // A pipeline of custom actions has one for each of them.
            nth: rng.usize(..if shape.is_polled { 30 } else { 6 } * pushes),
            mishap: mishap(rng),
        },
        _ => Incident::Event {
            source: "aws.ecr",
            nth: rng.usize(..pushes),
            // A lost one is found by a sweep, which comes after the run.
            mishap: [Mishap::Late, Mishap::Again][rng.usize(..2)](late(rng)),
        },
    }
}

/// Two pollers at once, again and again: events of the worker that are delivered twice within a
/// second, beside those of the schedule. Drawn by itself, so that the others stay as they are.
pub(super) fn of_worker(seed: u64, shape: &Shape, pushes: usize) -> Vec<Incident> {
    if !shape.is_polled {
        return Vec::new();
    }
    let mut rng = Rng::with_seed(seed ^ 0x3fd2_71c0_9ab4_e856);
    (0..4 * pushes)
        .map(|_| Incident::Duplicate {
            function: WORKER,
            nth: rng.usize(..40 * pushes),
            after: Duration::from_millis(rng.u64(..1000)),
        })
        .collect()
}

/// A service has no room for a call, or is busy with what it is about.
fn refused(rng: &mut Rng, call: u32) -> CallFault {
    if rng.u8(..4) > 0 {
        return CallFault::ThrottleFrom(call, rng.u32(1..=6));
    }
    CallFault::From {
        first: 1,
        count: rng.u32(1..=40),
        trouble: Trouble::Passing,
    }
}

/// Calls take effect, and their responses break off: also in all attempts of the SDK.
pub(super) fn cut_off(rng: &mut Rng, shape: &Shape, pushes: usize) -> Incident {
    let attempt = attempt(rng, shape, pushes);
    some_calls(rng, attempt, Trouble::CutOff, 6)
}

/// A service does not take the credentials of some calls, as right after they were issued.
pub(super) fn credentials(rng: &mut Rng, shape: &Shape, pushes: usize) -> Incident {
    let attempt = attempt(rng, shape, pushes);
    some_calls(rng, attempt, Trouble::Credentials, 12)
}

/// Calls of an attempt that meet trouble, at most this many, mostly early ones.
fn some_calls(
    rng: &mut Rng,
    (function, nth): (&'static str, usize),
    trouble: Trouble,
    most: u32,
) -> Incident {
    let fault = CallFault::From {
        first: rng.u32(1..=9).min(rng.u32(1..=12)),
        count: rng.u32(1..=most),
        trouble,
    };
    Incident::Call {
        function,
        nth,
        fault,
    }
}

fn crash_of_start_pipeline(rng: &mut Rng, pushes: usize) -> Incident {
    let (nth, fault) = (rng.usize(..pushes), CallFault::CrashAfter(rng.u32(1..=5)));
    Incident::Call {
        function: "start-pipeline",
        nth,
        fault,
    }
}

fn throttle(rng: &mut Rng, is_judged: bool) -> Incident {
    let (services, most) = if is_judged {
        (SERVICES.len(), 1500)
    } else {
        (SERVICES.len() - 2, 300)
    };
    Incident::Throttle {
        service: SERVICES[rng.usize(..services)],
        from: secs(rng, 1, most),
        lasts: secs(rng, 2, 60),
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

pub(crate) fn hang(rng: &mut Rng) -> Hang {
    if rng.bool() {
        Hang::For(Duration::from_millis(rng.u64(1000..58_000)))
    } else {
        Hang::UntilLeft(Duration::from_millis(rng.u64(70..2000)))
    }
}

pub(crate) fn mishap(rng: &mut Rng) -> Mishap {
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

pub(super) fn when(rng: &mut Rng, shape: &Shape, pushes: usize) -> When {
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

pub(super) fn act(rng: &mut Rng, shape: &Shape, pushes: usize) -> Incident {
    let act = match rng.u8(..14) {
        _ if shape.has_alarm() && rng.u8(..4) == 0 => Act::AlarmActive(secs(rng, 10, 300)),
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
        11 if rng.bool() => Act::Deregister,
        10..=11 if shape.rebalanced && rng.bool() => Act::ZoneUneven,
        10..=11 => Act::TaskDies,
        12 => Act::TaskSilent(secs(rng, 5, 60)),
        _ if rng.bool() => Act::InstanceDrains(secs(rng, 10, 300)),
        _ => Act::InstanceBusy(secs(rng, 10, 300)),
    };

    let when = when_of(rng, shape, pushes, act);
    Incident::Act { when, act }
}

/// When an act happens, so that it finds what it needs.
fn when_of(rng: &mut Rng, shape: &Shape, pushes: usize, act: Act) -> When {
    match act {
        // There must be something that failed.
        Act::Retry => When {
            anchor: Anchor::Push(rng.usize(..pushes)),
            after: secs(rng, 60, 900),
        },
        // ECS looks at an alarm while it deploys, unless it was in ALARM before.
        Act::AlarmActive(_) if shape.pair.is_none() => When {
            anchor: Anchor::Attempt {
                function: "update-service",
                nth: rng.usize(..2 * pushes),
            },
            after: secs(rng, 15, 200),
        },
        // ECS moves no task during a deployment.
        Act::ZoneUneven if rng.bool() => When {
            anchor: Anchor::Attempt {
                function: "finish-release",
                nth: rng.usize(..2 * pushes),
            },
            after: secs(rng, 0, 60),
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
                    function: shape.swap(),
                    nth: rng.usize(..2),
                };
                When {
                    anchor,
                    after: Duration::from_millis(rng.u64(0..300)),
                }
            }
        }
        _ => when(rng, shape, pushes),
    }
}

/// An invocation hangs around a change that it has announced, while another one of its kind goes
/// on. Mostly the first attempt makes the first change, after it has looked at three things or
/// four.
pub(super) fn change(rng: &mut Rng, shape: &Shape) -> Vec<Incident> {
    let function = if shape.pair.is_some() {
        shape.swap()
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

/// Route 53 throttles, another writer changes the zone, or an invocation ends around the change of
/// the weights that it has announced.
pub(super) fn of_zone(rng: &mut Rng) -> Incident {
    let nth = [0, 0, 0, 1, 2, 4][rng.usize(..6)];
    let call = rng.u32(5..=8);
    let fault = match rng.u8(..9) {
        0..=2 => {
            return Incident::Throttle {
                service: "route53",
                from: secs(rng, 60, 600),
                lasts: secs(rng, 2, 60),
            };
        }
        3..=5 => {
            let anchor = Anchor::Attempt {
                function: SWAP_RECORDS,
                nth,
            };
            let when = When {
                anchor,
                after: Duration::ZERO,
            };
            let act = Act::ZoneChanges(secs(rng, 10, 40));
            return Incident::Act { when, act };
        }
        6 => CallFault::CrashBefore(call),
        7 => CallFault::CrashAfter(call),
        _ => CallFault::TimeoutAfterEffect(call),
    };
    Incident::Call {
        function: SWAP_RECORDS,
        nth,
        fault,
    }
}

/// Incidents that belong together: an invocation hangs while another one of its kind goes on, or
/// the execution is ended while it runs.
pub(super) fn race(rng: &mut Rng, shape: &Shape, pushes: usize) -> Vec<Incident> {
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
