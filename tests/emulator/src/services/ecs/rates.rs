//! The API's throttling: token buckets, one for each kind of operation.

use std::collections::BTreeMap;

use crate::{ApiError, Aws, Millis};

/// Thousandths of a token left in each bucket, and when that was so.
#[derive(Clone, Debug, Default)]
pub(super) struct Buckets(BTreeMap<&'static str, (i64, Millis)>);

/// The bucket of an operation: its name, its size and its refill per second.
fn bucket(operation: &str) -> (&'static str, i64, i64) {
    match operation {
        "RegisterTaskDefinition" | "DeregisterTaskDefinition" => ("task definition modify", 20, 1),
        "CreateService" | "UpdateService" | "DeleteService" => ("service modify", 50, 5),
        "CreateCluster"
        | "DeleteCluster"
        | "CreateCapacityProvider"
        | "RunTask"
        | "StopTask"
        | "TagResource"
        | "UntagResource" => ("cluster modify", 50, 20),
        _ => ("read", 100, 20),
    }
}

/// Takes a token for one call, or refuses it.
pub(super) fn take(aws: &mut Aws, operation: &str) -> Result<(), ApiError> {
    let (name, size, per_second) = bucket(operation);
    let full = size * 1000;
    let (tokens, at) = aws.ecs.buckets.0.entry(name).or_insert((full, aws.now));
    *tokens = full.min(*tokens + (aws.now - *at) * per_second);
    *at = aws.now;
    if *tokens < 1000 {
        return Err(ApiError::client("ThrottlingException", "Rate exceeded"));
    }
    *tokens -= 1000;

    Ok(())
}
