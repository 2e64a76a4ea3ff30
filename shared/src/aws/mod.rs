//! The only module that calls AWS: thin adapters over the SDK, one per resource, and the
//! classification of its errors.
//!
//! An adapter performs one operation or one observation; it never decides. Tests reach it through
//! the SDK's own seams (`http_client`, `time_source`, `sleep_impl`), so no trait exists for mocks.

mod artifacts;
mod balancers;
mod bases;
mod clients;
mod clusters;
mod custom_jobs;
mod error;
mod event_bus;
mod executions;
mod functions;
mod http_checks;
mod images;
mod jobs;
mod ledger;
mod metrics;
mod observed_service;
mod one_off_tasks;
mod pages;
mod pairs;
mod pipelines;
mod prior_revisions;
pub mod quotations;
mod records;
mod reports;
mod repositories;
mod responses;
mod roles;
mod routes;
mod rules;
mod scaling;
mod scans;
mod sdk;
mod service_deployments;
mod services;
mod signatures;
mod stop_reasons;
mod target_health;
mod task_definitions;
mod tasks;
#[cfg(test)]
mod tests;
mod transitions;
mod unsigned;

pub use artifacts::Artifacts;
pub use balancers::Balancers;
pub use bases::Bases;
pub use clusters::Clusters;
pub use custom_jobs::CustomJobs;
pub use error::{AwsError, ErrorKind};
pub use event_bus::EventBus;
pub use executions::Executions;
pub use functions::{Functions, Returned};
pub use http_checks::HttpChecks;
pub use images::{FoundImage, Images};
pub use jobs::{Jobs, Retry};
pub use ledger::{Ledger, LedgerItems, Listing, Unreadable};
pub use metrics::Metrics;
pub use observed_service::ObservedService;
pub use one_off_tasks::TaskPlace;
pub use pairs::{ObservePairError, ObservedPair, Pairs};
pub use pipelines::Pipelines;
pub use prior_revisions::PriorRevisions;
pub use records::{ObservedRecords, Records};
pub use reports::Reports;
pub use repositories::Repositories;
pub use responses::Responses;
pub use routes::{ObservedRoute, Routes};
pub use rules::{ObservedRule, Rules};
pub use scaling::Scaling;
pub use scans::Scans;
pub use sdk::{Sdk, connect};
pub use services::Services;
pub use signatures::Signatures;
pub use task_definitions::TaskDefinitions;
pub use transitions::Transitions;

use crate::observed::service::short_name;
