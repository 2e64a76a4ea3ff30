//! The mark of a revision: two tags, by which the release that registered it is found although
//! nothing recorded it, and by which a file is recognised in its own registration.
//!
//! No release decides by comparing a described definition with a file: ECS fills defaults in and
//! does not document which. No release copies a mark: what a new revision is made from loses it.
//! Others copy it with all tags, so that it counts beside who registered the revision only.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::definition::TaskDefinition;
use crate::hash::sha256;
use crate::limits::RESOURCE_TAGS;

/// The execution that registered the revision.
const EXECUTION: &str = "slipway:execution";
/// The fingerprint of what was wanted.
const WANTED: &str = "slipway:sent";
/// The tags that each revision gets.
const MARK: [&str; 2] = [EXECUTION, WANTED];

/// Who registered a revision, and from what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub execution: String,
    /// The [fingerprint](TaskDefinition::fingerprint) of the definition before ECS filled it in,
    /// and before tags and family were added to it.
    pub sent: String,
}

impl TaskDefinition {
    /// The mark of a described revision; none if no release registered it.
    #[must_use]
    pub fn mark(&self) -> Option<Mark> {
        Some(Mark {
            execution: self.tag(EXECUTION)?.to_owned(),
            sent: self.tag(WANTED)?.to_owned(),
        })
    }

    /// The same without a mark, to make another revision from.
    #[must_use]
    pub fn unmarked(self) -> Self {
        self.retain_tags(|key| !MARK.contains(&key))
    }

    /// Checks that there is room for the tags of a mark.
    ///
    /// # Errors
    /// If there is none.
    pub fn check_tags(&self) -> Result<(), String> {
        let is_own = |tag: &&Value| MARK.iter().any(|key| tag["key"] == *key);
        let own = self.tags().iter().filter(is_own).count();
        let count = self.tags().len() - own;
        let most = RESOURCE_TAGS - MARK.len();

        if count > most {
            return Err(format!(
                "`tags` has {count} items; expected at most {most}, because each revision also \
                 gets `{EXECUTION}` and `{WANTED}`"
            ));
        }
        Ok(())
    }

    /// The same with a mark.
    ///
    /// # Errors
    /// If there is no room for its tags.
    pub fn marked(self, mark: &Mark) -> Result<Self, String> {
        self.check_tags()?;
        let mut marked = self.unmarked();
        let added = [(EXECUTION, &mark.execution), (WANTED, &mark.sent)];
        let mut tags = marked.tags().to_vec();

        tags.extend(added.map(|(key, value)| json!({"key": key, "value": value})));
        marked.0.insert("tags".to_owned(), Value::Array(tags));
        Ok(marked)
    }

    /// A hash of the definition. The order of an object's members does not change it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut text = String::new();
        write_sorted(&Value::Object(self.0.clone()), &mut text);
        sha256(&text)
    }
}

fn write_sorted(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (name, value) in members {
                let _ = write!(text, "{}:", Value::from(name.as_str()));
                write_sorted(value, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write_sorted(item, text);
                text.push(',');
            }
            text.push(']');
        }
        other => {
            let _ = write!(text, "{other}");
        }
    }
}
