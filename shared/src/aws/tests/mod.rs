//! What each adapter sends, to the letter, and what it makes of each answer: against a scripted HTTP client.

mod calls;
mod cbor;
mod codepipeline;
mod ecr_and_s3;
mod jobs;
mod ledger;
mod ledger_holds;
mod load_balancing;
mod metrics;
mod pairs;
mod scaling;
mod script;
mod services;
mod services_changed;
mod task_definitions;
