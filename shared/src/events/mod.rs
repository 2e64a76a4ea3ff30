//! Events that invoke functions: image pushes, ended scans, updates of services by their stacks, started
//! actions, ended executions, schedules, changes of the ledger, and CloudFormation's requests for custom
//! resources.
//!
//! Reading an event never decides what follows from it: the function does, which observes first.

mod action;
mod announcement;
mod custom_resource;
mod ended_scan;
mod execution;
mod image_gate;
mod push;
mod push_sweep;
mod service_update;
mod subscription;
mod tag_rule;

pub use action::PollTrigger;
pub use announcement::{AnnounceTrigger, LedgerChange, StartedApproval};
pub use custom_resource::{CustomResourceRequest, RequestType, ResponseUrl};
pub use ended_scan::EndedScan;
pub use execution::RollBackTrigger;
pub use image_gate::{ImageDecision, ImageGate};
pub use push::PushedImage;
pub use push_sweep::PushSweep;
pub use service_update::{ServiceUpdate, UpdateStage};
pub use subscription::{PushInput, Subscription};
pub use tag_rule::TagRule;
