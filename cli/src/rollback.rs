//! `slipway rollback`: ends an open release, and restores what the service ran before.

use clap::Args;
use serde_json::json;
use slipway::release::{Lease, Record};

use crate::decide::invoke;
use crate::pipeline::Execution;
use crate::stop::stop;
use crate::words::name_of;
use crate::{Answer, Failed, Session, find, history};

/// The output with the function that rolls back.
const FUNCTION: &str = "RollBackFunctionArn";

/// Stops the open release of a service and restores what it ran before, beginning at once.
///
/// A release that is closed is not rolled back: the answer names the image before it, which is
/// released like any other.
#[derive(Debug, Args)]
pub struct Rollback {
    /// The service or the pair, `SERVICE` or `CLUSTER/SERVICE`.
    pub service: String,
}

impl Rollback {
    /// # Errors
    /// If no release is open, or a call fails.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        let lease = find::lease(session, &self.service).await?;
        let Some(release) = &lease.release else {
            return Err(Failed::Refused(no_release(session, &lease).await?));
        };

        let execution = Execution {
            pipeline: release.pipeline.clone(),
            id: release.execution.clone(),
        };
        // One that has ended is rolled back nevertheless, and so is one that was begun by hand.
        let stopped = stop(session, &execution, "rolled back by an operator").await;
        let warning = stopped.err().map(|error| error.to_string());
        let event = json!({"parameters": {"execution": execution.id}});
        let response = invoke(session, FUNCTION, &event).await?;

        let status = response["status"].as_str().unwrap_or_default();
        let id = &execution.id;
        let text = format!("{status}; see how it ends: slipway wait {id}");
        Ok(Answer::line(text, response).warning(warning))
    }
}

/// Why nothing is rolled back, with the command that releases the image before.
async fn no_release(session: &Session, lease: &Lease) -> Result<String, Failed> {
    let found = session.ledger().records().await?;
    let name = name_of(lease);
    let how = match before(&found.records, lease) {
        Some((pipeline, digest)) => {
            format!("; release what it ran before: slipway deploy {pipeline} {digest}")
        }
        None => String::new(),
    };
    Ok(format!("no release of `{name}` is open{how}"))
}

/// The pipeline and the digest of the release before the last one that was deployed.
fn before<'a>(records: &'a [Record], lease: &Lease) -> Option<(&'a str, &'a str)> {
    let mut deployed = history::deployed_to(records, lease)
        .filter_map(|record| Some((record.pipeline.as_str(), record.digest.as_deref()?)));
    let (_, last) = deployed.next()?;
    deployed.find(|(_, digest)| *digest != last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(digest: &str, outcome: &str) -> Record {
        let value = json!({
            "v": 1, "execution": "e-1", "pipeline": "slipway-web", "state": "closed",
            "cluster": "apps", "service": "web", "digest": digest, "outcome": outcome,
            "started_at": "2026-01-05T09:00:00Z",
        });
        serde_json::from_value(value).expect("a record")
    }

    #[test]
    fn what_ran_before_is_the_other_image_that_was_deployed_last() {
        let records = [
            record("sha256:01", "deployed"),
            record("sha256:02", "deployed"),
            record("sha256:03", "deployed"),
            record("sha256:04", "rolled-back"),
            record("sha256:03", "deployed"),
        ];
        let lease = Lease::unwritten("apps", "web");
        assert_eq!(before(&records, &lease), Some(("slipway-web", "sha256:02")));
        assert_eq!(before(&records[..1], &lease), None);
        assert_eq!(before(&records, &Lease::unwritten("apps", "shop")), None);
    }

    /// The record of an execution that was deployed to `dev` before it came to `web`.
    fn promoted(digest: &str, outcome: &str) -> Record {
        let earlier = json!([{
            "cluster": "apps", "service": "dev", "outcome": "deployed",
            "task_definition": "dev:7", "ended_at": "2026-01-05T09:02:00Z",
        }]);
        let mut record = record(digest, outcome);
        record.earlier = serde_json::from_value(earlier).expect("releases");
        record
    }

    #[test]
    fn what_ran_before_an_earlier_release_of_a_promotion_is_that_of_its_own_service() {
        let records = [
            promoted("sha256:01", "deployed"),
            promoted("sha256:02", "rolled-back"),
            promoted("sha256:03", "deployed"),
            promoted("sha256:04", "rolled-back"),
        ];
        let of = |service: &str| before(&records, &Lease::unwritten("apps", service));
        assert_eq!(of("dev"), Some(("slipway-web", "sha256:03")));
        assert_eq!(of("web"), Some(("slipway-web", "sha256:01")));
    }
}
