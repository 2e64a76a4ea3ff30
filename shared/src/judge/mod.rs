//! The canary judge: compares a canary with the baseline beside it and decides what follows.
//!
//! There are two judges. [`Judge`] looks every minute at per-minute counts and is valid at every
//! look. [`kayenta`] reads the canary configs of Spinnaker and judges once, at the end. Both are
//! pure: data in, verdict out, without a clock, randomness or I/O; no data is never a pass.
//!
//! The flow of the sequential judge is [`clean`] (does a minute count?), [`evidence`] and
//! [`noninferiority`] (what does it show?), [`final_test`] (once, at the end) and [`sequential`]
//! (what follows?). [`progress`] is what must be kept between looks.

pub mod clean;
pub mod comparison;
pub mod config;
pub mod dispersion;
pub mod evidence;
pub mod final_test;
pub mod kayenta;
mod logs;
pub mod metric;
pub mod noninferiority;
pub(crate) mod numbers;
pub mod offline;
pub mod progress;
pub mod rank;
pub mod report;
pub mod scenario;
pub mod sequential;
pub mod spec;
mod strict;
pub mod tally;
pub mod verdict;

pub use config::JudgeConfig;
pub use progress::Progress;
pub use sequential::Judge;
pub use strict::FieldError;
pub use verdict::{Decision, Reason, Verdict};
