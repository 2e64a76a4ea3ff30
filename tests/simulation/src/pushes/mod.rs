//! Pushes to many repositories, each of which starts a pipeline: events are lost, doubled and late,
//! starts are throttled, `start-pipeline` dies at any of its calls, tags return to earlier images,
//! images are deleted, and scans end late.
//!
//! Nothing is released: the pipelines wait at an approval, and after some minutes the ledger is
//! given an outcome, as the end of a release would. What must hold is in `invariants::deliveries`.

mod account;
mod coverage;
mod draw;
pub(crate) mod image;
mod plan;
mod play;
mod releases;
mod shrink;

pub use account::{Started, started};
pub use coverage::PushCoverage;
pub use draw::draw;
pub use plan::{PushAct, PushPlan, Timed};
pub use play::{PlayedPushes, play};
pub use shrink::shrink;
