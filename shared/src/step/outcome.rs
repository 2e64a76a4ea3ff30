//! What is reported of a step, and what the next job of its action receives.

use crate::job::{JobOutcome, JobReport, StepError, StepResult, Token};
use crate::timestamp::Timestamp;

/// What is reported, with the token for the next job if there is one.
pub(super) fn outcome(result: StepResult, token: Token, now: Timestamp) -> JobOutcome {
    let (report, token) = match result {
        Ok(JobReport::InProgress {
            summary,
            percent,
            external_id,
            payload,
        }) => (
            JobReport::in_progress(summary, percent).with_external_id(external_id.as_deref()),
            token.learned_at(now).with_payload(payload),
        ),
        Ok(report @ (JobReport::Done { .. } | JobReport::Checked(_))) => {
            log_checks(&report);
            return JobOutcome::Succeeded {
                report,
                token: None,
            };
        }
        Err(StepError::Failed(failure)) => return JobOutcome::Failed(failure),
        Err(StepError::Refused(failure) | StepError::Unexpected(failure)) => (
            JobReport::in_progress(format!("{failure}; looking again"), 0),
            token.refused_at(now),
        ),
        // Nothing was learned, so the next job receives what this one received.
        Err(StepError::Busy(why)) => (JobReport::in_progress(why, 0), token),
        Err(StepError::Frozen(why)) => (JobReport::in_progress(why, 0), token.frozen_at(now)),
    };

    JobOutcome::Succeeded {
        report,
        token: Some(token.text()),
    }
}

/// Logs what a dry run checked, as one line.
fn log_checks(report: &JobReport) {
    if let JobReport::Checked(checks) = report {
        tracing::info!(checks = %checks.tree(), "dry run");
    }
}
