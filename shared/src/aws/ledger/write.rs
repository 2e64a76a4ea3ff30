//! The writes of the ledger: each on the condition that the item is the one that was read.

use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::transact_write_items::builders::TransactWriteItemsFluentBuilder;
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use serde::Serialize;

use super::Ledger;
use super::item::{
    LEASE, RECORD, deregistration_key, item, lease_key, push_key, record_key, started_key, text,
};
use crate::aws::{AwsError, ErrorKind};
use crate::job::StepError;
use crate::limits::REASON_CHARS;
use crate::release::{Lease, PendingDeregistration, Push, Record, RecordState, Started};

impl Ledger {
    /// Writes what became of a push, if the recorded claim still is `before`. `false`: another
    /// invocation was faster, also one with the same event.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn put_push(&self, before: Option<&Push>, push: &Push) -> Result<bool, AwsError> {
        let request = self.put(&push_key(&push.pipeline), &push.digest, push)?;

        let request = match before {
            None => request.condition_expression("attribute_not_exists(pk)"),
            Some(before) => if_still(request, before),
        };

        put_if(request).await
    }

    /// Leads the claim of a digest to an execution that no push started: a rollback of its release
    /// refuses later pushes of the digest. A claim that was written meanwhile is that of a push.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn lead_push(
        &self,
        pipeline: &str,
        digest: &str,
        execution: &str,
    ) -> Result<(), AwsError> {
        let Some(claim) = self.push(pipeline, digest).await? else {
            return Ok(());
        };
        let led = Push {
            execution: Some(execution.to_owned()),
            ..claim.clone()
        };
        self.put_push(Some(&claim), &led).await?;
        Ok(())
    }

    /// Writes the record of an execution unless it has begun or is closed. `false`: it has already
    /// progressed.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn put_record(&self, record: &Record) -> Result<bool, AwsError> {
        let put = self
            .put_of(record)?
            .condition_expression("attribute_not_exists(pk) OR #state = :started")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":started", text("started"));
        let put = TransactWriteItem::builder()
            .put(put.build().map_err(unbuildable)?)
            .build();

        transact(
            self.clients
                .dynamodb()
                .transact_write_items()
                .transact_items(put)
                .transact_items(self.mark(record)?),
        )
        .await
    }

    /// Records why a release that has begun does not go on, or removes that when it goes on, unless
    /// the record already has this state or the release has ended.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn note_reason(&self, execution: &str, reason: Option<&str>) -> Result<(), AwsError> {
        let reason: Option<String> =
            reason.map(|reason| reason.chars().take(REASON_CHARS).collect());
        let known = self.record(execution).await?;
        let Some(record) =
            known.filter(|record| record.state == RecordState::Begun && record.reason != reason)
        else {
            return Ok(());
        };

        let record = Record { reason, ..record };
        let request = self
            .put(&record_key(execution), RECORD, &record)?
            .condition_expression("#state = :begun")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":begun", text("begun"));

        put_if(request).await.map(drop)
    }

    /// The write of one item, on no condition yet.
    pub(super) fn put(
        &self,
        pk: &str,
        sk: &str,
        value: &impl Serialize,
    ) -> Result<PutItemFluentBuilder, AwsError> {
        let item = item(pk, sk, value)?;
        let request = self.clients.dynamodb().put_item();
        Ok(request.table_name(&self.table).set_item(Some(item)))
    }

    fn put_of(&self, record: &Record) -> Result<PutBuilder, AwsError> {
        let key = record_key(&record.execution);
        Ok(Put::builder()
            .table_name(&self.table)
            .set_item(Some(item(&key, RECORD, record)?)))
    }

    /// What the sweep finds a started execution by: there while the record is `started`, gone
    /// afterwards.
    fn mark(&self, record: &Record) -> Result<TransactWriteItem, AwsError> {
        let change = TransactWriteItem::builder();
        let sk = started_key(&record.execution);

        if record.state == RecordState::Started {
            let put = Put::builder().table_name(&self.table).set_item(Some(item(
                LEASE,
                &sk,
                &Started::from_record(record),
            )?));
            return Ok(change.put(put.build().map_err(unbuildable)?).build());
        }

        let delete = Delete::builder()
            .table_name(&self.table)
            .key("pk", text(LEASE))
            .key("sk", text(&sk));
        Ok(change.delete(delete.build().map_err(unbuildable)?).build())
    }

    /// Writes the mark of a started execution again, unless its release has begun or ended
    /// meanwhile.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn note_started(&self, started: &Started) -> Result<(), AwsError> {
        let request = self
            .put(LEASE, &started_key(&started.execution), started)?
            .condition_expression("attribute_exists(sk)");

        put_if(request).await.map(drop)
    }

    /// Writes the pending deregistration of a release that is about to be closed, unless an earlier
    /// invocation did.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn put_deregistration(
        &self,
        pending: &PendingDeregistration,
    ) -> Result<(), AwsError> {
        let request = self
            .put(LEASE, &deregistration_key(pending.execution()), pending)?
            .condition_expression("attribute_not_exists(pk)");

        put_if(request).await.map(drop)
    }

    /// Deletes the pending deregistration of a closed release, unless another invocation did.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn delete_deregistration(
        &self,
        pending: &PendingDeregistration,
    ) -> Result<(), AwsError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .key("pk", text(LEASE))
            .key("sk", text(&deregistration_key(pending.execution())))
            .condition_expression("attribute_exists(pk)")
            .build()
            .map_err(unbuildable)?;
        let delete = TransactWriteItem::builder().delete(delete).build();

        let request = self.clients.dynamodb().transact_write_items();
        transact(request.transact_items(delete)).await.map(drop)
    }

    fn put_lease(&self, next: &Lease) -> Result<PutBuilder, AwsError> {
        let key = lease_key(&next.cluster, &next.service);
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
            .clients
            .dynamodb()
            .put_item()
            .table_name(&self.table)
            .set_item(Some(put.item))
            .set_condition_expression(put.condition_expression)
            .set_expression_attribute_values(put.expression_attribute_values);

        if put_if(request).await? {
            Ok(())
        } else {
            Err(moved())
        }
    }

    /// Writes the next state of a lease and a record together, or neither.
    ///
    /// # Errors
    /// `Busy` when another invocation was faster, or the record is closed by another release than
    /// the one that it follows.
    pub async fn advance_with(&self, next: &Lease, record: &Record) -> Result<(), StepError> {
        let put = self.put_of(record)?;
        let put = match record.follows() {
            // Only the release before it is written over, once, when it is closed.
            Some(earlier) => put
                .condition_expression("#state = :closed AND ended_at = :ended")
                .expression_attribute_values(":ended", text(&earlier.ended_at.to_string())),
            None => put.condition_expression("attribute_not_exists(pk) OR #state <> :closed"),
        };
        let put = put
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":closed", text("closed"));

        let lease = TransactWriteItem::builder()
            .put(self.put_lease(next)?.build().map_err(unbuildable)?)
            .build();
        let put = TransactWriteItem::builder()
            .put(put.build().map_err(unbuildable)?)
            .build();

        let request = self
            .clients
            .dynamodb()
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

