//! Tables: their keys, and how items are ordered by them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::attribute::{Attribute, Item, item_from_json};
use super::number::Number;
use super::{check_members, invalid, required, text};
use crate::{ApiError, Aws, Millis, Quirk};

#[derive(Clone, Debug)]
pub(super) struct Table {
    name: String,
    arn: String,
    id: String,
    created: Millis,
    /// The members of CreateTable that DescribeTable repeats.
    definition: Value,
    pub(super) hash: KeyAttribute,
    pub(super) range: Option<KeyAttribute>,
    /// As drawn for the account when the table was last looked up: see `Condition::holds`.
    pub(super) absent_differs: bool,
    pub(super) items: BTreeMap<PrimaryKey, Item>,
    /// Whether reads without `ConsistentRead` lag behind.
    pub(super) lags: bool,
    /// What was in the place of items before their last write, if reads lag behind.
    before: BTreeMap<PrimaryKey, Option<Item>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyAttribute {
    pub(super) name: String,
    kind: String,
}

/// Where an item is: by the hash of its partition key, so a scan has no order that anyone could lean on,
/// and within a partition by the sort key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PrimaryKey {
    bucket: u64,
    pub(super) hash: KeyValue,
    range: Option<KeyValue>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KeyValue {
    S(String),
    N(Number),
    B(Vec<u8>),
}

/// The most tables of one ListTables.
const MOST_TABLES: usize = 100;

/// The members of CreateTable that change nothing here, and the two that define the key.
const CREATE_MEMBERS: [&str; 11] = [
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
];

pub(super) fn create(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &CREATE_MEMBERS)?;
    let name = text(input, "TableName")?.ok_or_else(|| {
        invalid("The parameter 'TableName' is required but was not present in the request")
    })?;
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if !(3..=255).contains(&name.len()) || !name.bytes().all(legal) {
        return Err(invalid(
            "TableName must be at least 3 characters long and at most 255 characters long, of [a-zA-Z0-9_.-]",
        ));
    }
    if aws.dynamodb.tables.contains_key(name) {
        return Err(ApiError::client(
            "ResourceInUseException",
            format!("Table already exists: {name}"),
        ));
    }
    let (hash, range) = key_attributes(input)?;
    let table = Table {
        name: name.to_owned(),
        arn: aws.arn("dynamodb", &format!("table/{name}")),
        id: aws.uuid(),
        created: aws.now,
        definition: input.clone(),
        hash,
        range,
        absent_differs: aws.draw_quirk(Quirk::AbsentAttributeDiffers),
        items: BTreeMap::new(),
        lags: false,
        before: BTreeMap::new(),
    };
    let description = table.description("CREATING");
    aws.dynamodb.tables.insert(name.to_owned(), table);
    Ok(json!({ "TableDescription": description }))
}

pub(super) fn describe(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &["TableName"])?;
    let name = required(input, "TableName")?.as_str().unwrap_or_default();
    let table = aws.dynamodb.tables.get(table_name(name)).ok_or_else(|| {
        ApiError::client(
            "ResourceNotFoundException",
            format!("Requested resource not found: Table: {name} not found"),
        )
    })?;
    Ok(json!({ "Table": table.description("ACTIVE") }))
}

pub(super) fn list(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &["ExclusiveStartTableName", "Limit"])?;
    let limit = input
        .get("Limit")
        .and_then(Value::as_u64)
        .unwrap_or(MOST_TABLES as u64);
    let limit = usize::try_from(limit)
        .ok()
        .filter(|limit| (1..=MOST_TABLES).contains(limit));
    let limit = limit.ok_or_else(|| invalid("Limit must be between 1 and 100"))?;
    let after = text(input, "ExclusiveStartTableName")?;
    let mut names = aws
        .dynamodb
        .tables
        .keys()
        .filter(|name| after.is_none_or(|after| name.as_str() > after));
    let page: Vec<&String> = names.by_ref().take(limit).collect();
    let mut output = json!({ "TableNames": page });
    if names.next().is_some() {
        output["LastEvaluatedTableName"] = json!(page.last());
    }
    Ok(output)
}

