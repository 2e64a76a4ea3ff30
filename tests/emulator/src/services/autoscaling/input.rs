//! The members of a request, refused in the words of the framework in front of the service.

use serde_json::{Value, json};

use super::{DIMENSION, NAMESPACE, validation};
use crate::input::Input;
use crate::page::Tokens;
use crate::validation as violations;
use crate::{ApiError, Aws};

/// The most items of one page, unless the request sets a lower number.
const MOST_ITEMS: i64 = 50;

const NAMESPACES: [&str; 15] = [
    "ecs",
    "elasticmapreduce",
    "ec2",
    "appstream",
    "dynamodb",
    "rds",
    "sagemaker",
    "custom-resource",
    "comprehend",
    "lambda",
    "cassandra",
    "kafka",
    "elasticache",
    "neptune",
    "workspaces",
];

/// A text that must be there.
pub(super) fn required<'a>(input: &Input<'a>, name: &str) -> Result<&'a str, ApiError> {
    input
        .text(name)?
        .ok_or_else(|| validation(violations::missing(name)))
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

/// The service namespace, of which the emulator serves one.
pub(super) fn check_namespace(input: &Input<'_>) -> Result<(), ApiError> {
    match required(input, "ServiceNamespace")? {
        NAMESPACE => Ok(()),
        other if NAMESPACES.contains(&other) => Err(validation(format!(
            "the sandbox does not serve the namespace {other}"
        ))),
        other => Err(validation(violations::not_in_enum(
            other,
            "ServiceNamespace",
            &NAMESPACES,
        ))),
    }
}

/// The resource id of a request that names namespace, resource and dimension.
pub(super) fn resource_id<'a>(input: &Input<'a>) -> Result<&'a str, ApiError> {
    check_namespace(input)?;
    let id = required(input, "ResourceId")?;
    let dimension = required(input, "ScalableDimension")?;

    if is_service(id) && dimension == DIMENSION {
        Ok(id)
    } else {
        Err(validation(
            "Unsupported service namespace, resource type or scalable dimension",
        ))
    }
}

/// One page of a list by `MaxResults` and `NextToken`, as `{member: […], NextToken?}`.
pub(super) fn page(
    aws: &Aws,
    input: &Input<'_>,
    member: &str,
    items: Vec<Value>,
) -> Result<Value, ApiError> {
    let limit = input.integer("MaxResults")?.unwrap_or(MOST_ITEMS);
    if !(1..=MOST_ITEMS).contains(&limit) {
        return Err(validation(format!(
            "MaxResults must be between 1 and {MOST_ITEMS}"
        )));
    }

    let size = aws.page_size(usize::try_from(limit).unwrap_or(1));
    let page = Tokens::Hexadecimal.page(items, input.text("NextToken")?, size);
    let page =
        page.ok_or_else(|| ApiError::client("InvalidNextTokenException", "Invalid token"))?;

    let mut output = json!({ member: page.items });
    if let Some(next) = page.next {
        output["NextToken"] = next.into();
    }
    Ok(output)
}

fn is_service(resource_id: &str) -> bool {
    let parts: Vec<&str> = resource_id.split('/').collect();
    matches!(
        parts.as_slice(),
        ["service", cluster, name] if !cluster.is_empty() && !name.is_empty()
    )
}
