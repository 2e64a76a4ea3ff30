//! What a change set changes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::tags::{PROPERTY, Tags};
use super::{Stack, tags};

/// The differences between the resources of a stack and those that it would have; a change of
/// outputs alone is not one.
pub(super) fn changes(before: Option<&Stack>, after: Option<&Stack>) -> Vec<Value> {
    let resources = |stack: Option<&Stack>| -> BTreeMap<String, (String, Value)> {
        let resources = stack.map_or(&[][..], |stack| &stack.resources);
        let of = resources.iter().map(|one| {
            (
                one.logical_id.clone(),
                (one.kind.clone(), one.properties.clone()),
            )
        });
        of.collect()
    };
    let physical = |logical: &String| {
        let mut resources = before.into_iter().flat_map(|stack| &stack.resources);
        let known = resources.find(|one| one.logical_id == *logical);
        known.map(|one| one.physical_id.clone())
    };
    let change = |action: &str, logical: &String, kind: &String, scope: Vec<&str>| {
        json!({
            "Type": "Resource",
            "ResourceChange": {
                "Action": action,
                "LogicalResourceId": logical,
                "PhysicalResourceId": physical(logical),
                "ResourceType": kind,
                "Scope": scope,
                "Details": [],
            },
        })
    };
    let tags = |stack: Option<&Stack>| stack.map_or_else(Tags::new, |stack| stack.tags.clone());
    let (tags_before, tags_after) = (tags(before), tags(after));
    let before = resources(before);
    let after = resources(after);
    let made = after
        .iter()
        .filter_map(|(logical, now)| match before.get(logical) {
            None => Some(change("Add", logical, &now.0, Vec::new())),
            Some(then) if then != now => {
                let scope = scope((&then.1, &tags_before), (&now.1, &tags_after));
                Some(change("Modify", logical, &now.0, scope))
            }
            Some(_) => None,
        });
    let gone = before
        .iter()
        .filter(|(logical, _)| !after.contains_key(*logical));
    made.chain(gone.map(|(logical, then)| change("Remove", logical, &then.0, Vec::new())))
        .collect()
}

/// The attributes of a resource that change: tags of the stack are one, and those that the template
/// gives are properties.
fn scope(then: (&Value, &Tags), now: (&Value, &Tags)) -> Vec<&'static str> {
    let own = |(properties, tags): (&Value, &Tags)| tags::without(tags, properties);
    let mut scope = Vec::new();
    if own(then) != own(now) {
        scope.push("Properties");
    }
    if then.1 != now.1 && then.0[PROPERTY] != now.0[PROPERTY] {
        scope.push("Tags");
    }
    scope
}
