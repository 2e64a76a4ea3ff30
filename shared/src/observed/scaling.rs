//! Automatic scaling of a service, as one observation saw it.

/// The scalable target of one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScalingView {
    /// Dynamic scaling never removes tasks while this is on.
    pub scale_in_suspended: bool,
}
