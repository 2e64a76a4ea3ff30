//! How releases ended.

use emulator::Aws;
use emulator::codepipeline::Execution;
use invariants::ledger_reader::{executions, record, text};

use super::Coverage;
use super::expected::RELEASED_AT_ONCE;
use crate::shape::{PIPELINE, SIBLING_PIPELINE};

/// The heading under which the outcomes of the other service are counted.
const SIBLING_OUTCOME: &str = "outcome of the other service";

impl Coverage {
    /// How releases ended, of the other service of the family too.
    pub(super) fn outcomes(&mut self, aws: &Aws) {
        for (pipeline, what) in [(PIPELINE, "outcome"), (SIBLING_PIPELINE, SIBLING_OUTCOME)] {
            for execution in executions(aws, pipeline) {
                if let Some(record) = record(aws, &execution.id) {
                    self.releases += u64::from(pipeline == PIPELINE);
                    self.add(what, text(&record, "outcome").unwrap_or("none"), 1);
                }
            }
        }
        self.add("service", RELEASED_AT_ONCE, u64::from(meet(aws)));
    }
}

/// Whether a release of the service and one of the other service of its family were in progress at
/// the same time.
fn meet(aws: &Aws) -> bool {
    let ended = |execution: &Execution| execution.ended.unwrap_or(aws.now);
    let is_release = |execution: &&Execution| record(aws, &execution.id).is_some();
    let others: Vec<&Execution> = executions(aws, SIBLING_PIPELINE)
        .filter(is_release)
        .collect();

    let mut own = executions(aws, PIPELINE).filter(is_release);
    own.any(|one| {
        let mut others = others.iter();
        others.any(|other| one.started < ended(other) && other.started < ended(one))
    })
}
