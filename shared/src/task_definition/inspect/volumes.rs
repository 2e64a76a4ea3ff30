//! The volumes of a task definition while its containers are read: the same volume is named once,
//! and two volumes never have the same name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::limits::NAME_CHARS;

/// What each volume was to be named, and its definition, by its name.
#[derive(Debug, Default)]
pub(super) struct Volumes(BTreeMap<String, (String, Map<String, Value>)>);

impl Volumes {
    /// The name of a volume: the one that is wanted, as far as ECS takes it, with a number if
    /// another volume has it.
    pub(super) fn name(&mut self, wanted: &str, definition: Map<String, Value>) -> String {
        let plain = legal_name(wanted);
        let numbered = (2..).map(|number: u32| format!("{plain}-{number}"));
        let mut names = std::iter::once(plain.clone()).chain(numbered);

        // Two volumes can differ in a character that ECS does not take.
        let own = (wanted.to_owned(), definition);
        let is_free = |name: &String| self.0.get(name).is_none_or(|held| *held == own);
        let name = names.find(is_free).unwrap_or(plain.clone());
        self.0.insert(name.clone(), own);
        name
    }

    /// The volumes by their names, each as a task definition has it.
    pub(super) fn definitions(self) -> impl Iterator<Item = Value> {
        self.0.into_iter().map(|(name, (_, definition))| {
            let mut volume = Map::new();
            volume.insert("name".to_owned(), Value::String(name));
            volume.extend(definition);
            Value::Object(volume)
        })
    }
}

/// A text as ECS takes the name of a volume or a container: letters, digits, hyphens and
/// underscores (ECS API: Volume, ContainerDefinition).
pub(super) fn legal_name(text: &str) -> String {
    let is_legal = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    let joined: String = if text.chars().all(is_legal) {
        text.chars().take(NAME_CHARS).collect()
    } else {
        let parts = text.split(|letter: char| !is_legal(letter));
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        parts.join("-").chars().take(NAME_CHARS).collect()
    };

    if joined.is_empty() {
        "root".to_owned()
    } else {
        joined
    }
}
