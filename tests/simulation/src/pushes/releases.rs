//! The ends of releases, in place of the functions that perform them: some minutes after its start
//! an execution was deployed or was rolled back, or it goes on. The ledger is given that as
//! `roll-back` gives it, the claim first.
//!
//! What becomes of a digest is in its own characters, so that it is the same whenever it is
//! started, and whatever else a plan has.

use std::collections::BTreeSet;
use std::sync::Arc;

use emulator::client::{Invocation, sdk_config};
use emulator::{Aws, Millis};
use harness::driver::Driver;
use invariants::ledger_reader::{FUNCTIONS_STACK, digest, table};
use slipway::aws::{Ledger, Sdk};
use slipway::limits::FUNCTION_TIMEOUT;
use slipway::release::{Outcome, RecordState};

/// What an execution comes to.
#[derive(Clone, Debug)]
struct Release {
    execution: String,
    pipeline: String,
    digest: String,
    outcome: Outcome,
}

/// The releases of a run.
pub(super) struct Releases {
    driver: Driver,
    invocation: Arc<Invocation>,
    sdk: Sdk,
    /// The executions that have ended.
    ended: BTreeSet<String>,
}

impl Releases {
    pub(super) fn new(driver: &Driver) -> Self {
        let caller = format!("{FUNCTIONS_STACK}-roll-back");
        let invocation = Invocation::of_attempt(None, caller, Vec::new());
        let config = sdk_config(&driver.world, Arc::clone(&invocation));
        let table = table(&driver.world.aws()).unwrap_or_default().to_owned();
        Self {
            driver: driver.clone(),
            invocation,
            sdk: Sdk::new(config, &table),
            ended: BTreeSet::new(),
        }
    }

    /// Ends the releases that are due, and returns what became of them.
    pub(super) async fn end_due(&mut self) -> Vec<String> {
        let due = self.due(&self.driver.world.aws());
        let mut ended = Vec::new();
        for release in due {
            let end = Box::pin(self.end(&release));
            if self.invocation.run(FUNCTION_TIMEOUT, end).await {
                ended.push(format!(
                    "{} of {}: {}",
                    release.execution, release.digest, release.outcome
                ));
                self.ended.insert(release.execution);
            }
        }
        ended
    }

    fn due(&self, aws: &Aws) -> Vec<Release> {
        let executions = aws.codepipeline.executions.iter();
        let open = executions.filter(|it| !self.ended.contains(&it.id));
        let due = open.filter_map(|execution| {
            let digest = digest(execution)?;
            let (outcome, after) = fate(digest)?;
            (execution.started + after <= aws.now).then(|| Release {
                execution: execution.id.clone(),
                pipeline: execution.pipeline.clone(),
                digest: digest.to_owned(),
                outcome,
            })
        });
        due.collect()
    }

    /// Whether a release is recorded as ended. One without a record has not begun.
    async fn end(&self, release: &Release) -> bool {
        let ledger = Ledger::new(&self.sdk);
        let Ok(Some(record)) = ledger.record(&release.execution).await else {
            return false;
        };
        if record.state == RecordState::Closed {
            return true;
        }
        if release.outcome == Outcome::RolledBack {
            let Release {
                execution,
                pipeline,
                digest,
                ..
            } = release;
            if ledger.keep_push(pipeline, digest, execution).await.is_err() {
                return false;
            }
        }
        let closed = record.closed(release.outcome, "its release ended", self.sdk.now());
        ledger
            .put_record(&closed)
            .await
            .is_ok_and(|is_written| is_written)
    }
}

/// What the release of a digest comes to, and after how long; none if it goes on.
fn fate(digest: &str) -> Option<(Outcome, Millis)> {
    let mut characters = digest.bytes().rev();
    let outcome = match characters.next()? % 4 {
        0 => return None,
        1 => Outcome::RolledBack,
        _ => Outcome::Deployed,
    };
    let minutes = 1 + Millis::from(characters.next()? % 32);
    Some((outcome, minutes * 60_000))
}
