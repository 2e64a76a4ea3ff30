//! What became of the jobs of custom actions.

use emulator::Aws;
use emulator::codepipeline::Job;

use super::Coverage;
use super::expected::{NOT_PASSED_ON, RACE_LOST, TAKEN, WENT_ON};
use crate::bound;

impl Coverage {
    /// Jobs that were polled for, and races for them.
    pub(super) fn polled(&mut self, aws: &Aws) {
        let jobs = aws.codepipeline.jobs.iter();
        let jobs: Vec<&Job> = jobs.filter(|job| job.action_type.is_some()).collect();
        let is_reported = |job: &&&Job| job.reports.iter().any(|it| it.refused.is_none());
        let reported = jobs.iter().filter(is_reported).count();
        let goes_on = jobs.iter().filter(|job| job.continuation_token.is_some());
        self.add("worker", TAKEN, reported as u64);
        self.add("worker", WENT_ON, goes_on.count() as u64);

        let lost = aws.calls.iter().filter(|call| {
            call.operation == "AcknowledgeJob"
                && call.error.as_deref() == Some("InvalidNonceException")
        });
        self.add("worker", RACE_LOST, lost.count() as u64);
        let not_passed_on = bound::job_was_lost(aws);
        self.add("worker", NOT_PASSED_ON, u64::from(not_passed_on));
    }
}
