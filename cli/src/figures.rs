//! `slipway figures`: how often services are deployed to, how fast, and how often that fails.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use slipway::release::{EndedRelease, Figures as Numbers, by_service, ended, start_of};

use crate::past::{Past, days, pipelines};
use crate::words::name_of;
use crate::{Answer, Block, Failed, Session, Table, find};

/// Shows the four figures of DORA for each service: deployment frequency, lead time, change failure
/// rate and time to restore.
///
/// Fields: service, deployments, deployments a week, lead time, failed changes, change failure
/// rate, time to restore. The two times are medians; `unknown` is what the ledger does not have,
/// `-` what did not occur. A change failed if users could get it and it was rolled back or could
/// not be restored; one that an operator stopped did not. The lead time is that from the push of
/// the image: when its commit was made, the ledger does not have. The time to restore begins with
/// the release that failed, and is no less than what users saw. It reads what each pipeline
/// released in the period.
#[derive(Debug, Args)]
pub struct Figures {
    /// The service or the pair, `SERVICE` or `CLUSTER/SERVICE`, or a pipeline; all services without
    /// it.
    #[arg(value_name = "SERVICE|PIPELINE")]
    pub target: Option<String>,
    /// Of so many days until now, at most 400.
    #[arg(long, value_name = "DAYS", default_value = "30", value_parser = days())]
    pub days: u32,
}

impl Figures {
    /// # Errors
    /// When a call fails, or the ledger knows neither such a service nor such a pipeline.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        let listing = session.ledger().leases().await?;
        let (names, service) = match &self.target {
            None => (pipelines(session, &listing).await?, None),
            Some(target) => match find::named(&listing, target) {
                Ok(lease) => (pipelines(session, &listing).await?, Some(name_of(lease))),
                Err(failed) => {
                    let past = self.of_pipeline(session, target, &failed).await?;
                    return Ok(self.answer(session, &past, None));
                }
            },
        };
        let past = Past::read(session, &names, self.days).await?;
        Ok(self.answer(session, &past, service.as_deref()))
    }

    /// What a pipeline released.
    async fn of_pipeline(
        &self,
        session: &Session,
        name: &str,
        no_service: &Failed,
    ) -> Result<Past, Failed> {
        let past = Past::read(session, &[name.to_owned()].into(), self.days).await?;
        if past.records.is_empty() && past.unreadable.is_empty() {
            return Err(Failed::Refused(format!(
                "no pipeline `{name}` has released anything in {} days: {no_service}",
                self.days
            )));
        }
        Ok(past)
    }

    fn answer(&self, session: &Session, past: &Past, service: Option<&str>) -> Answer {
        let since = start_of(self.days, session.sdk.now());
        let mut releases: Vec<EndedRelease<'_>> = ended(&past.records, &past.pushes, since);
        releases.retain(|release| service.is_none() || release.service.as_deref() == service);

        let mut table = Table::new(vec![
            "service",
            "deployments",
            "a week",
            "lead time",
            "failed",
            "failure rate",
            "time to restore",
        ]);
        let mut services = Vec::new();
        for (name, numbers) in by_service(&releases) {
            let texts = numbers.texts(self.days);
            table.push(vec![
                name.into(),
                texts.deployed.into(),
                texts.a_week.into(),
                texts.lead.into(),
                texts.failed.into(),
                texts.failure_rate.into(),
                texts.restore.into(),
            ]);
            services.push(json_of(name, &numbers, self.days));
        }
        let warning = services.is_empty().then(|| {
            let days = self.days;
            format!("no release ended in {days} days")
        });
        let json = json!({"days": self.days, "since": since, "services": services});
        Answer::new(vec![Block::Table(table)], json)
            .warning(warning)
            .warning_of(&past.unreadable)
    }
}

/// Times in seconds; null is what is not known.
fn json_of(service: &str, numbers: &Numbers, days: u32) -> Value {
    let secs = |value: Option<Duration>| value.map(|value| value.as_secs());
    json!({
        "service": service,
        "deployments": numbers.deployed,
        "deployments_a_week": numbers.a_week(days),
        "lead_time_from_push": secs(numbers.lead()),
        "lead_time_from_commit": null,
        "failed_changes": numbers.failed,
        "change_failure_rate": numbers.failure_rate(),
        "time_to_restore": secs(numbers.restore()),
    })
}
