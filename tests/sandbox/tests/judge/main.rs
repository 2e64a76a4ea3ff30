//! The canary judge: recorded scenarios, laws, Kayenta's own vectors, closed holes, reports, and
//! the command.

#![expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected stops there"
)]

mod cli;
mod kayenta;
mod kayenta_corpus;
mod kayenta_rules;
mod laws;
mod refusals;
mod report;
mod scenarios;
