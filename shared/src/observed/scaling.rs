//! Automatic scaling of a service, as one observation saw it.

/// The scalable target of one service: what is suspended of it, and its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScalingView {
    /// Dynamic scaling never removes tasks while this is on.
    pub scale_in_suspended: bool,
    /// No scheduled action changes bounds or count while this is on.
    pub schedule_suspended: bool,
    /// MaxCapacity: tasks that automatic scaling gives the service at most.
    pub max_capacity: u32,
}

impl ScalingView {
    /// Whether automatic scaling may remove tasks. A release suspends both ways to.
    #[must_use]
    pub fn may_scale_in(self) -> bool {
        !(self.scale_in_suspended && self.schedule_suspended)
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
            ..seen
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
