//! Events that invoke functions: image pushes, ended executions, the sweep, and CloudFormation's
//! requests for custom resources.
//!
//! Reading an event never decides what follows from it: that is the step's, which observes first.

mod custom_resource;
mod execution;
mod push;
mod subscription;

pub use custom_resource::{CustomResourceRequest, RequestType, ResponseUrl};
pub use execution::RollBackTrigger;
pub use push::PushedImage;
pub use subscription::{PushInput, Subscription};
