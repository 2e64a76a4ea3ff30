//! What operators read of the ledger: the pushes of a pipeline, and the records of all releases.

use super::Ledger;
use super::found_items::{DIGEST, LedgerItems};
use super::item::{RECORD, push_key, text};
use crate::aws::AwsError;
use crate::limits::{PAGES, SCAN_PAGES};

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
