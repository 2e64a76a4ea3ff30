//! Container instances of a cluster, as one observation saw them.

/// The container instances of a cluster, for tasks that hold static host ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortInstances {
    /// Those that take tasks.
    pub active: u32,
    /// Those of them whose agent reserves a port that the tasks need: they never take one.
    pub reserved: u32,
    /// Those of the others where tasks hold such a port, of this service or another.
    pub taken: u32,
    /// Those that take no more tasks and still run some, perhaps of the service.
    pub draining: u32,
    /// Whether a capacity provider of the service adds instances when tasks cannot be placed.
    pub can_grow: bool,
}

/// The container instances of a cluster, for tasks that hold none of their ports alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskInstances {
    /// Those that take tasks.
    pub active: usize,
    /// Whether a capacity provider of the service adds instances when tasks cannot be placed.
    pub can_grow: bool,
}
