//! Releases in place: the tasks of one service are replaced by those of a new revision.

mod bounds;
pub mod deploy;
pub mod ended;
pub mod percentages;
pub mod plan;
pub mod rollback;
