//! The members of a request, refused in CloudWatch's words.

use std::collections::BTreeMap;

use super::MetricId;
use crate::input::Input;
use crate::page::{Page, Tokens};
use crate::{ApiError, Aws};

pub(super) fn validation(message: impl Into<String>) -> ApiError {
    ApiError::client("ValidationError", message)
}

pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::client("InvalidParameterValue", message)
}

/// The message for a required member that is absent.
pub(super) fn missing(input: &Input<'_>, name: &str) -> String {
    format!("The parameter {} is required.\n", input.named(name))
}

/// Refuses members that the emulator would otherwise ignore in silence.
pub(super) fn only(input: &Input<'_>, known: &[&str]) -> Result<(), ApiError> {
    match input.unknown_member(known) {
        Some(name) => Err(validation(format!(
            "the sandbox does not serve the member {name}"
        ))),
        None => Ok(()),
    }
}

/// The metric that a structure names by its members.
pub(super) fn metric(input: &Input<'_>, namespace: &str) -> Result<MetricId, ApiError> {
    let mut dimensions = BTreeMap::new();
    for dimension in input.inners("Dimensions")? {
        let member = |name: &str| {
            dimension
                .text(name)?
                .ok_or_else(|| validation(missing(&dimension, name)))
        };
        dimensions.insert(member("Name")?.to_owned(), member("Value")?.to_owned());
    }
    if dimensions.len() > 30 {
        let place = input.named("Dimensions");
        return Err(validation(format!(
            "The collection {place} must not have a size greater than 30.\n"
        )));
    }

    let name = input
        .text("MetricName")?
        .ok_or_else(|| validation(missing(input, "MetricName")))?;
    Ok(MetricId {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        dimensions,
    })
}

/// One page of a list.
pub(super) fn page<T>(
    aws: &Aws,
    all: Vec<T>,
    token: Option<&str>,
    limit: usize,
) -> Result<Page<T>, ApiError> {
    Tokens::Hexadecimal
        .page(all, token, aws.page_size(limit))
        .ok_or_else(invalid_token)
}

pub(super) fn invalid_token() -> ApiError {
    ApiError::client("InvalidNextToken", "The next token specified is invalid.")
}
