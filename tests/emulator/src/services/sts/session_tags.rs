//! Session tags: what AssumeRole gives to a session, and what a session passes on to the next one.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html>,
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use std::collections::BTreeSet;

use serde_json::Value;

use crate::ApiError;
use crate::cloudformation::items;
use crate::iam::Demand;
use crate::protocol::query::{Parameters, tree};
use crate::tags::{MOST, TagFault, is_reserved};
use crate::validation::{Quoted, TextConstraints, Violations};

/// The pattern of keys and values takes the letters of every script.
const KEY: TextConstraints = TextConstraints::of_lengths(1..=128);
const VALUE: TextConstraints = TextConstraints::of_lengths(0..=256);

/// `Tags` and `TransitiveTagKeys` of a request.
pub(super) struct SessionTags {
    /// Keys with their values.
    tags: Vec<(String, String)>,
    transitive_keys: Vec<String>,
}

impl SessionTags {
    /// Reads them from a request, and adds what they break of their constraints.
    pub(super) fn read(parameters: &Parameters, violations: &mut Violations) -> Self {
        let members = Value::Object(tree(parameters));
        let mut tags = Vec::new();
        for (index, tag) in items(&members["Tags"]).iter().enumerate() {
            let place = format!("tags.{}.member", index + 1);
            let key = text(violations, &format!("{place}.key"), &tag["Key"], &KEY);
            let value = text(violations, &format!("{place}.value"), &tag["Value"], &VALUE);
            tags.push((key, value));
        }
        let mut transitive_keys = Vec::new();
        for (index, key) in items(&members["TransitiveTagKeys"]).iter().enumerate() {
            let place = format!("transitiveTagKeys.{}.member", index + 1);
            transitive_keys.push(text(violations, &place, key, &KEY));
        }

        for (field, count) in [
            ("tags", tags.len()),
            ("transitiveTagKeys", transitive_keys.len()),
        ] {
            violations.check_bound(field, Quoted::Omitted, "length", count, &(0..=MOST));
        }
        Self {
            tags,
            transitive_keys,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// The demand with the tags, which policies see.
    pub(super) fn on(&self, demand: Demand) -> Demand {
        self.tags.iter().fold(demand, |demand, (key, value)| {
            demand.with(&format!("aws:RequestTag/{key}"), value)
        })
    }

    /// The keys of the tags that the session passes on, in lower case; `inherited` are those of the
    /// calling session. Keys that differ in their case only are the same.
    pub(super) fn transitive_keys(
        &self,
        inherited: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, ApiError> {
        let invalid = |message: &str| ApiError::client("InvalidParameterValue", message);
        let keys: BTreeSet<String> = self
            .tags
            .iter()
            .map(|(key, _)| key.to_lowercase())
            .collect();
        if keys.len() < self.tags.len() {
            return Err(invalid(
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
            ));
        }
        if keys.iter().any(|key| is_reserved(key)) {
            return Err(invalid(&TagFault::Reserved.to_string()));
        }
        if !keys.is_disjoint(inherited) {
            return Err(invalid(
                "One of the specified transitive tag keys can't be set because it conflicts with a \
                 transitive tag key from the calling session.",
            ));
        }
        let own: BTreeSet<String> = self
            .transitive_keys
            .iter()
            .map(|key| key.to_lowercase())
            .collect();
        if !own.is_subset(&keys) {
            return Err(invalid(
                "The specified transitive tag key must be included in the requested tags.",
            ));
        }
        Ok(&own | inherited)
    }
}

fn text(
    violations: &mut Violations,
    field: &str,
    value: &Value,
    constraints: &TextConstraints,
) -> String {
    match value.as_str() {
        Some(text) => {
            violations.check_text(field, text, constraints);
            text.to_owned()
        }
        None => {
            violations.add(Quoted::Null, field, "Member must not be null");
            String::new()
        }
    }
}
