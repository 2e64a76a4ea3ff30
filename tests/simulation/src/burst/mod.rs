//! Thousands of subscriptions and a burst of pushes: each push must start its pipeline, and each
//! execution registers a task definition, whatever AWS throttles.
//!
//! Only the quotas that AWS raises on request are raised, so that the pipelines fit into the
//! account. A release ends with its approval: no service is updated. After the burst the sweeps of
//! all pipelines go on for some hours, in which the memory of the process must not grow.

mod account;
mod figures;
mod memory;
mod play;

pub use figures::{Figures, Hour};
pub use play::{Load, play};
