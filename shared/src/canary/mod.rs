//! The judge at work in a pipeline: from what CloudWatch tells to a verdict, a summary and what the next look must know.
//!
//! Everything here is pure. [`queries`] says what to ask for, [`plan`] what is measured in the hour before the bake, [`readings`] and
//! [`absence`] turn points into what the judge reads, [`arrival`] keeps minutes out that have arrived in part, [`values`] compares series that are no counts, [`look`] puts them together,
//! [`memory`] is what goes into the continuation token, and [`words`] what a person reads. Settings and metrics of a user's own
//! come from [`config`].

pub mod absence;
pub mod arrival;
pub mod config;
pub mod look;
pub mod memory;
pub mod plan;
pub mod queries;
pub mod readings;
pub mod values;
pub mod words;

pub use config::Settings;
pub use look::{Bake, Outlook, Seen, look, sight};
pub use memory::Memory;
pub use queries::{Data, MetricName, Points, Query, Sides, Subject};