/// The write on the condition that a claim is still of the same push, that nothing else is known to
/// have come of it, and that it has not been kept from expiring meanwhile.
fn if_still(request: PutItemFluentBuilder, claim: &Push) -> PutItemFluentBuilder {
    // A later delivery of the same event claims it anew, which `event` alone would not show.
    let request = request
        .expression_attribute_values(":event", text(&claim.event))
        .expression_attribute_values(":claimed", text(&claim.claimed_at.to_string()));
    let (request, execution) = match &claim.execution {
        Some(execution) => (
            request.expression_attribute_values(":execution", text(execution)),
            "execution = :execution",
        ),
        None => (request, "attribute_not_exists(execution)"),
    };
    let expires = if claim.expires_at.is_some() {
        "attribute_exists(expires_at)"
    } else {
        "attribute_not_exists(expires_at)"
    };
    request.condition_expression(format!(
        "event = :event AND claimed_at = :claimed AND {execution} AND {expires}"
    ))
}

/// Another invocation wrote first.
pub(super) fn moved() -> StepError {
    StepError::Busy("lost a write race with another invocation; retrying".to_owned())
}

/// Writes an item on its condition. `false`: another invocation was faster.
pub(super) async fn put_if(request: PutItemFluentBuilder) -> Result<bool, AwsError> {
    let answer = request.send().await;
    match answer.map_err(AwsError::from_sdk("dynamodb:PutItem")) {
        Ok(_) => Ok(true),
        Err(error) if is_lost_race(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_lost_race(error: &AwsError) -> bool {
    error.code == "ConditionalCheckFailedException"
}

fn unbuildable(error: BuildError) -> AwsError {
    AwsError::unexpected("dynamodb:PutItem", error.to_string())
}
