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
