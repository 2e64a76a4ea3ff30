//! `slipway figures`: how often services are deployed to, how fast, and how often that fails.

use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use slipway::release::{EndedRelease, Figures as Numbers, by_service, ended, start_of};
use slipway::timestamp::Timestamp;

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
    /// Of so many days, at most 400.
    #[arg(long, value_name = "DAYS", default_value = "30", value_parser = days())]
    pub days: u32,
    /// The end of the days, such as 2026-04-01 or 2026-04-01T12:00:00Z; now without it.
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub until: Option<Timestamp>,
}

/// A period.
#[derive(Clone, Copy, Debug)]
struct Period {
    since: Timestamp,
    until: Timestamp,
}

impl Figures {
    /// # Errors
    /// When a call fails, or the ledger knows neither such a service nor such a pipeline.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        let until = self.until.unwrap_or(session.sdk.now());
        let since = start_of(self.days, until);
        let period = Period { since, until };

        let listing = session.ledger().leases().await?;
        let (names, service) = match &self.target {
            None => (pipelines(session, &listing).await?, None),
            Some(target) => match find::named(&listing, target) {
                Ok(lease) => (pipelines(session, &listing).await?, Some(name_of(lease))),
                Err(failed) => {
                    let past = self.of_pipeline(session, target, since, &failed).await?;
                    return Ok(self.answer(&past, None, period));
                }
            },
        };
        let past = Past::read(session, &names, since).await?;
        Ok(self.answer(&past, service.as_deref(), period))
    }

    /// What a pipeline released.
    async fn of_pipeline(
        &self,
        session: &Session,
        name: &str,
        since: Timestamp,
        no_service: &Failed,
    ) -> Result<Past, Failed> {
        let past = Past::read(session, &[name.to_owned()].into(), since).await?;
        if past.records.is_empty() && past.unreadable.is_empty() {
            return Err(Failed::Refused(format!(
                "no pipeline `{name}` has released anything since {since}: {no_service}"
            )));
        }
        Ok(past)
    }

    fn answer(&self, past: &Past, service: Option<&str>, period: Period) -> Answer {
        let Period { since, until } = period;
        let mut releases: Vec<EndedRelease<'_>> = ended(&past.records, &past.pushes, since, until);
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
        let is_empty = services.is_empty();
        let warning = is_empty.then(|| format!("no release ended from {since} to {until}"));
        let json = json!({
            "days": self.days, "since": since, "until": until, "services": services,
        });
        Answer::new(vec![Block::Table(table)], json)
            .warning(warning)
            .warning_of(&past.unreadable)
    }
}

/// An instant, or the beginning of a day in UTC.
fn time(text: &str) -> Result<Timestamp, String> {
    let read = |text: String| serde_json::from_value::<Timestamp>(Value::String(text));
    read(text.to_owned())
        .or_else(|_| read(format!("{text}T00:00:00Z")))
        .map_err(|_| "expected a time such as 2026-04-01 or 2026-04-01T12:00:00Z".to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_ends_at_an_instant_or_with_the_beginning_of_a_day() {
        let read = |text: &str| time(text).map(|time| time.to_string());
        assert_eq!(read("2026-04-01").as_deref(), Ok("2026-04-01T00:00:00Z"));
        let noon = "2026-04-01T12:00:00Z";
        assert_eq!(read(noon).as_deref(), Ok(noon));
        for other in ["", "yesterday", "2026-04-31", "2026-04"] {
            assert!(read(other).is_err(), "{other}");
        }
    }
}
