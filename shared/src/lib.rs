//! The domain of Slipway: what a release of a container image to Amazon ECS is, and how one step of it is decided.
//!
//! Everything but [`aws`] is free of I/O. Each function of `functions/` is one step: it observes through [`aws`], asks
//! the pure part what to do, applies at most one change and reports once through [`job`].

pub mod aws;
pub mod event;
pub mod image;
pub mod job;
pub mod judge;
pub mod limits;
pub mod metrics;
pub mod observed;
pub mod release;
pub mod routing;
pub mod strategy;
pub mod task_definition;
pub mod telemetry;
pub mod timestamp;
