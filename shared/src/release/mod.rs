//! What the ledger remembers of releases: leases, records and pushes, and the legal ways from one state to the next.
//!
//! Everything here is pure: a transition takes an item and answers the next one. `aws::Ledger` reads and writes them, each
//! write on the condition that the item is still the one that was read.

mod lease;
mod push;
mod record;

pub use lease::{
    Change, Decision, Holding, Judged, Lease, OpenRelease, Prior, Registering, Restoring, State,
};
pub use push::{Push, Verdict};
pub use record::{Outcome, Record, RecordState, Started};
