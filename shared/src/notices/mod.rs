//! Notices: what is announced of a release when it begins, waits and ends, and when its service
//! drifts after it. A notice is made of one change of the ledger alone, so that the same change
//! makes the same notice whenever it is read, under a key by which consumers drop what they have.
//!
//! Never reads the ledger or a clock, and never decides what becomes of a release.

mod chat;
mod notice;
mod reading;
#[cfg(test)]
mod tests;
mod text;

pub use notice::{Ended, Hold, NamedRelease, Notice, Occasion, SOURCE};
pub use reading::{of_approval, of_change};
