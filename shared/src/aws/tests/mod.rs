//! The adapters against a scripted HTTP client: the exact requests they send, and how they read
//! each response.

mod artifacts;
mod balancers;
mod bases;
mod calls;
mod cbor;
mod clients;
mod clusters;
mod discovery;
mod executions;
mod fixed_settings;
mod http_checks;
mod images;
mod jobs;
mod lease_proofs;
mod ledger;
mod load_balancing;
mod metrics;
mod newcomers;
mod one_off_tasks;
mod other_rules;
mod pairs;
mod records;
mod redaction;
mod reports;
mod responses;
mod roles;
mod scaling;
mod script;
mod service_deployments;
mod services;
mod services_changed;
mod stop_reasons;
mod target_health;
mod task_definitions;
mod transitions;
