//! The ledger's table: every write on the condition that the item is still the one that was read.
//!
//! Keys: leases are `pk = lease`, `sk = <cluster>/<service>`; records are `pk = execution#<id>`,
//! `sk = record`, and while a record is `started` there is also `pk = lease`, `sk = started#<id>`,
//! so that the sweep reads both with one query; pushes are `pk = push#<pipeline>`, `sk = <digest>`.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::transact_write_items::builders::TransactWriteItemsFluentBuilder;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_dynamo::{from_item, to_item};

use super::{AwsError, ErrorKind, Sdk, short_name};
use crate::job::{ReleaseRef, StepError, StepResult};
use crate::limits::{FORMAT_VERSION, PAGES};
use crate::release::{self, ClaimResult, Conclusion, Lease, Push, Record, RecordState, Started};
use crate::timestamp::Timestamp;

/// The partition of all that the sweep reads.
const LEASE: &str = "lease";

/// What the sort key of a started execution begins with; no name of a cluster holds `#`.
const STARTED: &str = "started#";

type Item = HashMap<String, AttributeValue>;

#[derive(Clone, Debug)]
pub struct Ledger {
    client: Client,
    table: String,
    sdk: Sdk,
}

/// The item's value, if its `v` is of this version.
fn checked<T: DeserializeOwned>(operation: &'static str, item: Item) -> Result<T, AwsError> {
    let version = item
        .get("v")
        .and_then(|v| v.as_n().ok())
        .and_then(|n| n.parse::<u32>().ok());
    if version != Some(FORMAT_VERSION) {
        let found = version.map_or("not a number".to_owned(), |version| version.to_string());
        return Err(AwsError::unexpected(
            operation,
            format!("`v` of a ledger item is {found}; expected {FORMAT_VERSION}"),
        ));
    }
    from_item(item)
        .map_err(|e| AwsError::unexpected(operation, format!("failed to read a ledger item: {e}")))
}

fn item(pk: &str, sk: &str, value: &impl Serialize) -> Result<Item, AwsError> {
    let mut item: Item =
        to_item(value).map_err(|e| AwsError::unexpected("dynamodb:PutItem", e.to_string()))?;
    item.insert("pk".to_owned(), AttributeValue::S(pk.to_owned()));
    item.insert("sk".to_owned(), AttributeValue::S(sk.to_owned()));
    Ok(item)
}

fn unbuildable(error: BuildError) -> AwsError {
    AwsError::unexpected("dynamodb:PutItem", error.to_string())
}

/// Another invocation wrote first.
fn moved() -> StepError {
    StepError::Busy("lost a write race with another invocation; retrying".to_owned())
}

fn is_lost_race(error: &AwsError) -> bool {
    error.code == "ConditionalCheckFailedException"
}

/// Sends a transaction. `false`: one of its conditions does not hold, so that another invocation
/// was faster. One that met another transaction on the same items, or was throttled, proves nothing
/// about the conditions: it is `Busy`.
async fn transact(request: TransactWriteItemsFluentBuilder) -> Result<bool, AwsError> {
    let Err(error) = request.send().await else {
        return Ok(true);
    };
    let reasons = match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
            canceled.cancellation_reasons()
        }
        _ => &[],
    };
    let has = |code: &str| reasons.iter().any(|reason| reason.code() == Some(code));
    if has("ConditionalCheckFailed") {
        return Ok(false);
    }
    let passes = [
        "TransactionConflict",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
    ]
    .into_iter()
    .any(has);
    let error = AwsError::from_sdk("dynamodb:PutItem")(error);
    Err(AwsError {
        kind: if passes { ErrorKind::Busy } else { error.kind },
        ..error
    })
}

