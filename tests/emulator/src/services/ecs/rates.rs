//! The API's throttling: token buckets, one for each kind of operation.

use std::collections::BTreeMap;

use crate::quotas::Bucket;
use crate::{ApiError, Aws, Rate};

/// The buckets, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Buckets(BTreeMap<&'static str, Bucket>);

/// The bucket of an operation: its name, its size and its refill per second.
fn bucket(operation: &str) -> (&'static str, Rate) {
    let (name, burst, per_second) = match operation {
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
    };
    (name, Rate { burst, per_second })
}

/// Takes a token for one call, or refuses it.
pub(super) fn take(aws: &mut Aws, operation: &str) -> Result<(), ApiError> {
    let (name, rate) = bucket(operation);
    let bucket = aws.ecs.buckets.0.entry(name).or_default();
    if !bucket.take(rate, aws.now) {
        return Err(ApiError::client("ThrottlingException", "Rate exceeded"));
    }
    Ok(())
}
