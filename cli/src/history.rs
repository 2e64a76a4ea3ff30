//! `slipway history`: the releases of a service, with how each ended and why.

use clap::Args;
use serde_json::json;
use slipway::observed::service::revision;
use slipway::release::{EarlierRelease, Lease, Outcome, Record};
use slipway::timestamp::Timestamp;

use crate::arguments::most;
use crate::words::{digest, ending, instant, name_of, optional, outcome};
use crate::{Answer, Block, Cell, Failed, Session, Table, find};

/// Shows the releases of a service, the newest first.
///
/// Fields: started, ended, outcome, revision, digest, execution, reason. It reads the whole ledger.
#[derive(Debug, Args)]
pub struct History {
    /// The service or the pair, `SERVICE` or `CLUSTER/SERVICE`.
    pub service: String,
    /// Show at most so many.
    #[arg(long, value_name = "NUMBER", default_value = "20", value_parser = most())]
    pub most: u32,
}

/// The release of one service by an execution: its last one, or an earlier one of a promotion.
struct Entry<'a> {
    record: &'a Record,
    earlier: Option<&'a EarlierRelease>,
}

impl History {
    /// # Errors
    /// When a call fails, or the ledger does not know the service.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        let lease = find::lease(session, &self.service).await?;
        let found = session.ledger().records().await?;
        let most = usize::try_from(self.most).unwrap_or(usize::MAX);
        let entries: Vec<Entry<'_>> = found
            .records
            .iter()
            .rev()
            .filter_map(|record| Entry::of(record, &lease))
            .take(most)
            .collect();

        let heads = vec![
            "started",
            "ended",
            "outcome",
            "revision",
            "digest",
            "execution",
            "reason",
        ];
        let mut table = Table::new(heads);
        for entry in &entries {
            table.push(entry.row());
        }
        let records: Vec<&Record> = entries.iter().map(|entry| entry.record).collect();
        let json = json!({"service": name_of(&lease), "records": records});
        Ok(Answer::new(vec![Block::Table(table)], json).warning_of(&found.unreadable))
    }
}

/// The records of a service, the newest first, whatever became of them.
pub(crate) fn of_service<'a>(
    records: &'a [Record],
    lease: &Lease,
) -> impl Iterator<Item = &'a Record> {
    let newest = records.iter().rev();
    newest.filter(move |record| Entry::of(record, lease).is_some())
}

/// Those of them by which the service got another revision: an execution of a promotion deploys to
/// one service, and may fail at the next.
pub(crate) fn deployed_to<'a>(
    records: &'a [Record],
    lease: &Lease,
) -> impl Iterator<Item = &'a Record> {
    let newest = records.iter().rev();
    newest.filter(move |record| {
        let entry = Entry::of(record, lease);
        entry.is_some_and(|entry| entry.outcome() == Some(Outcome::Deployed))
    })
}

impl<'a> Entry<'a> {
    fn of(record: &'a Record, lease: &Lease) -> Option<Self> {
        let (cluster, service) = (&lease.cluster, &lease.service);
        let mut earlier = record.earlier.iter();
        let earlier = earlier.find(|release| release.is_of(cluster, service));
        (record.is_of(cluster, service) || earlier.is_some()).then_some(Self { record, earlier })
    }

    fn ended_at(&self) -> Option<Timestamp> {
        match self.earlier {
            Some(earlier) => Some(earlier.ended_at),
            None => self.record.ended_at,
        }
    }

    fn outcome(&self) -> Option<Outcome> {
        match self.earlier {
            Some(earlier) => Some(earlier.outcome),
            None => self.record.outcome,
        }
    }

    fn ending(&self) -> Cell {
        match self.earlier {
            Some(earlier) => outcome(earlier.outcome),
            None => ending(self.record),
        }
    }

    fn revision(&self) -> Option<&str> {
        let changed = self.record.change.as_ref();
        let arn = match self.earlier {
            Some(earlier) => earlier.task_definition.as_deref(),
            None => changed.map(|change| change.task_definition.as_str()),
        };
        arn.map(revision)
    }

    fn row(&self) -> Vec<Cell> {
        let reason = self.record.reason.as_deref();
        vec![
            instant(Some(self.record.started_at)),
            instant(self.ended_at()),
            self.ending(),
            optional(self.revision()),
            digest(self.record.digest.as_deref()),
            self.record.execution.as_str().into(),
            optional(reason.filter(|_| self.earlier.is_none())),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Look;

    fn record(value: serde_json::Value) -> Record {
        let mut whole = json!({
            "v": 1, "execution": "e-1", "pipeline": "slipway-web", "state": "closed",
            "digest": format!("sha256:{}", "0a".repeat(32)),
            "started_at": "2026-01-05T09:00:00Z", "ended_at": "2026-01-05T09:05:00Z",
        });
        let more = value.as_object().expect("an object").clone();
        whole.as_object_mut().expect("an object").extend(more);
        serde_json::from_value(whole).expect("a record")
    }

    fn row(record: &Record, service: &str) -> Option<String> {
        let entry = Entry::of(record, &Lease::unwritten("apps", service))?;
        let cells: Vec<String> = entry.row().iter().map(|it| it.shown(Look::Pipe)).collect();
        Some(cells.join("|"))
    }

    #[test]
    fn a_release_is_shown_with_its_outcome_revision_and_reason() {
        let record = record(json!({
            "cluster": "apps", "service": "web", "outcome": "rolled-back", "reason": "unhealthy",
            "change": {
                "task_definition": "arn:aws:ecs:eu-west-1:111122223333:task-definition/web:4",
                "percentages": {"minimum_healthy": 100, "maximum": 200},
            },
        }));
        assert_eq!(
            row(&record, "web").as_deref(),
            Some(
                "2026-01-05T09:00:00Z|2026-01-05T09:05:00Z|rolled-back|web:4|\
                 sha256:0a0a0a0a0a0a|e-1|unhealthy"
            )
        );
        assert_eq!(row(&record, "shop"), None);
    }

    #[test]
    fn an_earlier_release_of_a_promotion_has_its_own_outcome() {
        let record = record(json!({
            "cluster": "apps", "service": "prod", "outcome": "rolled-back", "reason": "unhealthy",
            "earlier": [{
                "cluster": "apps", "service": "dev", "outcome": "deployed",
                "task_definition": "arn:aws:ecs:eu-west-1:111122223333:task-definition/dev:7",
                "ended_at": "2026-01-05T09:02:00Z",
            }],
        }));
        assert_eq!(
            row(&record, "dev").as_deref(),
            Some(
                "2026-01-05T09:00:00Z|2026-01-05T09:02:00Z|deployed|dev:7|sha256:0a0a0a0a0a0a|e-1|-"
            )
        );
    }
}
