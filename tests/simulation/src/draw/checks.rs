//! What goes wrong with the invocations that make HTTP checks.

use fastrand::Rng;

use crate::plan::Incident;
use crate::shape::Shape;
use emulator::client::CallFault;

use super::incidents::hang;
use super::{RUN_CHECKS, soon};

/// In three of four runs with HTTP checks one of these invocations meets a fault, or its event
/// comes twice. It is drawn by itself, so that nothing else of the run depends on it.
pub(super) fn of_checks(seed: u64, shape: &Shape, pushes: usize) -> Option<Incident> {
    shape.checks?;
    let mut rng = Rng::with_seed(seed ^ 0x41f7_0c9e_d35a_8b26);
    if rng.u8(..4) == 0 {
        return None;
    }

    let function = RUN_CHECKS;
    let nth = rng.usize(..pushes);
    if rng.u8(..5) == 0 {
        let after = soon(&mut rng);
        return Some(Incident::Duplicate {
            function,
            nth,
            after,
        });
    }

    let call = rng.u32(1..=8);
    let fault = match rng.u8(..4) {
        0 => CallFault::CrashBefore(call),
        1 => CallFault::CrashAfter(call),
        2 => CallFault::TimeoutAfterEffect(call),
        _ => CallFault::HangAfter(call, hang(&mut rng)),
    };
    Some(Incident::Call {
        function,
        nth,
        fault,
    })
}
