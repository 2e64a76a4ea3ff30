//! The ledger's table: every write on the condition that the item is still the one that was read.
//!
//! Keys: leases are `pk = lease`, `sk = <cluster>/<service>`; records are `pk = execution#<id>`,
//! `sk = record`, and while a record is `started` there is also `pk = lease`, `sk = started#<id>`,
//! so that the sweep reads both with one query, and a pending deregistration, `pk = lease`,
//! `sk = owed#<id>`; pushes are `pk = push#<pipeline>`, `sk = <digest>`, and beside them are
//! `sk = newest` and `sk = stack-update`.

mod found_items;
mod history;
mod item;
mod newest_pushes;
mod rejections;
mod stack_updates;
mod unreadable;
mod write;

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::clients::Clients;
use super::{AwsError, Sdk};
use crate::job::{Failure, ReleaseRef, StepError, StepResult};
use crate::limits::PAGES;
use crate::release::{
    self, Conclusion, Lease, LeaseProof, PendingDeregistration, Push, Record, Started,
};
use crate::timestamp::Timestamp;
pub use found_items::LedgerItems;
use item::{
    Item, LEASE, RECORD, checked, is_deregistration, is_started, lease_key, push_key, record_key,
    sort_key, text,
};
pub use unreadable::Unreadable;

/// What the sweep checks.
#[derive(Debug, Default)]
pub struct Listing {
    /// All leases, free ones too.
    pub leases: Vec<Lease>,
    /// The executions that were started and whose release has neither begun nor ended.
    pub started: Vec<Started>,
    /// Of closed releases.
    pub pending_deregistrations: Vec<PendingDeregistration>,
    /// Items that could not be read: each is an error of its own, and hides no other item.
    pub unreadable: Vec<Unreadable>,
}

#[derive(Clone, Debug)]
pub struct Ledger {
    clients: Arc<Clients>,
    table: String,
    sdk: Sdk,
}

impl Listing {
    /// Whether a release of a pipeline is open, or an execution of it was started whose release
    /// has not begun.
    #[must_use]
    pub fn is_releasing(&self, pipeline: &str) -> bool {
        let mut started = self.started.iter();
        self.open_release_of(pipeline).is_some()
            || started.any(|started| started.pipeline == pipeline)
    }

    /// The execution of an open release of a pipeline.
    #[must_use]
    pub fn open_release_of(&self, pipeline: &str) -> Option<&str> {
        let mut releases = self.leases.iter().filter_map(|it| it.release.as_ref());
        let open = releases.find(|release| release.pipeline == pipeline)?;
        Some(open.execution.as_str())
    }

    fn add(&mut self, operation: &'static str, item: Item) {
        let key = sort_key(&item);
        let whole = item.clone();
        let read = if is_started(&item) {
            checked(operation, item).map(|started| self.started.push(started))
        } else if is_deregistration(&item) {
            checked(operation, item).map(|pending| self.pending_deregistrations.push(pending))
        } else {
            checked(operation, item).map(|lease| self.leases.push(lease))
        };

        if let Err(error) = read {
            let message = format!("{key}: {}", error.message);
            let error = AwsError { message, ..error };
            self.unreadable.push(Unreadable::new(error, whole));
        }
    }
}

