//! What CloudWatch has of an alarm, as far as it can stop a release.

/// An alarm that is in ALARM, or does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alarm {
    Active { name: String, reason: String },
    Missing { name: String },
}
