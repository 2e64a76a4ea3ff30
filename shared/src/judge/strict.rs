//! Reads JSON so that every refusal names the field, what was found and what was expected.
//!
//! serde's derived errors give a line and a column; the author of a canary config needs the path
//! (`metrics[2].analysisConfigurations.canary.direction`). Nothing unknown is ignored, because an
//! ignored typo is a check that silently never runs. A leaf: it knows no config.

use serde_json::Value;

use crate::limits::COUNTED_A_MINUTE;

/// A field that was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: found {found}; expected {expected}")]
pub struct FieldError {
    /// The path of the field, such as `minutes[3].c.bad`.
    pub field: String,
    /// What stands there.
    pub found: String,
    /// What may stand there, or what to do about it.
    pub expected: String,
}

/// A place in a JSON document; `value` is `None` where the field is absent.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    path: String,
    value: Option<&'a Value>,
}

/// How much of an offending value an error message quotes, in characters.
const QUOTE_CHARS: usize = 60;

impl<'a> Node<'a> {
    /// The document itself; its fields are named without a prefix.
    pub(super) fn root(value: &'a Value) -> Self {
        Self {
            path: String::new(),
            value: Some(value),
        }
    }

    /// Refuses what stands here.
    pub(super) fn refuse(&self, expected: impl Into<String>) -> FieldError {
        let found = match self.value {
            None => "nothing".to_owned(),
            Some(value) => quote(value),
        };

        FieldError {
            field: self.name(),
            found,
            expected: expected.into(),
        }
    }

    fn name(&self) -> String {
        if self.path.is_empty() {
            "document".to_owned()
        } else {
            self.path.clone()
        }
    }

    /// Checks that this is an object without fields other than `known`.
    pub(super) fn object(&self, known: &[&str]) -> Result<Self, FieldError> {
        let object = self
            .value
            .and_then(Value::as_object)
            .ok_or_else(|| self.refuse("an object"))?;

        match object.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(FieldError {
                field: self.field(key).path,
                found: "an unknown field".to_owned(),
                expected: known.join(", "),
            }),
            None => Ok(self.clone()),
        }
    }

    /// Refuses fields that an older format had, each with what to do about it.
    pub(super) fn retired(&self, fields: &[(&str, &str)]) -> Result<(), FieldError> {
        let found = fields
            .iter()
            .map(|(name, remedy)| (self.field(name), remedy));
        match found.into_iter().find(|(field, _)| !field.is_absent()) {
            Some((field, remedy)) => Err(field.refuse(*remedy)),
            None => Ok(()),
        }
    }

    /// The field of this object called `name`, absent or not.
    pub(super) fn field(&self, name: &str) -> Self {
        let path = if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        };
        Self {
            path,
            value: self.value.and_then(|value| value.get(name)),
        }
    }

    pub(super) fn is_absent(&self) -> bool {
        self.value.is_none()
    }

    /// Null, or not there at all: both mean that the value is not known.
    pub(super) fn is_unknown(&self) -> bool {
        self.value.is_none_or(Value::is_null)
    }

    /// The elements of this array.
    pub(super) fn array(&self) -> Result<Vec<Self>, FieldError> {
        let items = self
            .value
            .and_then(Value::as_array)
            .ok_or_else(|| self.refuse("an array"))?;
        let element = |(index, value)| Self {
            path: format!("{}[{index}]", self.path),
            value: Some(value),
        };
        Ok(items.iter().enumerate().map(element).collect())
    }

    /// The fields of this object, whatever they are called.
    pub(super) fn entries(&self) -> Result<Vec<(String, Self)>, FieldError> {
        let object = self
            .value
            .and_then(Value::as_object)
            .ok_or_else(|| self.refuse("an object"))?;
        Ok(object
            .keys()
            .map(|key| (key.clone(), self.field(key)))
            .collect())
    }

    pub(super) fn text(&self) -> Result<String, FieldError> {
        let text = self
            .value
            .and_then(Value::as_str)
            .ok_or_else(|| self.refuse("a string"))?;
        Ok(text.to_owned())
    }

    pub(super) fn count(&self) -> Result<u64, FieldError> {
        let count = self
            .value
            .and_then(Value::as_u64)
            .filter(|count| *count <= COUNTED_A_MINUTE);
        count.ok_or_else(|| self.refuse(format!("a whole number, 0 to {COUNTED_A_MINUTE}")))
    }

    /// A count below 2³², for numbers of minutes.
    pub(super) fn minutes(&self) -> Result<u32, FieldError> {
        u32::try_from(self.count()?).map_err(|_| self.refuse(format!("at most {}", u32::MAX)))
    }

    /// A count, or `None` where it is not known.
    pub(super) fn maybe_count(&self) -> Result<Option<u64>, FieldError> {
        if self.is_unknown() {
            Ok(None)
        } else {
            self.count().map(Some)
        }
    }

    pub(super) fn number(&self) -> Result<f64, FieldError> {
        self.value
            .and_then(Value::as_f64)
            .ok_or_else(|| self.refuse("a number"))
    }

    pub(super) fn flag(&self) -> Result<bool, FieldError> {
        self.value
            .and_then(Value::as_bool)
            .ok_or_else(|| self.refuse("true or false"))
    }

    /// One of a closed list of words.
    pub(super) fn keyword<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, FieldError> {
        let found = self.value.and_then(Value::as_str);
        let expected = || {
            words
                .iter()
                .map(|(word, _)| *word)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let word = words.iter().find(|(word, _)| Some(*word) == found);

        word.map(|(_, meaning)| *meaning)
            .ok_or_else(|| self.refuse(expected()))
    }

    /// Reads the field with `read`, or takes `default` where the field is absent.
    pub(super) fn or<T>(
        &self,
        default: T,
        read: impl Fn(&Self) -> Result<T, FieldError>,
    ) -> Result<T, FieldError> {
        if self.is_absent() {
            Ok(default)
        } else {
            read(self)
        }
    }
}

fn quote(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(QUOTE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests;
