//! Tables: their keys, and how items are ordered by them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::attribute::{Attribute, Item, item_from_json};
use super::expiry::Expiry;
use super::index::Index;
use super::partition::Partitions;
use super::stream::Stream;
use super::{check_members, definition, invalid, required, text};
use crate::input::Input;
use crate::tags::TagRules;
use crate::{ApiError, Aws, Millis};

#[derive(Clone, Debug)]
pub(super) struct Table {
    name: String,
    arn: String,
    id: String,
    created: Millis,
    /// The members of CreateTable, which descriptions repeat.
    definition: Value,
    pub(super) hash: String,
    range: Option<String>,
    /// Global secondary indexes, by name.
    indexes: BTreeMap<String, Index>,
    pub(super) items: BTreeMap<PrimaryKey, Item>,
    pub(super) expiry: Expiry,
    pub(super) stream: Option<Stream>,
    /// When the last request came.
    now: Millis,
    /// Whether reads without `ConsistentRead` lag behind.
    pub(super) lags: bool,
    /// The items before their last write, if reads lag behind.
    before: BTreeMap<PrimaryKey, Option<Item>>,
    pub(super) partitions: Partitions,
}

/// Where an item is: by the hash of its partition key, so that the order of a scan has no meaning,
/// and within a partition by the sort key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PrimaryKey {
    bucket: u64,
    hash: String,
    range: Option<String>,
}

/// The members of CreateTable: the two that define the key, and those that change nothing here.
const CREATE_MEMBERS: [&str; 12] = [
    "TableName",
    "KeySchema",
    "AttributeDefinitions",
    "BillingMode",
    "ProvisionedThroughput",
    "OnDemandThroughput",
    "SSESpecification",
    "StreamSpecification",
    "DeletionProtectionEnabled",
    "TableClass",
    "Tags",
    "WarmThroughput",
];

/// Source:
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TaggingRestrictions.html>
const TAGS: TagRules = TagRules {
    key: "Key",
    value: "Value",
    least_value_chars: 0,
    refuse: |fault| Some(invalid(fault.to_string())),
};

pub(super) fn create(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &CREATE_MEMBERS)?;
    let name = text(input, "TableName")?.ok_or_else(|| {
        invalid("The parameter 'TableName' is required but was not present in the request")
    })?;
    let (hash, range) = definition::check(name, input)?;
    TAGS.check(Input::new(input).list("Tags")?)?;
    if aws.dynamodb.tables.contains_key(name) {
        return Err(ApiError::client(
            "ResourceInUseException",
            format!("Table already exists: {name}"),
        ));
    }

    let arn = aws.arn("dynamodb", &format!("table/{name}"));
    let table = Table {
        name: name.to_owned(),
        stream: Stream::of(&arn, input, aws.now),
        arn,
        id: aws.uuid(),
        created: aws.now,
        definition: input.clone(),
        hash,
        range,
        indexes: BTreeMap::new(),
        items: BTreeMap::new(),
        expiry: Expiry::default(),
        now: aws.now,
        lags: false,
        before: BTreeMap::new(),
        partitions: Partitions::default(),
    };
    let description = table.description("CREATING");

    aws.dynamodb.tables.insert(name.to_owned(), table);
    Ok(json!({ "TableDescription": description }))
}

/// Turns the protection against deletion on or off.
pub(super) fn update(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &["TableName", "DeletionProtectionEnabled"])?;
    let is_protected = required(input, "DeletionProtectionEnabled")? == true;
    let table = named_itself(aws, input)?;
    table.definition["DeletionProtectionEnabled"] = json!(is_protected);
    Ok(json!({ "TableDescription": table.description("ACTIVE") }))
}

/// Makes a global secondary index, as a template declares it, of all items that are there.
pub(crate) fn add_index(aws: &mut Aws, table: &str, declared: &Value) -> Result<(), ApiError> {
    let index = Index::from_json(declared)?;
    let table = named_itself(aws, &json!({ "TableName": table }))?;
    let name = declared["IndexName"].as_str().unwrap_or_default();
    table.indexes.insert(name.to_owned(), index);
    Ok(())
}

