//! Ledgers as files with an item a line.

use serde_json::{Value, json};
use slipway::page::{Contents, html};
use slipway::release::{JudgementRecord, Lease, Push, Record, Started};
use slipway::timestamp::Timestamp;

/// How long the period of the figures is.
pub(crate) const DAYS: u32 = 30;

/// The items of a ledger, by their kinds.
#[derive(Default)]
pub(crate) struct Stored {
    pub(crate) leases: Vec<Lease>,
    pub(crate) started: Vec<Started>,
    pub(crate) records: Vec<Record>,
    pub(crate) pushes: Vec<Push>,
}

impl Stored {
    pub(crate) fn read(text: &str) -> Self {
        let mut found = Self::default();
        for line in text.lines() {
            let item: Value = serde_json::from_str(line).expect("an item");
            let key = item["sk"].as_str().expect("a key").to_owned();
            if key == "record" {
                let record = serde_json::from_value(item);
                found.records.push(record.expect("a record"));
            } else if key.starts_with("sha256:") {
                let push = serde_json::from_value(item);
                found.pushes.push(push.expect("a push"));
            } else if key.starts_with("started#") {
                let started = serde_json::from_value(item);
                found.started.push(started.expect("a mark"));
            } else {
                let lease = serde_json::from_value(item);
                found.leases.push(lease.expect("a lease"));
            }
        }
        found
    }

    /// The page at a time, with links to the reports.
    pub(crate) fn page(&self, now: Timestamp) -> String {
        let address = |judgement: &JudgementRecord| {
            let place = judgement.report.strip_prefix("s3://")?;
            Some(format!(
                "https://console.example/s3/object/{place}?region=a&b"
            ))
        };
        html(&Contents {
            leases: &self.leases,
            started: &self.started,
            records: &self.records,
            pushes: &self.pushes,
            days: DAYS,
            now,
            address: &address,
        })
    }
}

pub(crate) fn time(text: &str) -> Timestamp {
    serde_json::from_value(json!(text)).expect("a time")
}

/// The ledger that `reference.py` drew, and the end of its period.
pub(crate) fn drawn() -> (Stored, Timestamp) {
    let stored = Stored::read(include_str!("ledger.jsonl"));
    (stored, time("2026-03-01T00:00:00Z"))
}
