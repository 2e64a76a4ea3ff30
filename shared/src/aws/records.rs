//! The weighted records of a pair in Route 53: their weights observed, and set without changing
//! anything else of them.

use std::sync::Arc;

use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ChangeStatus, ResourceRecordSet, RrType,
};
use aws_smithy_types::error::operation::BuildError;

use super::clients::Clients;
use super::pages::Pages;
use super::{AwsError, Sdk};
use crate::observed::colour::Colour;
use crate::observed::record::{RecordKey, RecordSetView};
use crate::observed::weights::Weights;

const LIST: &str = "route53:ListResourceRecordSets";
const CHANGE: &str = "route53:ChangeResourceRecordSets";
const GET_CHANGE: &str = "route53:GetChange";

#[derive(Clone, Debug)]
pub struct Records {
    clients: Arc<Clients>,
}

/// All record sets of a name as observed, with what must be sent back when one is changed.
#[derive(Clone, Debug)]
pub struct ObservedRecords {
    pub views: Vec<RecordSetView>,
    key: RecordKey,
    sets: Vec<ResourceRecordSet>,
}

impl Records {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.service),
        }
    }

    /// All record sets of a name, changes that are PENDING included; `None` when the zone does not
    /// exist.
    ///
    /// # Errors
    /// When a call fails or the response cannot be understood.
    pub async fn observe(&self, key: &RecordKey) -> Result<Option<ObservedRecords>, AwsError> {
        match self.sets_of(&key.zone, &key.name).await {
            Ok(sets) => {
                let views = sets.iter().map(view).collect::<Result<Vec<_>, String>>();
                let views = views
                    .map_err(|lack| AwsError::unexpected(LIST, format!("{}: {lack}", key.name)))?;
                Ok(Some(ObservedRecords {
                    views,
                    key: key.clone(),
                    sets,
                }))
            }
            Err(error) if error.code == "NoSuchHostedZone" => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The list is in the order of names, and begins with the one that is wanted.
    async fn sets_of(&self, zone: &str, name: &str) -> Result<Vec<ResourceRecordSet>, AwsError> {
        let mut sets = Vec::new();
        let mut pages = Pages::new(LIST);
        let (mut kind, mut identifier): (Option<RrType>, Option<String>) = (None, None);
        while let Some(start) = pages.next_start()? {
            let request = self
                .clients
                .route53()
                .list_resource_record_sets()
                .hosted_zone_id(zone)
                .start_record_name(start.as_deref().unwrap_or(name))
                .set_start_record_type(kind.take())
                .set_start_record_identifier(identifier.take());
            let page = request.send().await.map_err(AwsError::from_sdk(LIST))?;

            let listed = page.resource_record_sets.into_iter();
            sets.extend(listed.filter(|set| set.name == name));
            kind = page.next_record_type;
            identifier = page.next_record_identifier;
            pages.go_on(page.next_record_name.filter(|next| next == name));
        }
        Ok(sets)
    }

    /// Sets the weights of both records in one batch, which is made whole or not at all; returns
    /// the id of the change. Everything else of them is sent back as it was seen, because an UPSERT
    /// replaces the whole record set.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn apply(
        &self,
        seen: &ObservedRecords,
        weights: Weights,
    ) -> Result<String, AwsError> {
        let key = &seen.key;
        let batch = batch(seen, weights)
            .map_err(|lack| AwsError::unexpected(CHANGE, format!("{}: {lack}", key.name)))?;
        let request = self
            .clients
            .route53()
            .change_resource_record_sets()
            .hosted_zone_id(&key.zone)
            .change_batch(batch);
        let answer = request.send().await.map_err(AwsError::from_sdk(CHANGE))?;

        let change = answer.change_info.map(|change| change.id);
        change.ok_or_else(|| AwsError::unexpected(CHANGE, "a change without id"))
    }

    /// Whether all servers of Route 53 have a change; `None` when Route 53 does not know it.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn is_in_sync(&self, change: &str) -> Result<Option<bool>, AwsError> {
        let request = self.clients.route53().get_change().id(change);
        match request.send().await.map_err(AwsError::from_sdk(GET_CHANGE)) {
            Ok(answer) => {
                let status = answer.change_info.map(|change| change.status);
                Ok(Some(status == Some(ChangeStatus::Insync)))
            }
            Err(error) if error.code == "NoSuchChange" => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn batch(seen: &ObservedRecords, weights: Weights) -> Result<ChangeBatch, BuildError> {
    let key = &seen.key;
    let mut batch = ChangeBatch::builder();
    for set in &seen.sets {
        let colour = [Colour::Blue, Colour::Green].into_iter().find(|colour| {
            set.r#type.as_str() == key.kind
                && set.set_identifier.as_ref() == Some(key.identifiers.of(*colour))
        });
        let Some(colour) = colour else {
            continue;
        };

        let mut weighted = set.clone();
        weighted.weight = Some(i64::from(*weights.of(colour)));
        let change = Change::builder()
            .action(ChangeAction::Upsert)
            .resource_record_set(weighted)
            .build()?;
        batch = batch.changes(change);
    }
    batch.build()
}

fn view(set: &ResourceRecordSet) -> Result<RecordSetView, String> {
    let number = |value: Option<i64>, what: &str| {
        let read = value.map(u32::try_from).transpose();
        read.map_err(|_| format!("the {what} {}", value.unwrap_or_default()))
    };
    let alias = set.alias_target.as_ref();
    let values = set.resource_records.iter().flatten();
    let values: Vec<&str> = values.map(|record| record.value.as_str()).collect();
    let target = alias.map_or_else(|| values.join(", "), |alias| alias.dns_name.clone());

    Ok(RecordSetView {
        kind: set.r#type.as_str().to_owned(),
        identifier: set.set_identifier.clone(),
        weight: number(set.weight, "weight")?,
        ttl: number(set.ttl, "TTL")?,
        target: target.trim_end_matches('.').to_ascii_lowercase(),
        alias_zone: alias.map(|alias| alias.hosted_zone_id.clone()),
        checks_health: set.health_check_id.is_some()
            || alias.is_some_and(|alias| alias.evaluate_target_health),
        by_policy: set.traffic_policy_instance_id.is_some(),
    })
}
