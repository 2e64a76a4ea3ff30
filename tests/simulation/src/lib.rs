//! A simulation that tries to break everything: random services, releases, operators and faults,
//! each run drawn from one seed and checked against the invariants.
//!
//! A seed makes a `Plan`, which is plain data; `play` plays it and reports what did not hold. The
//! same seed gives the same bytes.
//!
//! `pushes` and `burst` are simulations of their own: of many repositories and pipelines, in which
//! no service is updated.

mod artifact;
mod bound;
pub mod burst;
mod canary;
mod coverage;
mod delivery;
mod draw;
mod drawn;
mod freeze;
mod operators;
mod plan;
mod play;
mod promotion;
pub mod pushes;
mod shape;
mod shrink;
mod trace;
mod traffic;

pub use artifact::Artifact;
pub use canary::{Canary, DrawnInconclusive, Flaw, Metrics};
pub use coverage::{Canaries, CanaryClass, CanaryShare, Coverage};
pub use draw::{About, plan};
pub use drawn::Drawn;
pub use freeze::DrawnFreeze;
pub use plan::{Act, Anchor, ApprovalAnswer, Image, Incident, Plan, Push, When};
pub use play::{Played, play};
pub use promotion::{DrawnCommit, Promotion};
pub use shape::{
    CANARIES_FROM, DrawnChecks, DrawnRecords, Oddity, PAIRS_FROM, POLLED_FROM, POLLED_TO,
    RECORDS_FROM, SHAPES, Shape, Strategy,
};
pub use traffic::DrawnTraffic;
