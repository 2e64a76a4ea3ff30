//! What goes wrong with the attempts of a run.

use std::time::Duration;

use emulator::client::{CallFault, Throttle};

/// One thing that goes wrong in a run. Attempts are numbered from 0 in the order in which Lambda
/// starts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// The attempt dies at one of its calls, or its calls go wrong.
    Call { attempt: usize, fault: CallFault },
    /// The attempt's event is delivered a second time, this long after the first.
    Duplicate { attempt: usize, after: Duration },
}

/// Which attempts something goes wrong with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// The attempt of this number among all.
    Number(usize),
    /// The attempt of this number among those of one function: it stays the same when other
    /// functions are called less often.
    Of { function: &'static str, nth: usize },
}

impl Which {
    pub(crate) fn is(&self, number: usize, function: &str, nth: usize) -> bool {
        match self {
            Self::Number(at) => *at == number,
            Self::Of {
                function: of,
                nth: at,
            } => *of == function && *at == nth,
        }
    }
}

/// Everything that goes wrong in a run.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    pub calls: Vec<(Which, CallFault)>,
    /// Events delivered a second time, this long after the first.
    pub duplicates: Vec<(Which, Duration)>,
    pub throttles: Vec<Throttle>,
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        let mut faults = Self::default();
        match fault {
            Fault::None => {}
            Fault::Call { attempt, fault } => faults.calls.push((Which::Number(attempt), fault)),
            Fault::Duplicate { attempt, after } => {
                faults.duplicates.push((Which::Number(attempt), after))
            }
        }
        faults
    }
}
