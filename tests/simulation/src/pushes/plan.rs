//! A run of pushes as plain data: drawn from its seed, printed, made smaller and played again.

use std::fmt;
use std::time::Duration;

use crate::plan::Incident;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushPlan {
    pub seed: u64,
    pub repositories: usize,
    /// In the order of their times.
    pub acts: Vec<Timed>,
    /// What goes wrong.
    pub incidents: Vec<Incident>,
    /// How many percent of the deliveries come twice within a second or two.
    pub doubled_percent: u8,
}

/// Something that happens so long after the beginning, in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timed {
    pub at: Duration,
    pub repository: usize,
    pub act: PushAct,
}

/// What happens in a repository. Images are numbered in the order in which they were pushed, from
/// that of the beginning on; an act about one that is not there does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushAct {
    /// A new image under a version of its own.
    PushVersion,
    /// A new image under two versions of its own at once.
    PushTwice,
    /// A new image under the tag that moves.
    PushMoving,
    /// A new image under a tag that is not delivered.
    PushOther,
    /// Something that cannot run, under a tag that is delivered.
    PushChart,
    /// The tag that moves returns to an image.
    Return(usize),
    /// An image gets another tag.
    Tag(usize),
    Delete(usize),
    /// A scan ends.
    Scan {
        image: usize,
        is_critical: bool,
    },
}

impl PushAct {
    /// A word for it, for counting.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PushVersion => "a version is pushed",
            Self::PushTwice => "two tags are pushed at once",
            Self::PushMoving => "a tag moves to a new image",
            Self::PushOther => "a tag that is not delivered is pushed",
            Self::PushChart => "what cannot run is pushed",
            Self::Return(_) => "a tag returns to an image",
            Self::Tag(_) => "an image gets another tag",
            Self::Delete(_) => "an image is deleted",
            Self::Scan { .. } => "a scan ends",
        }
    }
}

/// Whether the images of a repository, counted from 0, have to pass a scan.
pub(super) fn is_scanned(repository: usize) -> bool {
    repository % 3 == 2
}

impl fmt::Display for PushPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {}: {} repositories, {} % of the deliveries doubled",
            self.seed, self.repositories, self.doubled_percent
        )?;
        for Timed {
            at,
            repository,
            act,
        } in &self.acts
        {
            writeln!(f, "  {at:?} in {repository}: {} ({act:?})", act.as_str())?;
        }
        for incident in &self.incidents {
            writeln!(f, "  {}: {incident:?}", incident.as_str())?;
        }
        Ok(())
    }
}
