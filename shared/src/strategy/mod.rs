//! The ways of deploying: one folder a strategy, and what they have in common.

pub mod blue_green;
pub mod canary;
pub mod in_place;
pub mod rollback;

pub use in_place::percentages::{Percent, Percentages, Room, Strategy, StrategyName, check_counts};
