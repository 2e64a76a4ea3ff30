//! Automatic scaling of a service, as one observation saw it.

/// What is suspended of the scalable target of one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScalingView {
    /// Dynamic scaling never removes tasks while this is on.
    pub scale_in_suspended: bool,
    /// No scheduled action changes bounds or count while this is on.
    pub schedule_suspended: bool,
}

impl ScalingView {
    /// What a release suspends: neither policies nor scheduled actions remove tasks.
    pub const SUSPENDED: Self = Self {
        scale_in_suspended: true,
        schedule_suspended: true,
    };

    /// Whether automatic scaling may remove tasks.
    #[must_use]
    pub fn may_scale_in(self) -> bool {
        self != Self::SUSPENDED
    }
}

/// What a lease has of the suspensions of one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordedScaling {
    pub scale_in_suspended: bool,
    /// None in leases that were written before it was recorded: their releases leave scheduled
    /// scaling as it is.
    pub schedule_suspended: Option<bool>,
}

impl RecordedScaling {
    /// The same with everything suspended that is recorded, and so can be restored.
    #[must_use]
    pub fn suspended(self) -> Self {
        Self {
            scale_in_suspended: true,
            schedule_suspended: self.schedule_suspended.map(|_| true),
        }
    }

    /// The recorded suspensions, and as they were `seen` those that are not recorded.
    #[must_use]
    pub fn over(self, seen: ScalingView) -> ScalingView {
        ScalingView {
            scale_in_suspended: self.scale_in_suspended,
            schedule_suspended: self.schedule_suspended.unwrap_or(seen.schedule_suspended),
        }
    }
}

impl From<ScalingView> for RecordedScaling {
    fn from(seen: ScalingView) -> Self {
        Self {
            scale_in_suspended: seen.scale_in_suspended,
            schedule_suspended: Some(seen.schedule_suspended),
        }
    }
}
