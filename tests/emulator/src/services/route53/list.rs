//! ListResourceRecordSets. It shows changes that are PENDING too.

use serde_json::{Value, json};

use super::name::{Key, normalized};
use super::record::{RecordSet, invalid_input};
use super::{DEFAULT_ITEMS, MOST_ITEMS, operations};
use crate::{ApiError, Aws};

pub(super) fn list(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    let zone = operations::zone(aws, &input["HostedZoneId"])?;
    let start = start(input)?;
    let wanted = match input["MaxItems"].as_str().map(str::parse::<usize>) {
        None => DEFAULT_ITEMS,
        Some(Ok(wanted)) if wanted > 0 => wanted.min(MOST_ITEMS),
        Some(_) => {
            return Err(invalid_input(
                "The maxitems parameter is not a positive number",
            ));
        }
    };

    let from_start = zone
        .records
        .iter()
        .filter(|(key, _)| start.as_ref().is_none_or(|start| *key >= start));
    let mut page: Vec<&RecordSet> = from_start.map(|(_, record)| record).collect();
    let rest = page.split_off(page.len().min(aws.page_size(wanted)));
    let next = rest.first();

    Ok(json!({
        "ResourceRecordSets": page.iter().map(|record| record.written()).collect::<Value>(),
        "IsTruncated": next.is_some(),
        "NextRecordName": next.map(|next| &next.name),
        "NextRecordType": next.map(|next| &next.kind),
        "NextRecordIdentifier": next.and_then(|next| next.set_identifier.as_ref()),
        "MaxItems": wanted.to_string(),
    }))
}

/// The first record set that the page may have.
fn start(input: &Value) -> Result<Option<Key>, ApiError> {
    let text = |name: &str| input[name].as_str().filter(|text| !text.is_empty());
    let (name, kind, identifier) = (
        text("StartRecordName"),
        text("StartRecordType"),
        text("StartRecordIdentifier"),
    );
    match (name, kind, identifier) {
        (None, Some(_), _) => Err(invalid_input(
            "The input is not valid: a record type was specified without a record name",
        )),
        (_, None, Some(_)) => Err(invalid_input(
            "The input is not valid: an identifier was specified without name and type",
        )),
        (None, None, None) => Ok(None),
        (Some(name), kind, identifier) => {
            let name = normalized(name);
            Ok(Some(Key::new(&name, kind.unwrap_or_default(), identifier)))
        }
    }
}
