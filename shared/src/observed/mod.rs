//! What was observed of services and pairs, with the questions that a decision may ask of it.
//!
//! Nothing here performs I/O or decides what is done next.

pub mod colour;
pub mod pair;
pub mod scaling;
pub mod service;

#[cfg(test)]
pub(crate) mod fixtures;
