//! Record sets: read from a request or a template, and written.

use serde_json::{Value, json};

use super::name::{Key, normalized};
use crate::ApiError;
use crate::validation::{Quoted, Violations, enum_constraint};

const TYPES: [&str; 17] = [
    "SOA", "A", "TXT", "NS", "CNAME", "MX", "NAPTR", "PTR", "SRV", "SPF", "AAAA", "CAA", "DS",
    "TLSA", "SSHFP", "SVCB", "HTTPS",
];

/// Members of other routing policies, which the sandbox does not serve.
const NOT_SERVED: [&str; 9] = [
    "AZAffinity",
    "CidrRoutingConfig",
    "Failover",
    "GeoLocation",
    "GeoProximityLocation",
    "HealthCheckId",
    "MultiValueAnswer",
    "Region",
    "TrafficPolicyInstanceId",
];

const MOST_WEIGHT: i64 = 255;
const MOST_TTL: i64 = 2_147_483_647;
const MOST_IDENTIFIER_CHARS: usize = 128;

/// The records with one name and type, or one part of them: simple or weighted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordSet {
    /// Normalized.
    pub name: String,
    /// `A`, `CNAME`, …
    pub kind: String,
    /// A weighted set has it.
    pub set_identifier: Option<String>,
    /// 0 to 255.
    pub weight: Option<i64>,
    /// Seconds; an alias has none.
    pub ttl: Option<i64>,
    /// An alias has none.
    pub values: Vec<String>,
    pub alias: Option<Alias>,
}

/// What an alias is another name of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The id of the zone of the target.
    pub hosted_zone: String,
    /// Normalized.
    pub dns_name: String,
    pub evaluates_target_health: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChangeAction {
    Create,
    Delete,
    Upsert,
}

/// One change of a batch.
#[derive(Clone, Debug)]
pub(super) struct RecordChange {
    pub(super) action: ChangeAction,
    pub(super) record: RecordSet,
}

pub(super) fn invalid_input(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidInput", message)
}

impl RecordSet {
    pub(super) fn simple(name: &str, kind: &str, ttl: i64, values: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            ttl: Some(ttl),
            values,
            ..Self::default()
        }
    }

    pub(super) fn key(&self) -> Key {
        Key::new(&self.name, &self.kind, self.set_identifier.as_deref())
    }

    /// Whether another set has the same name and type.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.name == other.name && self.kind == other.kind
    }

    /// Whether a deletion names what is there. The order of the values does not count.
    pub(super) fn matches(&self, other: &Self) -> bool {
        let sorted = |record: &Self| {
            let mut record = record.clone();
            record.values.sort();
            record
        };
        sorted(self) == sorted(other)
    }

    pub(super) fn written(&self) -> Value {
        let values: Option<Value> = (!self.values.is_empty()).then(|| {
            self.values
                .iter()
                .map(|value| json!({"Value": value}))
                .collect()
        });
        let alias = self.alias.as_ref().map(|alias| {
            json!({
                "HostedZoneId": alias.hosted_zone, "DNSName": alias.dns_name,
                "EvaluateTargetHealth": alias.evaluates_target_health,
            })
        });
        json!({
            "Name": self.name, "Type": self.kind, "SetIdentifier": self.set_identifier,
            "Weight": self.weight, "TTL": self.ttl, "ResourceRecords": values,
            "AliasTarget": alias,
        })
    }
}

impl RecordChange {
    /// One change of a batch, whose place in it is given, counted from 1.
    pub(super) fn read(change: &Value, place: usize) -> Result<Self, ApiError> {
        let action = match change["Action"].as_str() {
            Some("CREATE") => Some(ChangeAction::Create),
            Some("DELETE") => Some(ChangeAction::Delete),
            Some("UPSERT") => Some(ChangeAction::Upsert),
            _ => None,
        };
        if let Some(message) = violations(change, place).message() {
            return Err(invalid_input(message));
        }
        let given = &change["ResourceRecordSet"];
        if let Some(name) = NOT_SERVED.iter().find(|name| !given[**name].is_null()) {
            return Err(invalid_input(format!(
                "the sandbox does not serve the member {name}"
            )));
        }
        check_form(change)?;

        let text = |name: &str| given[name].as_str().unwrap_or_default();
        let values = given["ResourceRecords"].as_array().into_iter().flatten();
        let record = RecordSet {
            name: normalized(text("Name")),
            kind: text("Type").to_owned(),
            set_identifier: given["SetIdentifier"].as_str().map(str::to_owned),
            weight: number(&given["Weight"]),
            ttl: number(&given["TTL"]),
            values: values
                .filter_map(|value| value["Value"].as_str().map(str::to_owned))
                .collect(),
            alias: alias(&given["AliasTarget"]),
        };
        let action = action.ok_or_else(|| invalid_input("Invalid XML ; no Action"))?;
        Ok(Self { action, record })
    }
}