impl Ledger {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.own),
            table: sdk.ledger_table.clone(),
            sdk: sdk.clone(),
        }
    }

    async fn get<T: DeserializeOwned>(&self, pk: &str, sk: &str) -> Result<Option<T>, AwsError> {
        const OPERATION: &str = "dynamodb:GetItem";

        let request = self
            .clients
            .dynamodb()
            .get_item()
            .table_name(&self.table)
            .key("pk", text(pk))
            .key("sk", text(sk))
            .consistent_read(true);
        let answer = request
            .send()
            .await
            .map_err(AwsError::from_sdk(OPERATION))?;

        answer.item.map(|item| checked(OPERATION, item)).transpose()
    }

    /// The lease of a service, if it ever had one.
    ///
    /// # Errors
    /// When the call fails or the item is of another version.
    pub async fn lease(&self, cluster: &str, service: &str) -> Result<Option<Lease>, AwsError> {
        self.get(LEASE, &lease_key(cluster, service)).await
    }

    /// All that the sweep checks.
    ///
    /// # Errors
    /// When a call fails, or there are too many items.
    pub async fn leases(&self) -> Result<Listing, AwsError> {
        const OPERATION: &str = "dynamodb:Query";
        let mut listing = Listing::default();
        let mut start = None;

        for _ in 0..PAGES {
            let request = self
                .clients
                .dynamodb()
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk")
                .consistent_read(true)
                .expression_attribute_values(":pk", text(LEASE))
                .set_exclusive_start_key(start);
            let page = request
                .send()
                .await
                .map_err(AwsError::from_sdk(OPERATION))?;

            for item in page.items.unwrap_or_default() {
                listing.add(OPERATION, item);
            }

            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(listing);
            }
        }

        Err(AwsError::unexpected(
            OPERATION,
            format!("the leases have more than {PAGES} pages"),
        ))
    }

    /// The record of an execution.
    ///
    /// # Errors
    /// When the call fails or the item is of another version.
    pub async fn record(&self, execution: &str) -> Result<Option<Record>, AwsError> {
        self.get(&record_key(execution), RECORD).await
    }

    /// The ARN of the pipeline whose release `wanted` is, by its lease or else by its record; none
    /// if it has no deploy role.
    ///
    /// # Errors
    /// When a call fails or an item is of another version.
    pub(crate) async fn owner(&self, wanted: &ReleaseRef) -> Result<Option<String>, AwsError> {
        let lease = self.lease(&wanted.cluster, &wanted.service).await?;
        let held = lease
            .as_ref()
            .and_then(|lease| lease.held_by(&wanted.execution));
        if let Some(release) = held {
            let role = release.deploy_role.as_ref();
            return Ok(role.map(|role| role.external_id.clone()));
        }

        let record = self.record(&wanted.execution).await?;
        let owner = record.as_ref().and_then(Record::owner);
        Ok(owner.map(ToOwned::to_owned))
    }

    /// What `pipeline` has made of a digest.
    ///
    /// # Errors
    /// When the call fails or the item is of another version.
    pub async fn push(&self, pipeline: &str, digest: &str) -> Result<Option<Push>, AwsError> {
        self.get(&push_key(pipeline), digest).await
    }

    /// Proves that the release `wanted` holds the lease on its service. Every step but the one that
    /// opens a release does so before it acts.
    ///
    /// # Errors
    /// As [`prove_lease`](release::prove_lease), and when a call fails.
    pub async fn prove_lease(&self, wanted: &ReleaseRef) -> Result<LeaseProof, StepError> {
        let lease = self.lease(&wanted.cluster, &wanted.service).await?;
        let is_holder = lease
            .as_ref()
            .is_some_and(|lease| lease.held_by(&wanted.execution).is_some());

        // The record counts only when the execution does not hold the lease.
        let record = if is_holder {
            None
        } else {
            self.record(&wanted.execution).await?
        };

        Ok(release::prove_lease(lease, record, wanted)?)
    }

    /// Records a failure in the open release, if the result is one and the release has none yet,
    /// and returns the result.
    ///
    /// # Errors
    /// The result's own.
    pub async fn record_failure(&self, wanted: &ReleaseRef, result: StepResult) -> StepResult {
        if let Err(StepError::Failed(failure)) = &result {
            self.fail_release(wanted, failure).await?;
        }
        result
    }

    /// Records why a job of an execution cannot be read: in the record, while its release has not
    /// begun, or else in the open release, if it has none yet.
    ///
    /// # Errors
    /// When a call fails.
    pub(crate) async fn record_unreadable(
        &self,
        wanted: &ReleaseRef,
        failure: &Failure,
    ) -> Result<(), StepError> {
        let record = self.record(&wanted.execution).await?;
        match record.and_then(|record| record.with_unreadable_job(failure)) {
            Some(record) => {
                self.put_record(&record).await?;
                Ok(())
            }
            None => self.fail_release(wanted, failure).await,
        }
    }

    async fn fail_release(&self, wanted: &ReleaseRef, failure: &Failure) -> Result<(), StepError> {
        let lease = self.lease(&wanted.cluster, &wanted.service).await?;
        let now = self.sdk.now();
        let failed = lease
            .and_then(|lease| release::record_failure(&lease, &wanted.execution, failure, now));
        match failed {
            Some(failed) => self.advance(&failed).await,
            None => Ok(()),
        }
    }

    /// Writes the end of the release that holds `lease`: the free lease and the record, together.
    ///
    /// # Errors
    /// `Busy` when another invocation was faster; a failure when the release cannot end like this.
    pub async fn close(
        &self,
        lease: &Lease,
        conclusion: &Conclusion,
        now: Timestamp,
    ) -> Result<(), StepError> {
        let (free, record) = release::close(lease, conclusion, now)?;
        self.advance_with(&free, &record).await
    }
}
