//! What operators read of the ledger: the pushes of a pipeline, and the records of all releases.
//!
//! Never hides an item that cannot be read: it is in the list of those, and hides no other item.

use super::item::{Item, RECORD, checked, push_key, sort_key, text};
use super::{Ledger, Unreadable};
use crate::aws::AwsError;
use crate::limits::{PAGES, SCAN_PAGES};
use crate::release::{Push, Record};

/// What the sort key of the claim of a digest begins with.
const DIGEST: &str = "sha256:";

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
    fn add(&mut self, operation: &'static str, items: Option<Vec<Item>>) {
        for item in items.unwrap_or_default() {
            self.add_item(operation, item);
        }
    }

    fn add_item(&mut self, operation: &'static str, item: Item) {
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

    fn sorted(mut self) -> Self {
        self.records.sort_by_key(|record| record.started_at);
        self.pushes.sort_by_key(|push| push.claimed_at);
        self
    }
}

impl Ledger {
    /// The claims of a pipeline's pushes, refused ones too.
    ///
    /// # Errors
    /// When a call fails, or there are too many items.
    pub async fn pushes(&self, pipeline: &str) -> Result<LedgerItems, AwsError> {
        const OPERATION: &str = "dynamodb:Query";
        let mut found = LedgerItems::default();
        let mut start = None;

        for _ in 0..PAGES {
            let request = self
                .clients
                .dynamodb()
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND begins_with(sk, :digest)")
                .consistent_read(true)
                .expression_attribute_values(":pk", text(&push_key(pipeline)))
                .expression_attribute_values(":digest", text(DIGEST))
                .set_exclusive_start_key(start);
            let page = request
                .send()
                .await
                .map_err(AwsError::from_sdk(OPERATION))?;

            found.add(OPERATION, page.items);
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(found.sorted());
            }
        }
        Err(too_long(OPERATION, PAGES))
    }

    /// The records of all executions. Reads the whole table.
    ///
    /// # Errors
    /// When a call fails, or the table is too long.
    pub async fn records(&self) -> Result<LedgerItems, AwsError> {
        self.scan("#attribute = :value", "sk", RECORD).await
    }

    /// The records and the claims of the digests that begin like this. Reads the whole table.
    ///
    /// # Errors
    /// As [`Self::records`].
    pub async fn of_digest(&self, digest: &str) -> Result<LedgerItems, AwsError> {
        let begins = "begins_with(#attribute, :value)";
        self.scan(begins, "digest", digest).await
    }

    async fn scan(&self, filter: &str, name: &str, value: &str) -> Result<LedgerItems, AwsError> {
        const OPERATION: &str = "dynamodb:Scan";
        let mut found = LedgerItems::default();
        let mut start = None;

        for _ in 0..SCAN_PAGES {
            let request = self
                .clients
                .dynamodb()
                .scan()
                .table_name(&self.table)
                .filter_expression(filter)
                .consistent_read(true)
                .expression_attribute_names("#attribute", name)
                .expression_attribute_values(":value", text(value))
                .set_exclusive_start_key(start);
            let page = request
                .send()
                .await
                .map_err(AwsError::from_sdk(OPERATION))?;

            found.add(OPERATION, page.items);
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(found.sorted());
            }
        }
        Err(too_long(OPERATION, SCAN_PAGES))
    }
}

fn too_long(operation: &'static str, pages: usize) -> AwsError {
    AwsError::unexpected(operation, format!("more than {pages} pages"))
}
