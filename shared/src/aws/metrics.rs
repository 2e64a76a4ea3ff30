//! CloudWatch: series of metrics, whole, and the states of alarms.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    AlarmType, Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy,
    StateValue, StatusCode,
};

use super::clients::Clients;
use super::pages::Pages;
use super::{AwsError, ErrorKind, Sdk};
use crate::limits::{METRIC_QUERIES, SERIES_ATTEMPTS};
use crate::metrics::source::{Data, Key, Points, Query};
use crate::observed::alarm::Alarm;
use crate::redaction::without_signatures;

const DATA: &str = "cloudwatch:GetMetricData";

#[derive(Clone, Debug)]
pub struct Metrics {
    clients: Arc<Clients>,
}

impl Metrics {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            clients: Arc::clone(&sdk.service),
        }
    }

    /// All points of the queries from the minute `from` to before the minute `to`, both since the
    /// Unix epoch. Every page is read: a series that came in parts is whole here. A series that
    /// CloudWatch could not read is queried again, by itself.
    ///
    /// # Errors
    /// When a call fails, or CloudWatch could not read one of the series: what is missing then must
    /// not be mistaken for 0.
    pub async fn read(&self, queries: &[Query], from: i64, to: i64) -> Result<Data, AwsError> {
        if queries.len() > METRIC_QUERIES {
            return Err(AwsError::unexpected(
                DATA,
                format!(
                    "{} queries exceed the limit of {METRIC_QUERIES}",
                    queries.len()
                ),
            ));
        }

        let keys: BTreeMap<String, Key> = queries
            .iter()
            .map(|query| (query.key.id(), query.key))
            .collect();
        let mut found: BTreeMap<String, Points> =
            keys.keys().map(|id| (id.clone(), Points::new())).collect();
        let mut left: Vec<MetricDataQuery> = queries.iter().map(data_query).collect();
        let mut unread = BTreeMap::new();
        for _ in 0..SERIES_ATTEMPTS {
            unread = self.pages(&left, from, to, &mut found).await?;
            if unread.is_empty() {
                let by_key = |(id, points)| Some((*keys.get(&id)?, points));
                return Ok(found.into_iter().filter_map(by_key).collect());
            }
            left.retain(|query| query.id().is_some_and(|id| unread.contains_key(id)));
        }

        let (id, status) = unread.pop_first().unwrap_or_default();
        Err(incomplete(
            ErrorKind::Busy,
            format!("the series {id} came as {status}"),
        ))
    }

    /// Adds the points of some queries. Returns those that CloudWatch could not read whole, with
    /// the status of each.
    async fn pages(
        &self,
        queries: &[MetricDataQuery],
        from: i64,
        to: i64,
        found: &mut BTreeMap<String, Points>,
    ) -> Result<BTreeMap<String, String>, AwsError> {
        let mut unread = BTreeMap::new();
        let mut pages = Pages::new(DATA);

        while let Some(start) = pages.next_start()? {
            let request = self
                .clients
                .cloudwatch()
                .get_metric_data()
                .set_metric_data_queries(Some(queries.to_vec()))
                .start_time(DateTime::from_secs(from * 60))
                .end_time(DateTime::from_secs(to * 60))
                .scan_by(ScanBy::TimestampAscending)
                .set_next_token(start);
            let page = request.send().await.map_err(AwsError::from_sdk(DATA))?;

            let goes_on = page.next_token().is_some();
            for result in page.metric_data_results() {
                if let Some(status) = take(result, goes_on, found)? {
                    unread.insert(result.id().unwrap_or_default().to_owned(), status);
                }
            }
            pages.go_on(page.next_token);
        }
        Ok(unread)
    }

    /// Those among the named alarms that are in ALARM or do not exist.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn alarms(&self, names: &[String]) -> Result<Vec<Alarm>, AwsError> {
        const OPERATION: &str = "cloudwatch:DescribeAlarms";

        if names.is_empty() {
            return Ok(Vec::new());
        }

        let mut found = Vec::new();
        let mut pages = Pages::new(OPERATION);

        while let Some(start) = pages.next_start()? {
            let request = self
                .clients
                .cloudwatch()
                .describe_alarms()
                .set_alarm_names(Some(names.to_vec()))
                .max_records(100)
                .alarm_types(AlarmType::MetricAlarm)
                .alarm_types(AlarmType::CompositeAlarm);
            let answer = request
                .set_next_token(start)
                .send()
                .await
                .map_err(AwsError::from_sdk(OPERATION))?;

            let metric = answer.metric_alarms.unwrap_or_default();
            let composite = answer.composite_alarms.unwrap_or_default();
            found.extend(
                metric
                    .into_iter()
                    .map(|alarm| (alarm.alarm_name, alarm.state_value, alarm.state_reason)),
            );
            found.extend(
                composite
                    .into_iter()
                    .map(|alarm| (alarm.alarm_name, alarm.state_value, alarm.state_reason)),
            );

            pages.go_on(answer.next_token);
        }

        let states = names.iter().filter_map(|name| alarm(name, &found));
        Ok(states.collect())
    }
}

/// Name, state and reason of an alarm, as CloudWatch returns them.
type AlarmState = (Option<String>, Option<StateValue>, Option<String>);

fn alarm(name: &String, found: &[AlarmState]) -> Option<Alarm> {
    match found
        .iter()
        .find(|(known, ..)| known.as_ref() == Some(name))
    {
        Some((_, Some(StateValue::Alarm), reason)) => Some(Alarm::Active {
            name: name.clone(),
            reason: without_signatures(reason.as_deref().unwrap_or("no reason")),
        }),
        Some(_) => None,
        None => Some(Alarm::Missing { name: name.clone() }),
    }
}

fn data_query(query: &Query) -> MetricDataQuery {
    let dimensions = query
        .metric
        .dimensions
        .iter()
        .map(|(name, value)| Dimension::builder().name(name).value(value).build());
    let metric = Metric::builder()
        .namespace(&query.metric.namespace)
        .metric_name(&query.metric.name)
        .set_dimensions(Some(dimensions.collect()));
    let stat = MetricStat::builder()
        .metric(metric.build())
        .period(query.period_secs)
        .stat(&query.statistic)
        .build();

    MetricDataQuery::builder()
        .id(query.key.id())
        .metric_stat(stat)
        .return_data(true)
        .build()
}

fn incomplete(kind: ErrorKind, message: String) -> AwsError {
    AwsError {
        operation: DATA,
        kind,
        code: "IncompleteData".to_owned(),
        message,
    }
}

/// Adds the points of one result; returns its status when they are not whole. Parts are followed by
/// more only as long as there is a token.
fn take(
    result: &MetricDataResult,
    more: bool,
    found: &mut BTreeMap<String, Points>,
) -> Result<Option<String>, AwsError> {
    let id = result.id().unwrap_or_default();
    let unread = match result.status_code() {
        Some(StatusCode::Complete) | None => None,
        Some(StatusCode::PartialData) if more => None,
        Some(StatusCode::Forbidden) => {
            return Err(incomplete(
                ErrorKind::Permission,
                format!("the series {id} may not be read"),
            ));
        }
        Some(other) => Some(other.to_string()),
    };

    if let Some(points) = found.get_mut(id) {
        let values = result
            .timestamps()
            .iter()
            .map(|at| at.secs().div_euclid(60))
            .zip(result.values().iter().copied());
        points.extend(values);
    }

    Ok(unread)
}
