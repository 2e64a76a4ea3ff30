//! `slipway wait`: until a release has ended, and how.

use std::fmt;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use slipway::aws::{ErrorKind, Executions};
use slipway::release::{Outcome, Record, RecordState};
use slipway::timestamp::{minutes, readable};

use crate::pipeline::Execution;
use crate::words::{digest, ending, optional};
use crate::{Answer, Block, Exit, Failed, Session};

/// How long a look waits for the next one.
const BETWEEN: Duration = Duration::from_secs(5);

/// How CodePipeline names executions that go on.
pub(crate) const GOING: [&str; 2] = ["InProgress", "Stopping"];

/// Waits until the release of an execution has ended. The exit code is how it ended, so that a job
/// that waits for it ends truthfully.
///
/// An execution that releases several services is waited for until the last of them.
#[derive(Debug, Args)]
pub struct Wait {
    /// The id of the execution, or the service whose release is open.
    #[arg(value_name = "EXECUTION|SERVICE")]
    pub execution: String,
    /// The pipeline, of an execution that was started by hand and has not begun its release.
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
    #[command(flatten)]
    pub limit: Limit,
}

// How long a command waits.
// Not a doc comment: that of what is flattened would take the place of the command's.
#[derive(Clone, Copy, Debug, Args)]
pub struct Limit {
    /// The longest time to wait, in minutes.
    #[arg(long, value_name = "MINUTES", default_value_t = 120)]
    pub timeout: u32,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&readable(minutes(self.timeout)))
    }
}

impl Wait {
    /// # Errors
    /// When a call fails, or the execution is not known.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        let execution = Execution::find(session, &self.execution, self.pipeline.as_deref()).await?;
        ended(session, &execution, self.limit).await
    }
}

/// The end of an execution, once it is known or the time is over.
pub(crate) async fn ended(
    session: &Session,
    execution: &Execution,
    limit: Limit,
) -> Result<Answer, Failed> {
    let id = &execution.id;
    let answer = until(session, limit, BETWEEN, async || {
        look(session, execution).await
    })
    .await?;
    Ok(answer.unwrap_or_else(|| {
        let text = format!("execution {id} has not ended after {limit}");
        still_open(text, Some(id))
    }))
}

/// Looks again after each pause, until a look has an answer; none if the time is over before.
pub(crate) async fn until(
    session: &Session,
    limit: Limit,
    pause: Duration,
    mut look: impl AsyncFnMut() -> Result<Option<Answer>, Failed>,
) -> Result<Option<Answer>, Failed> {
    let began = session.sdk.now();
    loop {
        match look().await {
            Ok(None) => {}
            // The next look may succeed.
            Err(Failed::Aws(error)) if error.kind == ErrorKind::Busy => {}
            ended => return ended,
        }
        if session.sdk.now().since(began) >= minutes(limit.timeout) {
            return Ok(None);
        }
        tokio::time::sleep(pause).await;
    }
}

/// The answer of a command whose time is over.
pub(crate) fn still_open(text: String, execution: Option<&String>) -> Answer {
    let json = json!({"execution": execution, "outcome": null});
    Answer::line(text, json).ending(Exit::Open)
}

/// How an execution has ended; none while it goes on.
async fn look(session: &Session, execution: &Execution) -> Result<Option<Answer>, Failed> {
    let Execution { pipeline, id } = execution;
    let ledger = session.ledger();
    let record = ledger.record(id).await?;
    if record
        .as_ref()
        .is_some_and(|record| record.state != RecordState::Closed)
    {
        return Ok(None);
    }

    let status = match Executions::new(&session.sdk).status(pipeline, id).await {
        // Without the permission to read it the record alone decides.
        Err(error) if record.is_some() && error.is_denied() => None,
        status => status?,
    };
    if status
        .as_deref()
        .is_some_and(|status| GOING.contains(&status))
    {
        // What ended badly does not go on, and a rollback ends after its execution.
        let bad = record.filter(|record| Exit::of_record(record) != Exit::Done);
        return Ok(bad.map(|record| answer(&record, None)));
    }

    // A release can have begun between both reads.
    let Some(record) = ledger.record(id).await? else {
        return match status {
            Some(status) => Ok(Some(without_record(id, &status))),
            None => Err(Failed::Refused(format!(
                "pipeline `{pipeline}` has no execution {id}"
            ))),
        };
    };
    let is_over = record.state == RecordState::Closed;
    Ok(is_over.then(|| answer(&record, status.as_deref())))
}

