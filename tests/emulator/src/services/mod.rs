//! The services, one folder each.

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
