//! What a message quotes of Amazon ECS, without the secrets of the task definition that ECS may
//! repeat.
//!
//! It never fails: a quotation whose secrets are unknown is left out.

use super::{AwsError, TaskDefinitions};
use crate::task_definition::TaskDefinition;

impl TaskDefinitions {
    /// A message whose quotations of these texts of ECS are without the secrets of a task
    /// definition. The definition is read only if something is quoted.
    pub async fn without_secrets<'a>(
        &self,
        message: String,
        texts: impl Iterator<Item = &'a str>,
        task_definition: &str,
    ) -> String {
        let quoted = quoted(texts, &message);
        if quoted.is_empty() {
            return message;
        }

        let described = self.describe(task_definition).await;
        let definition = described.map(|found| found.map(|(_, definition)| definition));
        redacted(message, &quoted, &definition)
    }
}

/// What a message quotes of these texts of ECS.
#[must_use]
pub fn quoted<'a>(texts: impl Iterator<Item = &'a str>, message: &str) -> Vec<&'a str> {
    texts
        .filter(|text| !text.is_empty() && message.contains(text))
        .collect()
}

/// A message in which these quotations are without the secrets of a task definition.
#[must_use]
pub fn redacted(
    message: String,
    quoted: &[&str],
    definition: &Result<Option<TaskDefinition>, AwsError>,
) -> String {
    quoted.iter().fold(message, |message, &text| {
        message.replace(text, &quotation(text, definition))
    })
}

/// A text of ECS without the secrets of a task definition, or why it cannot be shown.
#[must_use]
pub fn quotation(text: &str, definition: &Result<Option<TaskDefinition>, AwsError>) -> String {
    match definition {
        Ok(Some(definition)) => definition.redacted(text),
        Ok(None) => "(not shown: the task definition does not exist)".to_owned(),
        Err(_) => "(not shown: the task definition could not be read)".to_owned(),
    }
}