fn without_record(execution: &str, status: &str) -> Answer {
    let text = format!("execution {execution} ended {status} and released nothing");
    let json = json!({"execution": execution, "status": status, "outcome": null});
    Answer::line(text, json).ending(Exit::Refused)
}

/// The answer about a closed release. `status`: of the execution, which can end otherwise after
/// one of its releases was deployed.
pub(crate) fn answer(record: &Record, status: Option<&str>) -> Answer {
    let exit = Exit::of_record(record);
    let fell = status.filter(|status| *status != "Succeeded" && exit == Exit::Done);

    let mut fields = vec![
        ("outcome", ending(record)),
        ("service", optional(record.service.as_deref())),
        ("digest", digest(record.digest.as_deref())),
        ("execution", record.execution.as_str().into()),
        ("reason", optional(record.reason.as_deref())),
    ];
    if let Some(status) = fell {
        fields.push(("status", format!("the execution ended {status}").into()));
    }
    let exit = fell.map_or(exit, |_| Exit::NotDeployed);
    Answer::new(
        vec![Block::Fields(fields)],
        json!({"record": record, "status": status}),
    )
    .ending(exit)
}

impl Exit {
    /// How the process ends after a closed release: refused, if it ended before any change.
    #[must_use]
    pub fn of_record(record: &Record) -> Self {
        let is_untouched =
            record.change.is_none() && record.shift.is_none() && !record.needs_operator;
        match record.outcome {
            Some(Outcome::Failed) if is_untouched => Self::Refused,
            Some(outcome) => Self::of(outcome),
            None => Self::NotDeployed,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn record(outcome: &str, more: &Value) -> Record {
        let mut whole = json!({
            "v": 1, "execution": "e-1", "pipeline": "slipway-web", "state": "closed",
            "outcome": outcome, "started_at": "2026-01-05T09:00:00Z",
        });
        let more = more.as_object().expect("an object").clone();
        whole.as_object_mut().expect("an object").extend(more);
        serde_json::from_value(whole).expect("a record")
    }

    #[test]
    fn a_release_that_failed_before_any_change_was_refused() {
        let change = json!({"change": {
            "task_definition": "web:4", "percentages": {"minimum_healthy": 100, "maximum": 200},
        }});
        let none = json!({});
        let operator = json!({"needs_operator": true});
        for (record, exit) in [
            (record("deployed", &change), Exit::Done),
            (record("unchanged", &none), Exit::Done),
            (record("rolled-back", &change), Exit::NotDeployed),
            (record("held", &change), Exit::NotDeployed),
            (record("superseded", &none), Exit::NotDeployed),
            (record("failed", &change), Exit::NotDeployed),
            (record("failed", &operator), Exit::NotDeployed),
            (record("failed", &none), Exit::Refused),
        ] {
            assert_eq!(Exit::of_record(&record), exit, "{record:?}");
        }
    }

    #[test]
    fn an_execution_that_failed_after_a_deployed_release_did_not_end_well() {
        let deployed = record("deployed", &json!({}));
        let exit = |status| answer(&deployed, status).exit;
        assert_eq!(exit(Some("Succeeded")), Exit::Done);
        assert_eq!(exit(None), Exit::Done);
        assert_eq!(exit(Some("Failed")), Exit::NotDeployed);
    }
}
