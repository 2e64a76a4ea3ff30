//! The base of a release as a file: a task definition, or what `docker inspect` prints.

use serde_json::Value;

use super::definition::TaskDefinition;
use super::inspect::{LeftOut, from_inspect, is_inspect};
use crate::json;
use crate::text::utf8;

/// How many settings a summary names.
const NAMED: usize = 5;

/// A file as a task definition.
#[derive(Clone, Debug, PartialEq)]
pub struct BaseFile {
    pub definition: TaskDefinition,
    /// What the file has and a task definition cannot have.
    pub left_out: Vec<LeftOut>,
}

impl BaseFile {
    /// Reads a `taskdef.json`, or an `inspect.json`, whose containers replace those of the running
    /// definition.
    ///
    /// # Errors
    /// If the text is neither, or ECS could not run what it has.
    pub fn parse(text: &[u8], running: &TaskDefinition) -> Result<Self, String> {
        let text = utf8(text)?;
        let value = json::parse(&text, "expected a JSON object without comments")?;

        if is_inspect(&value) {
            let (definition, left_out) = from_inspect(value, running)?;
            return Ok(Self {
                definition,
                left_out,
            });
        }

        let found = match &value {
            Value::Array(items) if items.is_empty() => "the list is empty: ",
            _ => "",
        };
        let is_list = value.is_array();
        let definition = TaskDefinition::from_value(value).map_err(|why| {
            if is_list {
                format!("{found}{why}, or what `docker inspect` prints of a container or an image")
            } else {
                why
            }
        })?;
        Ok(Self::from(definition))
    }

    /// The same without the mark of a release.
    #[must_use]
    pub fn unmarked(self) -> Self {
        Self {
            definition: self.definition.unmarked(),
            ..self
        }
    }

    /// The end of a summary, if something is left out.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let count = self.left_out.len();
        let names = self.left_out.iter().map(|it| it.field.as_str()).take(NAMED);
        let names = names.collect::<Vec<_>>().join(", ");
        let more = match count.saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };

        match count {
            0 => None,
            1 => Some(format!(
                "1 setting of docker inspect has no counterpart: {names}"
            )),
            _ => Some(format!(
                "{count} settings of docker inspect have no counterpart: {names}{more}"
            )),
        }
    }
}

impl From<TaskDefinition> for BaseFile {
    fn from(definition: TaskDefinition) -> Self {
        Self {
            definition,
            left_out: Vec::new(),
        }
    }
}
