//! EventBridge events that invoke functions: image pushes, ended executions, and the sweep.
//!
//! Reading an event never decides what follows from it: that is the step's, which observes first.

mod execution;
mod push;
mod subscription;

pub use execution::RollBackTrigger;
pub use push::PushedImage;
pub use subscription::{PushInput, Subscription};
