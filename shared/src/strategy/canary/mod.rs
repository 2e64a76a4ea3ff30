//! The judge at work in a pipeline: from points of metrics to a decision, a summary and the state
//! that the next evaluation needs.
//!
//! Everything here is pure. [`plan`] measures the hour before the bake, [`arrival`] keeps out
//! minutes that have arrived in part, [`readings`] makes the judge's readings of the others,
//! [`values`] compares series that are not counts, [`evaluate`] combines them, [`bake_state`] goes
//! into the continuation token, and [`messages`] are the texts. Settings and a user's own metrics
//! come from [`config`].

pub mod arrival;
pub mod bake_state;
pub mod config;
pub mod evaluate;
pub mod messages;
pub mod plan;
pub mod readings;
pub mod values;

pub use bake_state::BakeState;
pub use config::Settings;
pub use evaluate::{Bake, Observed, Outlook, arrivals, evaluate};
