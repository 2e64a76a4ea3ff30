//! The phase of a lease, as refusals name it.

use super::names::names;
use super::{Lease, Phase, Target};

names! {
    /// The phase of a lease, for refusals. The target of a release matters as much as its phase.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum PhaseName {
        Free => "the lease is free",
        Beginning => "the release has not recorded the prior release",
        OpenService => "the release of a service is open",
        OpenPair => "the release of a pair is open",
        RollingBackUnrecorded =>
            "the release is being rolled back without a recorded prior release",
        RollingBackService => "the release of a service is being rolled back",
        RollingBackPair => "the release of a pair is being rolled back",
    }
}

impl Lease {
    #[must_use]
    pub fn phase(&self) -> PhaseName {
        match self.release.as_ref().map(|release| &release.phase) {
            None => PhaseName::Free,
            Some(Phase::Beginning) => PhaseName::Beginning,
            Some(Phase::Open(Target::Service(_))) => PhaseName::OpenService,
            Some(Phase::Open(Target::Pair(_))) => PhaseName::OpenPair,
            Some(Phase::RollingBack { target, .. }) => match target {
                None => PhaseName::RollingBackUnrecorded,
                Some(Target::Service(_)) => PhaseName::RollingBackService,
                Some(Target::Pair(_)) => PhaseName::RollingBackPair,
            },
        }
    }
}