pub(super) fn delete(aws: &mut Aws, input: &Value) -> Result<Value, ApiError> {
    let description = describe(aws, input)?["Table"].clone();
    let name = description["TableName"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    if description["DeletionProtectionEnabled"] == true {
        return Err(invalid(format!(
            "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first: {name}"
        )));
    }
    aws.dynamodb.tables.remove(&name);
    let mut description = description;
    description["TableStatus"] = json!("DELETING");
    Ok(json!({ "TableDescription": description }))
}

/// Items never expire here.
pub(super) fn time_to_live(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    describe(aws, input)?;
    Ok(json!({ "TimeToLiveDescription": { "TimeToLiveStatus": "DISABLED" } }))
}

pub(super) fn continuous_backups(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    describe(aws, input)?;
    let recovery = json!({ "PointInTimeRecoveryStatus": "DISABLED" });
    Ok(json!({ "ContinuousBackupsDescription": {
        "ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": recovery,
    } }))
}

pub(super) fn tags(aws: &Aws, input: &Value) -> Result<Value, ApiError> {
    check_members(input, &["ResourceArn", "NextToken"])?;
    let arn = required(input, "ResourceArn")?.as_str().unwrap_or_default();
    let table = aws.dynamodb.tables.get(table_name(arn)).ok_or_else(|| {
        ApiError::client(
            "ResourceNotFoundException",
            format!("Requested resource not found: ResourcArn: {arn} not found"),
        )
    })?;
    Ok(json!({ "Tags": table.definition["Tags"].as_array().cloned().unwrap_or_default() }))
}

/// The table that a request names.
pub(super) fn named<'a>(aws: &'a mut Aws, input: &Value) -> Result<&'a mut Table, ApiError> {
    let name = required(input, "TableName")?.as_str().unwrap_or_default();
    let absent_differs = aws.draw_quirk(Quirk::AbsentAttributeDiffers);

    let table = aws.dynamodb.tables.get_mut(table_name(name));
    let table = table.ok_or_else(|| {
        ApiError::client("ResourceNotFoundException", "Requested resource not found")
    })?;

    table.absent_differs = absent_differs;
    Ok(table)
}

/// A table may be named by its ARN as well.
fn table_name(name: &str) -> &str {
    if name.starts_with("arn:") {
        name.rsplit_once(":table/").map_or(name, |(_, name)| name)
    } else {
        name
    }
}

fn key_attributes(input: &Value) -> Result<(KeyAttribute, Option<KeyAttribute>), ApiError> {
    let schema = required(input, "KeySchema")?
        .as_array()
        .cloned()
        .unwrap_or_default();
    let definitions = required(input, "AttributeDefinitions")?
        .as_array()
        .cloned()
        .unwrap_or_default();
    let mut keys = Vec::new();
    for (element, expected) in schema.iter().zip(["HASH", "RANGE"]) {
        if element["KeyType"] != expected {
            return Err(invalid(format!(
                "Invalid KeySchema: expected a KeySchemaElement of type {expected}"
            )));
        }
        let name = element["AttributeName"].as_str().unwrap_or_default();
        let kind = definitions
            .iter()
            .find(|definition| definition["AttributeName"] == name)
            .and_then(|found| found["AttributeType"].as_str());
        let kind = kind.filter(|kind| ["S", "N", "B"].contains(kind)).ok_or_else(|| {
            invalid("One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions.")
        })?;
        keys.push(KeyAttribute {
            name: name.to_owned(),
            kind: kind.to_owned(),
        });
    }
    if schema.len() > 2 || definitions.len() != keys.len() {
        return Err(invalid(
            "One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
        ));
    }
    let mut keys = keys.into_iter();
    let hash = keys
        .next()
        .ok_or_else(|| invalid("Invalid KeySchema: The key schema is empty"))?;
    Ok((hash, keys.next()))
}

