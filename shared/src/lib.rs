//! Package `slipway`: what a release of a container image to Amazon ECS is, and how each step of it
//! is decided.
//!
//! The modules, each with what it must never do:
//!
//! - [`limits`]: every number that bounds something, with its source.
//! - [`timestamp`]: instants and readable durations. Never reads a clock.
//! - [`arn`]: the parts of ARNs. Never decides whether what one names exists.
//! - `partition`: the partitions of AWS. Never decides whether a region exists.
//! - [`image`]: image references and digests. Never calls a registry.
//! - [`manifest`]: which manifests of a repository are container images. Never calls a registry.
//! - `hash`: hashes of texts. Never decides what is hashed.
//! - `json`: JSON that users and other tools wrote. Never drops a member.
//! - [`judge`]: the verdict on a canary, from counts and series. Depends on `limits` only; never
//!   draws random numbers, never reads a clock, never passes a canary without data.
//! - [`redaction`]: what AWS's texts lose before anyone reads them. Never removes names.
//! - [`job`]: CodePipeline's protocol. The only module that knows the JSON of a job; never decides.
//! - [`task_definition`]: task definitions as opaque JSON. Never drops an unknown field.
//! - [`page`]: the release page, from items of the ledger. Never performs I/O, never decides.
//! - [`freeze`]: when a release may make no step forward. Never decides about a way back.
//! - [`metrics`]: which series are read for a canary, and how. Never judges them.
//! - [`observed`]: observations of services, pairs and rules. Never decides what follows from them.
//! - [`release`]: the ledger's leases, records and pushes, and their transitions. Never performs
//!   I/O.
//! - [`strategy`]: one folder per strategy: the next step of a release. Never performs I/O.
//! - [`step`]: runs one step through [`aws`] and reports its outcome. Never decides.
//! - [`events`]: events that invoke functions, besides jobs. Never decides what follows from them.
//! - [`notices`]: what is announced of releases. Never performs I/O.
//! - [`routing`]: moves the traffic of a pair through [`aws`], in [`routing::mover`]. Never decides:
//!   `strategy` does.
//! - [`aws`]: adapters of the SDK. The only module that calls AWS and reads the clock; only [`step`]
//!   and [`routing::mover`] use its adapters. Never decides.
//! - [`telemetry`]: logs. Never logs a payload.
//! - [`text`]: encodings of JSON that other tools wrote. Never guesses one.
//!
//! Each crate of `functions/` is one step: it observes through [`aws`], gets the decision from the
//! pure modules, applies at most one change and reports once through [`job`].

pub mod arn;
pub mod aws;
pub mod events;
pub mod freeze;
mod hash;
pub mod image;
pub mod job;
mod json;
pub mod judge;
pub mod limits;
pub mod manifest;
pub mod metrics;
pub mod notices;
pub mod observed;
pub mod page;
mod partition;
pub mod redaction;
pub mod release;
pub mod routing;
pub mod step;
pub mod strategy;
pub mod task_definition;
pub mod telemetry;
pub mod text;
pub mod timestamp;
