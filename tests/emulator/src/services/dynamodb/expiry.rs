//! Time to live: an item that is past the instant in an attribute of it is deleted in the
//! background, up to days later. Until then it is read and written like any other.
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html>,
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTimeToLive.html>

use serde_json::{Value, json};

use super::attribute::{Attribute, Item};
use super::table::{self, PrimaryKey, Table};
use super::{check_members, invalid, required};
use crate::{ApiError, Aws, Millis};

/// How long the attribute cannot be changed again, and how often items are deleted here.
const HOUR: Millis = 3_600_000;

/// The latest that an expired item is deleted, in hours.
const LATEST_HOURS: u64 = 48;

/// Which items of a table expire.
#[derive(Clone, Debug, Default)]
pub(super) struct Expiry {
    /// The attribute that has the instant, in seconds since the Unix epoch.
    attribute: Option<String>,
    /// When it was given or taken away last.
    changed: Option<Millis>,
    /// When items were deleted last.
    looked: Millis,
}

/// Gives a table the attribute, or takes it away.
pub(super) fn update(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &["TableName", "TimeToLiveSpecification"])?;
    let wanted = required(input, "TimeToLiveSpecification")?;
    let attribute = required(wanted, "AttributeName")?.as_str();
    let is_enabled = required(wanted, "Enabled")? == true;

    let now = aws.now;
    let expiry = &mut table::named_itself(aws, input)?.expiry;
    if expiry.changed.is_some_and(|changed| now < changed + HOUR) {
        return Err(invalid(
            "Time to live has been modified multiple times within a fixed interval",
        ));
    }
    if is_enabled == expiry.attribute.is_some() {
        let state = if is_enabled { "enabled" } else { "disabled" };
        return Err(invalid(format!("TimeToLive is already {state}")));
    }

    expiry.attribute = attribute.filter(|_| is_enabled).map(str::to_owned);
    expiry.changed = Some(now);
    Ok(json!({ "TimeToLiveSpecification": wanted }))
}

impl Table {
    /// Deletes the items whose time has come.
    pub(super) fn delete_expired(&mut self, now: Millis) {
        let Some(attribute) = &self.expiry.attribute else {
            return;
        };
        if now < self.expiry.looked + HOUR {
            return;
        }

        let expired = self.items.iter().filter(|(key, item)| {
            expires(item, attribute).is_some_and(|at| at + lateness(key) < now)
        });
        let expired: Vec<PrimaryKey> = expired.map(|(key, _)| key.clone()).collect();
        self.expiry.looked = now;
        for key in expired {
            self.write(key, None);
        }
    }
}

/// When an item expires: what is not a whole number of seconds never does.
fn expires(item: &Item, attribute: &str) -> Option<Millis> {
    let Some(Attribute::N(number)) = item.get(attribute) else {
        return None;
    };
    let seconds: Millis = number.to_string().parse().ok()?;
    seconds.checked_mul(1_000)
}

/// How much later than it expires an item is deleted: some hours, by its partition.
fn lateness(key: &PrimaryKey) -> Millis {
    let hours = key.bucket() % LATEST_HOURS;
    Millis::try_from(hours).unwrap_or_default() * HOUR
}
