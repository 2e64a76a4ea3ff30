//! The members of a request, refused in the words of the framework in front of the service.

use serde_json::{Map, Value};

use super::{DIMENSION, NAMESPACE, validation};
use crate::{ApiError, Aws};

/// The most items of one page, unless the request asks for less.
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

pub(super) struct Input<'a>(pub(super) &'a Value);

impl<'a> Input<'a> {
    fn member(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, ApiError> {
        self.typed(name, Value::as_str, "a string")
    }

    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        self.typed(name, Value::as_i64, "an integer")
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        self.typed(name, Value::as_bool, "a boolean")
    }

    pub(super) fn object(&self, name: &str) -> Result<Option<&'a Map<String, Value>>, ApiError> {
        self.typed(name, Value::as_object, "a structure")
    }

    pub(super) fn texts(&self, name: &str) -> Result<Vec<&'a str>, ApiError> {
        let items = self
            .typed(name, Value::as_array, "a list")?
            .map_or(&[][..], Vec::as_slice);
        let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
        texts.ok_or_else(|| serialization(name, "a list of strings"))
    }

    pub(super) fn required(&self, name: &str) -> Result<&'a str, ApiError> {
        self.text(name)?
            .ok_or_else(|| violated("null", name, "Member must not be null"))
    }

    fn typed<T>(
        &self,
        name: &str,
        read: fn(&'a Value) -> Option<T>,
        what: &str,
    ) -> Result<Option<T>, ApiError> {
        self.member(name)
            .map(|value| read(value).ok_or_else(|| serialization(name, what)))
            .transpose()
    }

    /// Refuses members that the sandbox would otherwise ignore in silence.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), ApiError> {
        let given = self.0.as_object().into_iter().flatten();
        let mut unknown =
            given.filter(|(name, value)| !value.is_null() && !known.contains(&name.as_str()));
        match unknown.next() {
            Some((name, _)) => Err(validation(format!(
                "the sandbox does not serve the member {name}"
            ))),
            None => Ok(()),
        }
    }

    /// The service namespace, of which the sandbox serves one.
    pub(super) fn namespace(&self) -> Result<(), ApiError> {
        match self.required("ServiceNamespace")? {
            NAMESPACE => Ok(()),
            other if NAMESPACES.contains(&other) => Err(validation(format!(
                "the sandbox does not serve the namespace {other}"
            ))),
            other => {
                let legal = NAMESPACES.join(", ");
                Err(violated(
                    &format!("'{other}'"),
                    "ServiceNamespace",
                    &format!("Member must satisfy enum value set: [{legal}]"),
                ))
            }
        }
    }

    /// The resource id of a request that names namespace, resource and dimension.
    pub(super) fn resource_id(&self) -> Result<&'a str, ApiError> {
        self.namespace()?;
        let (id, dimension) = (
            self.required("ResourceId")?,
            self.required("ScalableDimension")?,
        );
        is_service(id)
            .filter(|()| dimension == DIMENSION)
            .map(|()| id)
            .ok_or_else(unsupported)
    }

    /// One page of a list; the token is the position at which the next page starts.
    pub(super) fn page(
        &self,
        aws: &Aws,
        member: &str,
        items: Vec<Value>,
    ) -> Result<Value, ApiError> {
        let limit = self.integer("MaxResults")?.unwrap_or(MOST_ITEMS);
        if !(1..=MOST_ITEMS).contains(&limit) {
            return Err(validation(format!(
                "MaxResults must be between 1 and {MOST_ITEMS}"
            )));
        }
        let start = self
            .text("NextToken")?
            .map_or(Some(0), |token| usize::from_str_radix(token, 16).ok());
        let start = start.filter(|start| *start <= items.len());
        let start =
            start.ok_or_else(|| ApiError::client("InvalidNextTokenException", "Invalid token"))?;
        let end = items
            .len()
            .min(start + aws.page_size(usize::try_from(limit).unwrap_or(1)));
        let mut page = serde_json::json!({ member: items[start..end] });
        if end < items.len() {
            page["NextToken"] = format!("{end:016x}").into();
        }
        Ok(page)
    }
}

fn is_service(resource_id: &str) -> Option<()> {
    let parts: Vec<&str> = resource_id.split('/').collect();
    matches!(parts.as_slice(), ["service", cluster, name] if !cluster.is_empty() && !name.is_empty()).then_some(())
}

fn unsupported() -> ApiError {
    validation("Unsupported service namespace, resource type or scalable dimension")
}

fn violated(value: &str, member: &str, constraint: &str) -> ApiError {
    let field = member[..1].to_lowercase() + &member[1..];
    validation(format!(
        "1 validation error detected: Value {value} at '{field}' failed to satisfy constraint: {constraint}"
    ))
}

fn serialization(member: &str, what: &str) -> ApiError {
    ApiError::client(
        "SerializationException",
        format!("{member}: expected {what}"),
    )
}
