//! The services, one folder each with its `SERVICE`. `build.rs` lists the modules of this file.

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
pub mod lambda;
pub mod route53;
pub mod s3;
pub(crate) mod sts;

use crate::service::Service;

/// Every service that is served.
pub(crate) static SERVICES: &[&Service] = include!(concat!(env!("OUT_DIR"), "/services.rs"));