pub(super) fn delete(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &["TableName"])?;
    let table = named_itself(aws, input)?;
    let name = table.name.clone();
    if table.definition["DeletionProtectionEnabled"] == true {
        return Err(invalid(format!(
            "Resource cannot be deleted as it is currently protected against deletion. Disable \
             deletion protection first: {name}"
        )));
    }

    let description = table.description("DELETING");
    aws.dynamodb.tables.remove(&name);
    Ok(json!({ "TableDescription": description }))
}

/// The table that a call about the table names. Such calls name the table that is missing, calls
/// about items do not.
pub(super) fn named_itself<'a>(aws: &'a mut Aws, input: &Value) -> Result<&'a mut Table, ApiError> {
    named(aws, input).map_err(|error| match error.code.as_str() {
        "ResourceNotFoundException" => {
            let name = input["TableName"].as_str().map_or("", table_name);
            let message = format!("{}: Table: {name} not found", error.message);
            ApiError::client("ResourceNotFoundException", message)
        }
        _ => error,
    })
}

/// The table that a request names.
pub(super) fn named<'a>(aws: &'a mut Aws, input: &Value) -> Result<&'a mut Table, ApiError> {
    let name = required(input, "TableName")?.as_str().unwrap_or_default();
    definition::check_name(table_name(name))?;
    let now = aws.now;

    let table = aws.dynamodb.tables.get_mut(table_name(name));
    let table = table.ok_or_else(|| {
        ApiError::client("ResourceNotFoundException", "Requested resource not found")
    })?;

    table.now = now;
    table.delete_expired(now);
    Ok(table)
}

/// The table of a name or an ARN, if there is one.
pub(super) fn known<'a>(aws: &'a Aws, name: &str) -> Option<&'a Table> {
    aws.dynamodb.tables.get(table_name(name))
}

/// A table may be named by its ARN as well.
fn table_name(name: &str) -> &str {
    if name.starts_with("arn:") {
        name.rsplit_once(":table/").map_or(name, |(_, name)| name)
    } else {
        name
    }
}

impl PrimaryKey {
    /// The hash of the partition key.
    pub(super) fn bucket(&self) -> u64 {
        self.bucket
    }
}

impl Table {
    /// Stores the item of a key, or removes it.
    pub(super) fn write(&mut self, key: PrimaryKey, item: Option<Item>) {
        let old = match item {
            Some(item) => self.items.insert(key.clone(), item),
            None => self.items.remove(&key),
        };
        if let Some(mut stream) = self.stream.take() {
            let new = self.items.get(&key);
            if let Some(item) = new.or(old.as_ref()) {
                let keys = self.key_part(item);
                stream.add((self.now, key.bucket), &keys, [old.as_ref(), new]);
            }
            self.stream = Some(stream);
        }
        if self.lags {
            self.before.insert(key, old);
        }
    }

    /// The item of a key as a read sees it.
    pub(super) fn seen(&self, key: &PrimaryKey, consistent: bool) -> Option<&Item> {
        match self.before.get(key).filter(|_| !consistent) {
            Some(before) => before.as_ref(),
            None => self.items.get(key),
        }
    }