fn alias(given: &Value) -> Option<Alias> {
    let evaluates = &given["EvaluateTargetHealth"];
    Some(Alias {
        hosted_zone: given["HostedZoneId"].as_str()?.to_owned(),
        dns_name: normalized(given["DNSName"].as_str()?),
        evaluates_target_health: evaluates == true || evaluates == "true",
    })
}

/// A number, which XML writes as text.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// What the model of the service does not allow.
fn violations(change: &Value, place: usize) -> Violations {
    let mut all = Violations::default();
    let of_change = format!("changeBatch.changes.{place}.member");
    let of_record = format!("{of_change}.resourceRecordSet");
    let given = &change["ResourceRecordSet"];
    let mut word = |value: &Value, field: String, words: &[&str]| match value.as_str() {
        None => all.add(Quoted::Null, &field, "Member must not be null"),
        Some(text) if !words.is_empty() && !words.contains(&text) => {
            all.add(Quoted::Text(text), &field, &enum_constraint(words));
        }
        Some(_) => {}
    };
    word(
        &change["Action"],
        format!("{of_change}.action"),
        &["CREATE", "DELETE", "UPSERT"],
    );
    word(&given["Name"], format!("{of_record}.name"), &[]);
    word(&given["Type"], format!("{of_record}.type"), &TYPES);

    for (name, most) in [("Weight", MOST_WEIGHT), ("TTL", MOST_TTL)] {
        let value = &given[name];
        if !value.is_null() && !number(value).is_some_and(|it| (0..=most).contains(&it)) {
            let quoted = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            let bound = match number(value) {
                Some(below) if below < 0 => "greater than or equal to 0".to_owned(),
                _ => format!("less than or equal to {most}"),
            };
            let field = format!(
                "{of_record}.{}",
                if name == "TTL" { "tTL" } else { "weight" }
            );
            let constraint = format!("Member must have value {bound}");
            all.add(Quoted::Text(&quoted), &field, &constraint);
        }
    }
    if let Some(id) = given["SetIdentifier"].as_str()
        && !(1..=MOST_IDENTIFIER_CHARS).contains(&id.chars().count())
    {
        all.add(
            Quoted::Text(id),
            &format!("{of_record}.setIdentifier"),
            "Member must have length between 1 and 128, inclusive",
        );
    }
    all
}

/// A set is an alias, or has values with a TTL; with an identifier it has a weight, and the other
/// way round.
fn check_form(change: &Value) -> Result<(), ApiError> {
    let given = &change["ResourceRecordSet"];
    let has = |name: &str| !given[name].is_null();
    let text = |value: &Value| value.as_str().unwrap_or("null").to_owned();
    let of_change = format!(
        "in Change with [Action={}, Name={}, Type={}, SetIdentifier={}]",
        text(&change["Action"]),
        text(&given["Name"]),
        text(&given["Type"]),
        text(&given["SetIdentifier"])
    );
    let values = given["ResourceRecords"].as_array().map_or(0, Vec::len);
    let found = match (has("AliasTarget"), has("TTL"), values > 0) {
        (true, false, false) | (false, true, true) => None,
        (true, ..) => Some("more than one"),
        (false, ..) => Some("none"),
    };
    if let Some(found) = found {
        return Err(invalid_input(format!(
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and \
             ResourceRecords], or TrafficPolicyInstanceId], but found {found} {of_change}"
        )));
    }
    if has("AliasTarget") && alias(&given["AliasTarget"]).is_none() {
        return Err(invalid_input(format!(
            "Invalid request: Missing field 'HostedZoneId' or 'DNSName' {of_change}"
        )));
    }
    match (has("SetIdentifier"), has("Weight")) {
        (true, false) => Err(invalid_input(format!(
            "Invalid request: Expected exactly one of [Weight, Region, Failover, GeoLocation, \
             MultiValueAnswer, GeoProximityLocation, or CidrRoutingConfig], but found none \
             {of_change}"
        ))),
        (false, true) => Err(invalid_input(format!(
            "Invalid request: Missing field 'SetIdentifier' {of_change}"
        ))),
        _ => Ok(()),
    }
}
