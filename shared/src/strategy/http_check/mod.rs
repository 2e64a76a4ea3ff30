//! HTTP checks of a release: what each of them requests and expects, what a response proves, and
//! when its attempts have decided.
//!
//! It sends nothing, and never takes for passed what it could not read.

mod attempt;
mod check;
mod control;
mod url;

pub use attempt::{Attempt, CheckProgress, CheckResponse, CheckState};
pub use check::{ExpectedHeader, HttpCheck, Statuses, is_check_name};
pub use url::CheckUrl;

#[cfg(test)]
mod tests;
