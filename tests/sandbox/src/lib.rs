//! A test bed for Slipway: an in-memory AWS, and what runs the real functions and templates on it.

pub mod aws;
pub mod client;
pub mod driver;
pub mod functions;
pub mod invariants;
pub mod observer;
pub mod simulation;
pub mod story;
