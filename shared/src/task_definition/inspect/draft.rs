//! One container definition while it is made.
//!
//! Never has a member that ECS does not take where the tasks run.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::fields::Fields;
use super::left_out::{LeftOut, shown};
use super::place::{LINUX_PARAMETERS, Place};
use super::port::Mapping;
use super::reasons::reason_of;

pub(super) struct Draft {
    pub(super) name: String,
    pub(super) image: String,
    pub(super) place: Place,
    pub(super) ports: Vec<Mapping>,
    members: BTreeMap<&'static str, Value>,
    linux: BTreeMap<&'static str, Value>,
    pub(super) left_out: Vec<LeftOut>,
    /// `pidMode` and `ipcMode`, which are of the whole task, with the fields they come from.
    pub(super) of_task: BTreeMap<&'static str, String>,
}

impl Draft {
    pub(super) fn new(name: String, image: String, place: Place) -> Self {
        Self {
            name,
            image,
            place,
            ports: Vec::new(),
            members: BTreeMap::new(),
            linux: BTreeMap::new(),
            left_out: Vec::new(),
            of_task: BTreeMap::new(),
        }
    }

    /// Lists a setting that is left out. The value must not be a secret.
    pub(super) fn leave(
        &mut self,
        field: impl Into<String>,
        value: impl Into<String>,
        reason: impl Into<String>,
    ) {
        self.left_out.push(LeftOut {
            field: field.into(),
            value: value.into(),
            reason: reason.into(),
        });
    }

    /// Lists what is set among the members that were not taken.
    pub(super) fn leave_rest(&mut self, fields: &mut Fields) {
        for (name, value) in fields.rest() {
            self.leave(fields.at(&name), shown(&value), reason_of(&name));
        }
    }

    /// Sets a member, unless there is nothing to set. Where ECS does not take it, the field that it
    /// comes from is listed with `shown`, which must not be a secret.
    pub(super) fn put(
        &mut self,
        member: &'static str,
        value: impl Into<Value>,
        field: &str,
        shown: &str,
    ) {
        let value = value.into();
        if is_empty(&value) {
            return;
        }

        match self.place.refusal(member) {
            Some(reason) => self.leave(field, shown, reason),
            None => self.set(member, value),
        }
    }

    /// Sets a member that was checked. Null means that it is not set, whatever the running
    /// container has.
    pub(super) fn set(&mut self, member: &'static str, value: Value) {
        if LINUX_PARAMETERS.contains(&member) {
            self.linux.insert(member, value);
        } else {
            self.members.insert(member, value);
        }
    }

    pub(super) fn get(&self, member: &str) -> Option<&Value> {
        self.members.get(member).or_else(|| self.linux.get(member))
    }

    pub(super) fn get_mut(&mut self, member: &str) -> Option<&mut Value> {
        self.members.get_mut(member)
    }

    /// The definition: the name, the image, and the other members by their names.
    pub(super) fn container(&self) -> Value {
        let mut container = Map::new();
        container.insert("name".to_owned(), Value::from(self.name.as_str()));
        container.insert("image".to_owned(), Value::from(self.image.as_str()));

        let mut members = self.members.clone();
        if !self.ports.is_empty() {
            let mappings = self.ports.iter().map(Mapping::json).collect();
            members.insert("portMappings", Value::Array(mappings));
        }
        container.extend(owned(&members));
        if !self.linux.is_empty() {
            let linux = Value::Object(owned(&self.linux));
            container.insert("linuxParameters".to_owned(), linux);
        }
        Value::Object(container)
    }
}

fn owned(members: &BTreeMap<&'static str, Value>) -> Map<String, Value> {
    members
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

/// Whether there is nothing to set. A number is always a setting.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}
