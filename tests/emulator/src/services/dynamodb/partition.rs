//! The throughput of partitions: whatever a table may take, the items of one partition key take no
//! more writes a second than one partition has.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html>

use std::collections::BTreeMap;

use super::table::PrimaryKey;
use crate::quotas::Bucket;
use crate::{Millis, Rate};

/// Write units: one for each kilobyte of an item, and twice as many in a transaction.
const WRITES: Rate = Rate {
    burst: 1_000,
    per_second: 1_000,
};

/// What the partition keys of a table have left, by their hashes.
#[derive(Clone, Debug, Default)]
pub(super) struct Partitions(BTreeMap<u64, Bucket>);

impl Partitions {
    /// Whether the partition of a key takes a write of so many units.
    pub(super) fn take(&mut self, key: &PrimaryKey, units: i64, now: Millis) -> bool {
        let bucket = self.0.entry(key.bucket()).or_default();
        bucket.take_many(WRITES, units, now)
    }
}
