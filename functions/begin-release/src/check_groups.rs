//! The groups in which a release's checks are listed, beside those of the services.

pub(crate) const RELEASE: &str = "release";
pub(crate) const RULE: &str = "rule";
pub(crate) const RECORD: &str = "record";
pub(crate) const NEW: &str = "new revision";
pub(crate) const ROLLOUT: &str = "rollout";
/// In place of the services and the rule, when they cannot be read.
pub(crate) const TARGET: &str = "target";
pub(crate) const PRIOR: &str = "prior release";
