//! The stored format of leases and records, version 1: flat items, as the ledger has had them from
//! the beginning.
//!
//! The only place that knows the form of a lease; simpler parts derive theirs where they are
//! declared. An item whose fields contradict each other is refused with the field's name, never
//! repaired: what is wrong in the ledger is not to be guessed.

mod lease;
mod prior;
mod routing;

use thiserror::Error;

/// A stored item whose fields contradict each other.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("`{field}` is {found}; expected {expected}")]
struct Contradiction {
    field: &'static str,
    found: &'static str,
    expected: &'static str,
}
