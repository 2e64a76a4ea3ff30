//! Blue/green releases of a pair: two services behind one weighted rule, or behind two weighted
//! records.
//!
//! A release goes to the idle colour; [`shift`] moves the traffic, [`health`] decides whether the
//! new colour keeps it, [`size`] computes how many tasks a colour needs for all of it, [`retire`]
//! stops the old colour unless it is [`in_use`], [`returning`] gives the traffic back, and
//! [`rollback`] brings everything back. [`reset`] finds weights that a stack update left on an
//! empty colour. Everything here is pure.

pub mod context;
pub mod health;
pub mod in_use;
pub mod plan;
pub mod reset;
pub mod retire;
pub mod returning;
pub mod rollback;
pub mod shift;
pub mod size;
pub mod watch;
mod weights_status;

#[cfg(test)]
pub(crate) mod fixtures;
