//! What was observed of services and pairs, and what a decision can derive from it.
//!
//! Nothing here performs I/O or decides what is done next.

pub mod alarm;
pub mod balancers;
pub mod colour;
pub mod image;
pub mod instances;
pub mod listener_rule;
pub mod other_route;
pub mod pair;
pub mod percentages;
pub mod pipeline;
pub mod record;
pub mod route;
pub mod scaling;
pub mod service;
pub mod service_deployment;
pub mod task;
pub mod transition;
pub mod weights;

#[cfg(test)]
pub(crate) mod fixtures;
