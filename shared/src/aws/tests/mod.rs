//! The adapters against a scripted HTTP client: the exact requests they send, and how they read
//! each response.

mod artifacts;
mod bases;
mod calls;
mod cbor;
mod clusters;
mod executions;
mod images;
mod jobs;
mod ledger;
mod ledger_claims;
mod load_balancing;
mod metrics;
mod other_rules;
mod pairs;
mod redaction;
mod reports;
mod roles;
mod scaling;
mod script;
mod service_deployments;
mod services;
mod services_changed;
mod stop_reasons;
mod target_health;
mod task_definitions;
