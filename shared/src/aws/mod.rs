//! The only module that calls AWS: thin adapters over the SDK, one per resource, and the
//! classification of its errors.
//!
//! An adapter performs one operation or one observation; it never decides. Tests reach it through
//! the SDK's own seams (`http_client`, `time_source`, `sleep_impl`), so no trait exists for mocks.

mod artifacts;
mod bases;
mod clusters;
mod error;
mod executions;
mod images;
mod jobs;
mod ledger;
mod metrics;
mod observed_service;
mod pairs;
mod reports;
mod roles;
mod rules;
mod scaling;
mod sdk;
mod service_deployments;
mod services;
mod stop_reasons;
mod target_health;
mod task_definitions;
mod tasks;
#[cfg(test)]
mod tests;

pub use artifacts::Artifacts;
pub use bases::Bases;
pub use clusters::Clusters;
pub use error::{AwsError, ErrorKind};
pub use executions::Executions;
pub use images::{Images, NotPullable};
pub use jobs::{Jobs, Retry};
pub use ledger::{Ledger, Listing};
pub use metrics::{Alarm, Metrics};
pub use observed_service::{ObservedService, SERVICE_TAG};
pub use pairs::{ObservePairError, ObservedPair, Pairs};
pub use reports::Reports;
pub use rules::{ObservedRule, Rules};
pub use scaling::Scaling;
pub use sdk::{Sdk, connect};
pub use services::{ServiceGoal, Services};
pub use task_definitions::TaskDefinitions;

use crate::observed::service::short_name;