    /// All items as a read sees them, in order.
    pub(super) fn all_seen(&self, consistent: bool) -> Vec<(&PrimaryKey, &Item)> {
        let keys: BTreeSet<&PrimaryKey> = self.items.keys().chain(self.before.keys()).collect();
        keys.into_iter()
            .filter_map(|key| Some((key, self.seen(key, consistent)?)))
            .collect()
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.hash)
            .chain(&self.range)
            .map(String::as_str)
    }

    /// The index of a name.
    pub(super) fn index(&self, name: &str) -> Result<&Index, ApiError> {
        let index = self.indexes.get(name);
        index.ok_or_else(|| {
            invalid(format!(
                "The table does not have the specified index: {name}"
            ))
        })
    }

    pub(super) fn is_key(&self, attribute: &str) -> bool {
        self.keys().any(|key| key == attribute)
    }

    /// Refuses a whole item, as in PutItem, that lacks the key attributes.
    pub(super) fn check_item(&self, item: &Item) -> Result<(), ApiError> {
        for key in self.keys() {
            let problem = match item.get(key) {
                Some(Attribute::S(_)) => continue,
                Some(other) => format!(
                    "Type mismatch for key {key} expected: S actual: {}",
                    other.kind()
                ),
                None => format!("Missing the key {key} in the item"),
            };
            return Err(invalid(format!(
                "One or more parameter values were invalid: {problem}"
            )));
        }
        let mut indexes = self.indexes.iter();
        indexes.try_for_each(|(name, index)| index.check_item(name, item))
    }

    /// A key by itself, as in GetItem.
    pub(super) fn key_from_json(&self, value: &Value) -> Result<PrimaryKey, ApiError> {
        let key = item_from_json(value)?;
        self.check_key(&key)?;
        self.key_from(&key)
    }

    /// Refuses what is not exactly the key attributes.
    pub(super) fn check_key(&self, key: &Item) -> Result<(), ApiError> {
        let fits = key.len() == self.keys().count()
            && self
                .keys()
                .all(|name| matches!(key.get(name), Some(Attribute::S(_))));
        if fits {
            Ok(())
        } else {
            Err(invalid(
                "The provided key element does not match the schema",
            ))
        }
    }

    /// The key attributes alone.
    pub(super) fn key_part(&self, item: &Item) -> Item {
        item.iter()
            .filter(|(name, _)| self.is_key(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// The key in an item that has the key attributes.
    pub(super) fn key_from(&self, item: &Item) -> Result<PrimaryKey, ApiError> {
        let hash = key_text(item, &self.hash, 2048)?;
        let range = match &self.range {
            Some(name) => Some(key_text(item, name, 1024)?),
            None => None,
        };

        Ok(PrimaryKey {
            bucket: bucket(&hash),
            hash,
            range,
        })
    }

    fn description(&self, status: &str) -> Value {
        let given = &self.definition;
        let units = |member: &str| &given["ProvisionedThroughput"][member];
        let number = |units: &Value| units.as_u64().unwrap_or(0);
        let mut description = json!({
            "TableName": self.name,
            "TableStatus": status,
            "TableSizeBytes": 0,
            "ItemCount": 0,
            "TableArn": self.arn,
            "TableId": self.id,
            "ProvisionedThroughput": {
                "NumberOfDecreasesToday": 0,
                "ReadCapacityUnits": number(units("ReadCapacityUnits")),
                "WriteCapacityUnits": number(units("WriteCapacityUnits")),
            },
            "DeletionProtectionEnabled": given["DeletionProtectionEnabled"] == true,
        });

        if given["BillingMode"] == "PAY_PER_REQUEST" {
            description["BillingModeSummary"] = json!({ "BillingMode": "PAY_PER_REQUEST" });
        }
        if !given["WarmThroughput"].is_null() {
            let is_new = status == "CREATING";
            description["WarmThroughput"] = given["WarmThroughput"].clone();
            description["WarmThroughput"]["Status"] =
                json!(if is_new { "UPDATING" } else { "ACTIVE" });
        }
        if status != "DELETING" {
            description["AttributeDefinitions"] = given["AttributeDefinitions"].clone();
            description["KeySchema"] = given["KeySchema"].clone();
            description["CreationDateTime"] = Aws::seconds(self.created);
        }
        if let Some(stream) = &self.stream {
            description["StreamSpecification"] = given["StreamSpecification"].clone();
            description["LatestStreamArn"] = json!(stream.arn);
            description["LatestStreamLabel"] = json!(stream.label);
        }
        description
    }

    /// Turns the stream on, under a new name, or off.
    pub(super) fn set_stream(&mut self, specification: Value, now: Millis) {
        self.definition["StreamSpecification"] = specification;
        self.stream = Stream::of(&self.arn, &self.definition, now);
    }
}

/// The text of a key attribute, which is at most this many bytes long.
fn key_text(item: &Item, name: &str, most: usize) -> Result<String, ApiError> {
    let Some(Attribute::S(text)) = item.get(name) else {
        unreachable!("the caller checked presence and type")
    };
    if text.is_empty() {
        return Err(invalid(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute \
             cannot contain an empty string value. Key: {name}"
        )));
    }

    if text.len() > most {
        let what = if most == 2048 {
            "Size of hashkey has exceeded the maximum size limit of2048 bytes"
        } else {
            "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
        };
        return Err(invalid(format!(
            "One or more parameter values were invalid: {what}"
        )));
    }
    Ok(text.clone())
}

/// FNV-1a over the key, the same on every machine.
fn bucket(hash: &str) -> u64 {
    // The debug form of the key as a typed value, so that the order of scans stays what it was.
    let text = format!("S({hash:?})");
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
