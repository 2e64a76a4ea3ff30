//! The services, one folder each, and the one list of them.

pub mod autoscaling;
pub mod cloudformation;
pub mod cloudwatch;
pub mod codepipeline;
pub mod dynamodb;
pub mod ecr;
pub mod ecs;
pub mod elb;
pub mod eventbridge;
pub mod iam;
pub(crate) mod identity;
pub mod lambda;
pub mod s3;

use crate::service::Service;

/// Every service that answers calls.
pub(crate) static SERVICES: &[&Service] = &[
    &autoscaling::SERVICE,
    &cloudformation::SERVICE,
    &cloudwatch::SERVICE,
    &codepipeline::SERVICE,
    &dynamodb::SERVICE,
    &ecr::SERVICE,
    &ecs::SERVICE,
    &elb::SERVICE,
    &eventbridge::SERVICE,
    &identity::IAM,
    &identity::STS,
    &lambda::SERVICE,
    &s3::SERVICE,
];