impl Table {
    /// Puts an item in its place, or takes what is there away.
    pub(super) fn write(&mut self, key: PrimaryKey, item: Option<Item>) {
        let old = match item {
            Some(item) => self.items.insert(key.clone(), item),
            None => self.items.remove(&key),
        };
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

    pub(super) fn keys(&self) -> impl Iterator<Item = &KeyAttribute> {
        std::iter::once(&self.hash).chain(&self.range)
    }

    pub(super) fn is_key(&self, attribute: &str) -> bool {
        self.keys().any(|key| key.name == attribute)
    }

    /// The key of a whole item, as in PutItem.
    pub(super) fn key_of_item(&self, item: &Item) -> Result<PrimaryKey, ApiError> {
        for key in self.keys() {
            let what = match item.get(&key.name) {
                None => format!("Missing the key {} in the item", key.name),
                Some(value) if value.kind() != key.kind => {
                    format!(
                        "Type mismatch for key {} expected: {} actual: {}",
                        key.name,
                        key.kind,
                        value.kind()
                    )
                }
                Some(_) => continue,
            };
            return Err(invalid(format!(
                "One or more parameter values were invalid: {what}"
            )));
        }
        self.key_from(item)
    }

    /// A key by itself, as in GetItem: exactly the key attributes.
    pub(super) fn key_from_json(&self, value: &Value) -> Result<(PrimaryKey, Item), ApiError> {
        let key = item_from_json(value)?;
        let fits = key.len() == self.keys().count()
            && self.keys().all(|expected| {
                key.get(&expected.name)
                    .is_some_and(|value| value.kind() == expected.kind)
            });
        if !fits {
            return Err(invalid(
                "The provided key element does not match the schema",
            ));
        }
        Ok((self.key_from(&key)?, key))
    }

    /// The key attributes alone.
    pub(super) fn key_part(&self, item: &Item) -> Item {
        item.iter()
            .filter(|(name, _)| self.is_key(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    fn key_from(&self, item: &Item) -> Result<PrimaryKey, ApiError> {
        let mut values = Vec::new();
        for (key, limit) in self.keys().zip([2048, 1024]) {
            let value = item
                .get(&key.name)
                .and_then(KeyValue::of)
                .expect("the caller checked presence and type");
            check_key(&key.name, &value, limit)?;
            values.push(value);
        }
        let mut values = values.into_iter();
        let hash = values.next().expect("every table has a partition key");
        Ok(PrimaryKey {
            bucket: bucket(&hash),
            hash,
            range: values.next(),
        })
    }

    fn description(&self, status: &str) -> Value {
        let billing = self.definition["BillingMode"]
            .as_str()
            .unwrap_or("PROVISIONED");
        json!({
            "AttributeDefinitions": self.definition["AttributeDefinitions"],
            "TableName": self.name,
            "KeySchema": self.definition["KeySchema"],
            "TableStatus": status,
            "CreationDateTime": Aws::seconds(self.created),
            "TableSizeBytes": 0,
            "ItemCount": 0,
            "TableArn": self.arn,
            "TableId": self.id,
            "BillingModeSummary": { "BillingMode": billing },
            "DeletionProtectionEnabled": self.definition["DeletionProtectionEnabled"].as_bool().unwrap_or(false),
        })
    }
}

impl KeyAttribute {
    /// A value for this key in a key condition.
    pub(super) fn accepts(&self, value: &Attribute) -> bool {
        self.kind == value.kind()
    }
}

impl KeyValue {
    pub(super) fn of(value: &Attribute) -> Option<Self> {
        match value {
            Attribute::S(text) => Some(Self::S(text.clone())),
            Attribute::N(number) => Some(Self::N(*number)),
            Attribute::B(bytes) => Some(Self::B(bytes.clone())),
            _ => None,
        }
    }
}

fn check_key(name: &str, value: &KeyValue, limit: usize) -> Result<(), ApiError> {
    let (kind, length) = match value {
        KeyValue::S(text) => ("string", text.len()),
        KeyValue::B(bytes) => ("binary", bytes.len()),
        KeyValue::N(_) => return Ok(()),
    };
    if length == 0 {
        return Err(invalid(format!(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty {kind} value. Key: {name}"
        )));
    }
    if length > limit {
        let which = if limit == 2048 {
            "hashkey has exceeded the maximum size limit of 2048"
        } else {
            "the RangeKey has exceeded the maximum size limit of 1024"
        };
        return Err(invalid(format!(
            "One or more parameter values were invalid: Size of {which} bytes"
        )));
    }
    Ok(())
}

/// FNV-1a over the key's text, the same on every machine.
fn bucket(hash: &KeyValue) -> u64 {
    let text = format!("{hash:?}");
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
