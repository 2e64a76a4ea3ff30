//! What a look into the ledger found, for operators.
//!
//! Never hides an item that cannot be read: it is in the list of those, and hides no other item.

use super::item::{Item, RECORD, checked, sort_key};
use super::unreadable::Unreadable;
use crate::release::{Push, Record};

/// What the sort key of the claim of a digest begins with.
pub(super) const DIGEST: &str = "sha256:";

/// What a look into the ledger found.
#[derive(Debug, Default)]
pub struct LedgerItems {
    /// By the time of their start.
    pub records: Vec<Record>,
    /// By the time of their claim.
    pub pushes: Vec<Push>,
    pub unreadable: Vec<Unreadable>,
}

impl LedgerItems {
    pub(super) fn add(&mut self, operation: &'static str, items: Option<Vec<Item>>) {
        for item in items.unwrap_or_default() {
            self.add_item(operation, item);
        }
    }

    pub(super) fn add_item(&mut self, operation: &'static str, item: Item) {
        let key = sort_key(&item);
        let whole = item.clone();
        let read = if key == RECORD {
            checked(operation, item).map(|record| self.records.push(record))
        } else if key.starts_with(DIGEST) {
            checked(operation, item).map(|push| self.pushes.push(push))
        } else {
            Ok(())
        };
        if let Err(error) = read {
            self.unreadable.push(Unreadable::new(error, whole));
        }
    }

    pub(super) fn sorted(mut self) -> Self {
        self.records.sort_by_key(|record| record.started_at);
        self.pushes.sort_by_key(|push| push.claimed_at);
        self
    }
}
