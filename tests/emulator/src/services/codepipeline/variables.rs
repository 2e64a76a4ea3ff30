//! Variable references in action configurations: `#{namespace.key}`, replaced by raw text.

use super::state::{ErrorDetails, Execution};

/// The `namespace.key` of every reference in a text.
pub(super) fn references(text: &str) -> impl Iterator<Item = &str> {
    text.split("#{")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(reference, _)| reference)
}

/// The text with every reference replaced as it stands, without any escaping.
pub(super) fn substitute(text: &str, execution: &Execution) -> Result<String, ErrorDetails> {
    let mut parts = text.split("#{");
    let mut resolved = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('}') {
            Some((reference, rest)) => {
                resolved
                    .push_str(value(reference, execution).ok_or_else(|| unresolved(reference))?);
                resolved.push_str(rest);
            }
            None => {
                resolved.push_str("#{");
                resolved.push_str(part);
            }
        }
    }
    Ok(resolved)
}

fn value<'a>(reference: &str, execution: &'a Execution) -> Option<&'a str> {
    match reference.split_once('.')? {
        ("codepipeline", "PipelineExecutionId") => Some(&execution.id),
        ("variables", name) => execution.variables.get(name).map(String::as_str),
        (namespace, key) => execution
            .outputs
            .get(namespace)?
            .get(key)
            .map(String::as_str),
    }
}

fn unresolved(reference: &str) -> ErrorDetails {
    let message = format!(
        "An action in this pipeline failed because one of the action variables could not be \
         resolved: #{{{reference}}}"
    );
    ErrorDetails::new("ConfigurationError", message)
}