impl Ledger {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            client: Client::new(&sdk.config),
            table: sdk.ledger_table.clone(),
            sdk: sdk.clone(),
        }
    }

    async fn get<T: DeserializeOwned>(&self, pk: &str, sk: &str) -> Result<Option<T>, AwsError> {
        const OPERATION: &str = "dynamodb:GetItem";
        let key = |text: &str| AttributeValue::S(text.to_owned());
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", key(pk))
            .key("sk", key(sk))
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
        self.get(
            LEASE,
            &format!("{}/{}", short_name(cluster), short_name(service)),
        )
        .await
    }

    /// All leases, free ones too, and the executions that were started and whose release has
    /// neither begun nor ended.
    ///
    /// # Errors
    /// When a call fails, an item is of another version, or there are too many.
    pub async fn leases(&self) -> Result<(Vec<Lease>, Vec<Started>), AwsError> {
        const OPERATION: &str = "dynamodb:Query";
        let (mut leases, mut started, mut start) = (Vec::new(), Vec::new(), None);
        for _ in 0..PAGES {
            let request = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk");
            let request = request
                .consistent_read(true)
                .expression_attribute_values(":pk", AttributeValue::S(LEASE.to_owned()))
                .set_exclusive_start_key(start);
            let page = request
                .send()
                .await
                .map_err(AwsError::from_sdk(OPERATION))?;
            for item in page.items.unwrap_or_default() {
                match item
                    .get("sk")
                    .and_then(|sk| sk.as_s().ok())
                    .is_some_and(|sk| sk.starts_with(STARTED))
                {
                    true => started.push(checked(OPERATION, item)?),
                    false => leases.push(checked(OPERATION, item)?),
                }
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok((leases, started));
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
        self.get(&format!("execution#{execution}"), "record").await
    }

    /// What `pipeline` has made of a digest.
    ///
    /// # Errors
    /// When the call fails or the item is of another version.
    pub async fn push(&self, pipeline: &str, digest: &str) -> Result<Option<Push>, AwsError> {
        self.get(&format!("push#{pipeline}"), digest).await
    }

    /// Writes what became of a push, if it is still the `standing` one. `false`: another invocation
    /// was faster.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn put_push(&self, standing: Option<&Push>, push: &Push) -> Result<bool, AwsError> {
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item(
                &format!("push#{}", push.pipeline),
                &push.digest,
                push,
            )?));
        let request = match standing {
            None => request.condition_expression("attribute_not_exists(pk)"),
            Some(standing) => request
                .condition_expression("event = :event")
                .expression_attribute_values(":event", AttributeValue::S(standing.event.clone())),
        };
        match request
            .send()
            .await
            .map_err(AwsError::from_sdk("dynamodb:PutItem"))
        {
            Ok(_) => Ok(true),
            Err(error) if is_lost_race(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes the record of an execution unless it has begun or is closed. `false`: it is further
    /// already.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn put_record(&self, record: &Record) -> Result<bool, AwsError> {
        let put = self.put_of(record)?;
        let put = put
            .condition_expression("attribute_not_exists(pk) OR #state = :started")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":started", AttributeValue::S("started".to_owned()));
        let put = TransactWriteItem::builder()
            .put(put.build().map_err(unbuildable)?)
            .build();
        transact(
            self.client
                .transact_write_items()
                .transact_items(put)
                .transact_items(self.mark(record)?),
        )
        .await
    }

    fn put_of(&self, record: &Record) -> Result<PutBuilder, AwsError> {
        let key = format!("execution#{}", record.execution);
        Ok(Put::builder()
            .table_name(&self.table)
            .set_item(Some(item(&key, "record", record)?)))
    }

    /// What the sweep finds a started execution by: there while the record is `started`, gone
    /// afterwards.
    fn mark(&self, record: &Record) -> Result<TransactWriteItem, AwsError> {
        let (change, sk) = (
            TransactWriteItem::builder(),
            format!("{STARTED}{}", record.execution),
        );
        if record.state == RecordState::Started {
            let put = Put::builder().table_name(&self.table);
            let put = put.set_item(Some(item(LEASE, &sk, &Started::of(record))?));
            return Ok(change.put(put.build().map_err(unbuildable)?).build());
        }
        let key = |text: &str| AttributeValue::S(text.to_owned());
        let delete = Delete::builder()
            .table_name(&self.table)
            .key("pk", key(LEASE))
            .key("sk", key(&sk));
        Ok(change.delete(delete.build().map_err(unbuildable)?).build())
    }

    fn put_lease(&self, next: &Lease) -> Result<PutBuilder, AwsError> {
        let key = format!(
            "{}/{}",
            short_name(&next.cluster),
            short_name(&next.service)
        );
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item(LEASE, &key, next)?));
        Ok(match next.fence {
            1 => put.condition_expression("attribute_not_exists(pk)"),
            fence => put
                .condition_expression("fence = :fence")
                .expression_attribute_values(":fence", AttributeValue::N((fence - 1).to_string())),
        })
    }

    /// Writes the next state of a lease, if it is still the one before.
    ///
    /// # Errors
    /// `Busy` when another invocation was faster.
    pub async fn advance(&self, next: &Lease) -> Result<(), StepError> {
        let put = self.put_lease(next)?.build().map_err(unbuildable)?;
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(put.item))
            .set_condition_expression(put.condition_expression);
        let request = request.set_expression_attribute_values(put.expression_attribute_values);
        match request
            .send()
            .await
            .map_err(AwsError::from_sdk("dynamodb:PutItem"))
        {
            Err(error) if is_lost_race(&error) => Err(moved()),
            other => Ok(other.map(drop)?),
        }
    }

    /// Writes the next state of a lease and a record together, or neither.
    ///
    /// # Errors
    /// `Busy` when another invocation was faster or the record is closed.
    pub async fn advance_with(&self, next: &Lease, record: &Record) -> Result<(), StepError> {
        let put = self
            .put_of(record)?
            .condition_expression("attribute_not_exists(pk) OR #state <> :closed")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":closed", AttributeValue::S("closed".to_owned()));
        let lease = TransactWriteItem::builder()
            .put(self.put_lease(next)?.build().map_err(unbuildable)?)
            .build();
        let put = TransactWriteItem::builder()
            .put(put.build().map_err(unbuildable)?)
            .build();
        let request = self
            .client
            .transact_write_items()
            .transact_items(lease)
            .transact_items(put);
        // A release that is closed has begun, so nothing marks it as started any more.
        let request = match record.state {
            RecordState::Closed => request,
            RecordState::Started | RecordState::Begun => request.transact_items(self.mark(record)?),
        };
        if transact(request).await? {
            Ok(())
        } else {
            Err(moved())
        }
    }

    /// Proves that the release `wanted` holds the lease on its service. Every step but the one that
    /// opens a release does so before it acts.
    ///
    /// # Errors
    /// As [`claim`](release::claim), and when a call fails.
    pub async fn claim(&self, wanted: &ReleaseRef) -> Result<ClaimResult, StepError> {
        let lease = self.lease(&wanted.cluster, &wanted.service).await?;
        let is_holder = lease
            .as_ref()
            .is_some_and(|lease| lease.held_by(&wanted.execution).is_some());
        let record = if is_holder {
            None
        } else {
            self.record(&wanted.execution).await?
        };
        Ok(release::claim(lease, record, wanted)?)
    }

    /// Records a failure in the open release, if the result is one and the release has none yet, and
    /// returns the result.
    ///
    /// # Errors
    /// The result's own.
    pub async fn record_failure(&self, wanted: &ReleaseRef, result: StepResult) -> StepResult {
        let Err(StepError::Failed(failure)) = &result else {
            return result;
        };
        let lease = self.lease(&wanted.cluster, &wanted.service).await?;
        let now = self.sdk.now();
        let failed = lease
            .and_then(|lease| release::record_failure(&lease, &wanted.execution, failure, now));
        if let Some(failed) = failed {
            self.advance(&failed).await?;
        }
        result
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
