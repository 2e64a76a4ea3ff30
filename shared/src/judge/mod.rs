//! The canary judge: compares a canary with the baseline beside it and decides what follows.
//!
//! There are two judges. [`Judge`] looks every minute at per-minute counts and is valid at every
//! look; [`canary`] has its parts. [`kayenta`] reads the canary configs of Spinnaker and judges
//! once, at the end. Both are pure: data in, verdict out, without a clock, randomness or I/O; no
//! data is never a pass. [`report`] writes a judgement down.

pub mod canary;
pub mod kayenta;
mod logs;
pub(crate) mod numbers;
pub mod rank;
pub mod report;
mod strict;
pub mod tally;

pub use canary::{Decision, Judge, JudgeConfig, Progress, Reason, Setup, Verdict};
pub use strict::FieldError;
