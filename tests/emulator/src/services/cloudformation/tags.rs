//! The tags of a stack, which its resources get too.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::api::validation;
use super::error::{At, Problem};
use super::{items, schema};
use crate::ApiError;
use crate::tags::{MOST, TagFault, TagRules, is_reserved};
use crate::validation::{Quoted, violation};

/// By key.
pub(super) type Tags = BTreeMap<String, String>;

/// The property that has the tags of a resource.
pub(super) const PROPERTY: &str = "Tags";

/// Source: <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Tag.html>. The
/// services refuse the letters of their tags. Of a key that is given twice, the last tag counts.
const RULES: TagRules = TagRules {
    key: "Key",
    value: "Value",
    least_value_chars: 1,
    refuse: |fault| match fault {
        TagFault::TooMany => {
            let constraint = format!("Member must have length less than or equal to {MOST}");
            Some(validation(violation(Quoted::Omitted, "tags", &constraint)))
        }
        TagFault::Length(_) | TagFault::Reserved => Some(validation(fault.to_string())),
        TagFault::Letters(_) | TagFault::Repeated(_) => None,
    },
};

/// The tags that a request gives its stack. An empty list, which clients write as an empty text,
/// removes those that the stack has.
pub(super) fn given(list: &Value) -> Result<Tags, ApiError> {
    let list = list.as_array().map_or(&[][..], Vec::as_slice);
    RULES.check(list)?;
    Ok(of_list(list))
}

/// Refuses a tag of a resource that only AWS gives.
pub(super) fn check_own(properties: &Value) -> Result<(), Problem> {
    let own = of_list(items(&properties[PROPERTY]));
    if own.keys().any(|key| is_reserved(key)) {
        return Err(Problem::new(TagFault::Reserved.to_string())).at(PROPERTY);
    }
    Ok(())
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
