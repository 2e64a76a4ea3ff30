//! Freezes, end to end: the shop's releases are held back by a window that begins while their
//! traffic moves, by one that no release can wait for, and by a line that a failed one stopped.

use slipway::release::Outcome;
use slipway::timestamp::Timestamp;

use super::stacks::{SHOP, deploy_pipeline_of_pair};
use super::{Chapter, Image, Operator, deployed, play};
use crate::driver::Fault;
use emulator::ecr::Behaviour;
use emulator::{Aws, Millis};

const MINUTE: Millis = 60_000;

/// How many minutes after a push a window begins: the traffic moves from the third to the twelfth.
const MID_SHIFT: i64 = 6;

/// One image, what its pipeline is given before, and how its release must end.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub chapter: Chapter,
    pub pipeline: Pipeline,
}

/// What is changed of the pipeline.
#[derive(Clone, Copy, Debug)]
pub enum Pipeline {
    /// A window of this many minutes begins in mid-shift.
    FrozenFor(i64),
    /// Failed releases stop the line.
    StopsLine,
    AsBefore,
}

/// The cases, in order.
pub const CASES: [Case; 4] = [
    Case {
        chapter: shop("a freeze of half an hour begins in mid-shift", "2.0.0"),
        pipeline: Pipeline::FrozenFor(30),
    },
    Case {
        chapter: Chapter {
            outcome: Outcome::Held,
            reason: "frozen: until ",
            ..shop("a freeze of 62 hours begins in mid-shift", "2.1.0")
        },
        pipeline: Pipeline::FrozenFor(62 * 60),
    },
    Case {
        chapter: Chapter {
            image: Image::New(Behaviour::FailsUnderTraffic),
            outcome: Outcome::RolledBack,
            reason: "the transition into stage Release is disabled",
            ..shop("one that fails stops the line", "2.2.0")
        },
        pipeline: Pipeline::StopsLine,
    },
    Case {
        chapter: Chapter {
            operator: Operator::EnablesTransition,
            ..shop(
                "the next one waits until an operator lets it go on",
                "2.3.0",
            )
        },
        pipeline: Pipeline::AsBefore,
    },
];

/// A healthy image of the shop that is deployed.
const fn shop(title: &'static str, tag: &'static str) -> Chapter {
    Chapter {
        title,
        application: SHOP,
        tag,
        image: Image::New(Behaviour::Healthy),
        operator: Operator::Watches,
        outcome: Outcome::Deployed,
        reason: "2 targets healthy",
    }
}

/// The shop, released once.
///
/// # Errors
/// What a template refused, or what did not become steady.
pub fn opened(seed: u64) -> Result<Aws, String> {
    let first = shop("the shop's first release", "1.0.0");
    Ok(play(deployed(seed)?, &first, Fault::None, &mut |_| {})?.aws)
}

impl Case {
    /// Changes the pipeline before the push.
    ///
    /// # Errors
    /// What the template refused.
    pub fn prepare(&self, aws: &mut Aws) -> Result<(), String> {
        match self.pipeline {
            Pipeline::FrozenFor(minutes) => {
                let from = (aws.now / MINUTE + MID_SHIFT) * MINUTE;
                let windows = format!("{}/{}", utc(from), utc(from + minutes * MINUTE));
                deploy_pipeline_of_pair(aws, &[("FreezeWindows", windows.as_str())])
            }
            Pipeline::StopsLine => deploy_pipeline_of_pair(aws, &[("StopLine", "yes")]),
            Pipeline::AsBefore => Ok(()),
        }
    }
}

/// An instant as windows have it: `2026-01-05T09:10`.
fn utc(at: Millis) -> String {
    let at = Timestamp::from_secs(at / 1000).expect("a year of four digits");
    at.to_string().chars().take(16).collect()
}
