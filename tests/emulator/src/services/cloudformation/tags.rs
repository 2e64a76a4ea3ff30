//! The tags of a stack, which its resources get too.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::api::validation;
use super::{items, schema};
use crate::ApiError;
use crate::validation::{Quoted, violation};

/// By key.
pub(super) type Tags = BTreeMap<String, String>;

/// The most tags of a stack. Source:
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html>
const MOST: usize = 50;

/// The property that has the tags of a resource.
pub(super) const PROPERTY: &str = "Tags";

/// The tags that a request gives its stack. An empty list, which clients write as an empty text,
/// removes those that the stack has.
pub(super) fn given(list: &Value) -> Result<Tags, ApiError> {
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    if list.len() > MOST {
        let constraint = format!("Member must have length less than or equal to {MOST}");
        return Err(validation(violation(Quoted::Omitted, "tags", &constraint)));
    }

    let tags = of_list(list);
    let is_reserved = |key: &String| key.to_ascii_lowercase().starts_with("aws:");
    if tags.keys().any(is_reserved) {
        return Err(validation(
            "aws: prefixed tag key names are not allowed for external use.",
        ));
    }
    Ok(tags)
}

pub(super) fn of_list(list: &[Value]) -> Tags {
    let text = |tag: &Value, member: &str| tag[member].as_str().unwrap_or_default().to_owned();
    let entry = |tag: &Value| (text(tag, "Key"), text(tag, "Value"));
    list.iter().map(entry).collect()
}

pub(super) fn to_list(tags: &Tags) -> Vec<Value> {
    let entry = |(key, value): (&String, &String)| json!({"Key": key, "Value": value});
    tags.iter().map(entry).collect()
}

/// Gives a resource the tags of its stack, if its type has tags. Its own tag of the same key wins.
pub(super) fn propagate(tags: &Tags, kind: &str, properties: &mut Value) {
    let has_tags = schema::names(schema::of(kind)).any(|name| name == PROPERTY);
    if tags.is_empty() || !has_tags {
        return;
    }

    let mut all = items(&properties[PROPERTY]).to_vec();
    let own = of_list(&all);
    let mut added = tags.clone();
    added.retain(|key, _| !own.contains_key(key));
    all.extend(to_list(&added));
    properties[PROPERTY] = all.into();
}

/// The properties of a resource without the tags that it has of its stack.
pub(super) fn without(tags: &Tags, properties: &Value) -> Value {
    let of_stack = to_list(tags);
    let mut own = items(&properties[PROPERTY]).to_vec();
    own.retain(|tag| !of_stack.contains(tag));
    let mut properties = properties.clone();
    properties[PROPERTY] = own.into();
    properties
}
