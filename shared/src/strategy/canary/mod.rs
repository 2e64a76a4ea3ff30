//! The judge at work in a pipeline: from points of metrics to a decision, a summary and the state
//! that the next evaluation needs.
//!
//! Everything here is pure. [`plan`] measures the hour before the bake, [`arrival`] keeps out
//! counters that have not settled, [`minutes`] makes the judge's minutes of the others,
//! [`evaluate`] judges them, `missing_data` finds what was not measured, [`bake_state`] goes into
//! the continuation token, and [`messages`] are the texts. Settings and a user's own metrics come
//! from [`config`].

pub mod arrival;
pub mod bake_state;
pub mod config;
pub mod evaluate;
pub mod messages;
pub mod minutes;
mod missing_data;
pub mod plan;
pub mod remark;

pub use bake_state::BakeState;
pub use config::Settings;
pub use evaluate::{Bake, Observed, Outlook, arrivals, evaluate};
pub use remark::Remark;
