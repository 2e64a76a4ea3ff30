//! `slipway report`: where the reports of a canary are, and one of them as a file.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use slipway::aws::{AwsError, Reports};
use slipway::release::JudgementRecord;

use crate::{Answer, Block, Cell, Failed, Session, Table};

/// What S3 returns for a report that its bucket no longer has; to callers that may not list the
/// bucket it denies the call instead (Amazon S3 API: GetObject).
const GONE: &str = "NoSuchKey";

/// Shows where the reports of a canary are, or saves the last one.
///
/// Fields: verdict, summary, address in the console, which opens for those who may read the bucket.
#[derive(Debug, Args)]
pub struct Report {
    /// The id of the execution.
    pub execution: String,
    /// Save the last report as this page, or what it was made from if the name ends in `.json`.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// A report by its bucket and its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place<'a> {
    bucket: &'a str,
    key: &'a str,
}

impl<'a> Place<'a> {
    fn of(judgement: &'a JudgementRecord) -> Result<Self, Failed> {
        let report = judgement.report.as_str();
        let rest = report.strip_prefix("s3://");
        let rest = rest.and_then(|rest| rest.strip_suffix(".html"));
        match rest.and_then(|rest| rest.split_once('/')) {
            Some((bucket, key)) => Ok(Self { bucket, key }),
            None => Err(Failed::Unknown(format!(
                "the ledger has `{report}` as the place of a report; expected \
                 s3://<bucket>/<key>.html"
            ))),
        }
    }

    fn reports(self, session: &Session) -> Reports {
        Reports::new(&session.sdk.clone().with_reports(self.bucket))
    }
}

/// The address of a judgement's report, if its place can be read.
pub(crate) fn address(session: &Session, judgement: &JudgementRecord) -> Option<String> {
    let place = Place::of(judgement).ok()?;
    Some(place.reports(session).link(place.key))
}

impl Report {
    /// # Errors
    /// If there is no report, a call fails, or the file cannot be written.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        let execution = &self.execution;
        let record = session.ledger().record(execution).await?.ok_or_else(|| {
            Failed::Refused(format!("the ledger has no record of execution {execution}"))
        })?;
        let mut table = Table::new(vec!["verdict", "summary", "report"]);
        let mut reports = Vec::new();
        for judgement in &record.judgements {
            let place = Place::of(judgement)?;
            let link = place.reports(session).link(place.key);
            reports.push(json!({
                "verdict": judgement.verdict, "summary": judgement.summary,
                "report": judgement.report, "link": link,
            }));
            table.push(vec![
                judgement.verdict.as_str().into(),
                judgement.summary.as_str().into(),
                Cell::from(link),
            ]);
        }
        let Some(last) = record.judgements.last() else {
            return Err(Failed::Refused(format!(
                "execution {execution} has no report: no canary of it was judged, or its judgement \
                 has not ended"
            )));
        };

        let saved = match &self.output {
            Some(file) => Some(save(session, Place::of(last)?, file).await?),
            None => None,
        };
        let json = json!({"execution": execution, "reports": reports, "saved": saved});
        Ok(match saved {
            Some(file) => Answer::line(format!("saved as {file}"), json),
            None => Answer::new(vec![Block::Table(table)], json),
        })
    }
}

/// Saves a report; returns the name of the file.
async fn save(session: &Session, place: Place<'_>, file: &Path) -> Result<String, Failed> {
    let name = file.display().to_string();
    let is_json = file.extension().is_some_and(|it| it == "json");
    let extension = if is_json { "json" } else { "html" };
    let read = place.reports(session).read(place.key, extension).await;
    let text = read.map_err(|error| unread(error, place))?;
    std::fs::write(file, text)
        .map_err(|error| Failed::Unknown(format!("failed to write {name}: {error}")))?;
    Ok(name)
}

fn unread(error: AwsError, place: Place<'_>) -> Failed {
    let Place { bucket, key } = place;
    if error.code == GONE {
        return Failed::Refused(format!(
            "bucket {bucket} no longer has the report {key}: it keeps reports for \
             ReportRetentionDays"
        ));
    }
    if error.is_denied() {
        return Failed::Unknown(format!(
            "{error}; the caller may not read bucket {bucket}, or the report {key} has expired"
        ));
    }
    Failed::Aws(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judgement(report: &str) -> JudgementRecord {
        let value = json!({
            "since": "2026-01-05T09:00:00Z", "verdict": "promote", "summary": "healthy",
            "outputs": {}, "report": report,
        });
        serde_json::from_value(value).expect("a judgement")
    }

    #[test]
    fn a_report_is_found_by_its_bucket_and_its_key() {
        let record = judgement("s3://slipway-reports-1/shop/e-1.html");
        let place = Place::of(&record).expect("a place");
        assert_eq!((place.bucket, place.key), ("slipway-reports-1", "shop/e-1"));
        for other in [
            "shop/e-1.html",
            "s3://reports.html",
            "s3://reports/shop/e-1",
        ] {
            assert!(Place::of(&judgement(other)).is_err(), "{other}");
        }
    }
}
