//! Package `emulator`: an in-memory AWS, the state of one account in one region, with further
//! accounts and regions beside it, and the rules by which it changes.
//!
//! It must not know Slipway: its manifest names neither the product nor a function. What it knows
//! of AWS is listed in `RULES.md`, each rule with its source and its test.

pub mod client;
mod core;
#[cfg(test)]
mod recorded;
mod services;

pub use crate::core::{
    Agenda, ApiError, Aws, Call, Event, Millis, Quirk, QuirkCounts, Quirks, Quotas, Rate, Request,
    Response, Stale, Unrecorded, traffic,
};
pub use services::{
    autoscaling, cloudformation, cloudwatch, codepipeline, dynamodb, ecr, ecs, elb, eventbridge,
    iam, lambda, route53, s3,
};

pub(crate) use crate::core::{
    accounts, input, nulls, page, partition, protocol, quotas, record, service, stale, tags, text,
    validation,
};
