//! The judge at work in a pipeline: from what CloudWatch tells to a verdict, a summary and what the next look must know.
//!
//! Everything here is pure. [`queries`] says what to ask for, [`plan`] what is measured in the hour before the bake, [`readings`] and
//! [`absence`] turn points into what the judge reads, [`arrival`] keeps minutes out that have arrived in part, [`values`] compares series that are no counts, [`look`] puts them together,
//! [`memory`] is what goes into the continuation token, and [`words`] what a person reads. Settings and metrics of a user's own
//! come from [`config`].

pub mod arrival;
pub mod bake_state;
pub mod config;
pub mod evaluate;
pub mod messages;
pub mod missing_data;
pub mod plan;

pub use crate::metrics::queries::{Data, MetricName, Points, Query, Sides, Subject};
pub use bake_state::Memory;
pub use config::Settings;
pub use evaluate::{Bake, Outlook, Seen, look, sight};
