//! What operators read of the ledger: the pushes of a pipeline, and the records of all releases.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use super::Ledger;
use super::found_items::{DIGEST, LedgerItems};
use super::item::{RECORD, push_key, text};
use crate::aws::AwsError;
use crate::aws::pages::Pages;
use crate::limits::SCAN_PAGES;
use crate::timestamp::Timestamp;

/// The index of records by pipeline and start.
const RELEASES: &str = "releases";

impl Ledger {
    /// The claims of a pipeline's pushes, refused ones too.
    ///
    /// # Errors
    /// When a call fails, or there are too many items.
    pub async fn pushes(&self, pipeline: &str) -> Result<LedgerItems, AwsError> {
        let query = self.clients.dynamodb().query();
        let query = query
            .key_condition_expression("pk = :pk AND begins_with(sk, :digest)")
            .consistent_read(true)
            .expression_attribute_values(":pk", text(&push_key(pipeline)))
            .expression_attribute_values(":digest", text(DIGEST));
        self.queried(query).await
    }

    /// The records of a pipeline's executions that started since then. They are read from the
    /// index, which has them a moment after they are written.
    ///
    /// # Errors
    /// When a call fails, the table has no index, or there are too many items.
    pub async fn releases(
        &self,
        pipeline: &str,
        since: Timestamp,
    ) -> Result<LedgerItems, AwsError> {
        let query = self.clients.dynamodb().query();
        let query = query
            .index_name(RELEASES)
            .key_condition_expression("pipeline = :pipeline AND started_at >= :since")
            .expression_attribute_values(":pipeline", text(pipeline))
            .expression_attribute_values(":since", text(&since.to_string()));
        self.queried(query).await
    }

    /// The items of all pages of a query.
    async fn queried(&self, query: QueryFluentBuilder) -> Result<LedgerItems, AwsError> {
        const OPERATION: &str = "dynamodb:Query";
        let mut found = LedgerItems::default();
        let mut pages = Pages::new(OPERATION);

        while let Some(start) = pages.next_start()? {
            let request = query
                .clone()
                .table_name(&self.table)
                .set_exclusive_start_key(start);
            let page = request
                .send()
                .await
                .map_err(AwsError::from_sdk(OPERATION))?;

            found.add(OPERATION, page.items);
            pages.go_on(page.last_evaluated_key);
        }
        Ok(found.sorted())
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
        let mut pages = Pages::at_most(SCAN_PAGES, OPERATION);

        while let Some(start) = pages.next_start()? {
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
            pages.go_on(page.last_evaluated_key);
        }
        Ok(found.sorted())
    }
}
