//! The queries of a GetMetricData request, with everything that is wrong with them.

use std::collections::BTreeSet;

use super::input::{self, missing, only, validation};
use super::query::MetricDataQuery;
use super::statistic::{Statistic, Unknown};
use crate::input::Input;
use crate::{ApiError, Millis};

/// The members of a query.
const MEMBERS: [&str; 7] = [
    "Id",
    "MetricStat",
    "Expression",
    "Label",
    "ReturnData",
    "Period",
    "AccountId",
];

/// All queries, with everything that is wrong with them.
pub(super) fn read_queries(
    inputs: &[Input<'_>],
    wrong: &mut String,
) -> Result<Vec<MetricDataQuery>, ApiError> {
    let mut ids = BTreeSet::new();
    let mut queries = Vec::new();
    let mut unnamed = Vec::new();
    for input in inputs {
        only(input, &MEMBERS)?;
        let id = read_id(input, &mut ids, wrong)?;
        let (stat, expression) = (input.inner("MetricStat")?, input.text("Expression")?);
        match (stat, expression) {
            (Some(stat), None) => {
                let query = read_stat(input, &stat, id, wrong)?;
                if query.is_some() && input.text("Label")?.is_none() {
                    let name = stat.text("Stat")?.unwrap_or_default();
                    unnamed.push((queries.len(), name.to_owned()));
                }
                queries.extend(query);
            }
            (None, Some(_)) => {
                return Err(validation(format!(
                    "the sandbox does not serve metric math ({})",
                    input.named("Expression")
                )));
            }
            (Some(_), Some(_)) => {
                let (stat, expression) = (input.named("MetricStat"), input.named("Expression"));
                *wrong +=
                    &format!("The parameters {stat} and {expression} are mutually exclusive.\n");
            }
            (None, None) => *wrong += &missing(input, "MetricStat"),
        }
    }
    name(&mut queries, &unnamed);
    Ok(queries)
}

/// The id of a query, which no other query of the request may have.
fn read_id<'a>(
    input: &Input<'a>,
    ids: &mut BTreeSet<&'a str>,
    wrong: &mut String,
) -> Result<&'a str, ApiError> {
    let id = input.text("Id")?.unwrap_or_default();
    if id.is_empty() {
        *wrong += &missing(input, "Id");
    } else if !is_id(id) {
        let place = input.named("Id");
        *wrong += &format!(
            "The value {id} for parameter {place} is not matching the expected pattern \
             ^[a-z][a-zA-Z0-9_]*$.\n"
        );
    } else if !ids.insert(id) {
        *wrong += "The values for parameter id in MetricDataQueries are not unique.\n";
    }
    Ok(id)
}

/// Labels those queries that have no label of their own, given with their statistics: by the name
/// of the metric, the statistic if they have several, and the period likewise.
fn name(queries: &mut [MetricDataQuery], unnamed: &[(usize, String)]) {
    let statistics: BTreeSet<&String> = unnamed.iter().map(|(_, statistic)| statistic).collect();
    let periods: BTreeSet<i64> = unnamed.iter().map(|(at, _)| queries[*at].period).collect();
    for (at, statistic) in unnamed {
        let query = &mut queries[*at];
        query.label = query.metric.name.clone();
        if statistics.len() > 1 {
            query.label += &format!(" {statistic}");
        }
        if periods.len() > 1 {
            query.label += &format!(" {}", query.period / 1000);
        }
    }
}

fn read_stat(
    input: &Input<'_>,
    stat: &Input<'_>,
    id: &str,
    wrong: &mut String,
) -> Result<Option<MetricDataQuery>, ApiError> {
    only(stat, &["Metric", "Period", "Stat", "Unit"])?;
    let Some(metric) = stat.inner("Metric")? else {
        *wrong += &missing(stat, "Metric");
        return Ok(None);
    };
    let Some(namespace) = metric.text("Namespace")? else {
        *wrong += &missing(&metric, "Namespace");
        return Ok(None);
    };

    let Some(period) = read_period(stat, wrong)? else {
        return Ok(None);
    };
    let Some(statistic) = read_statistic(stat, wrong)? else {
        return Ok(None);
    };

    let metric = input::metric(&metric, namespace)?;
    let label = input.text("Label")?.unwrap_or_default().to_owned();
    let unit = stat.text("Unit")?.map(str::to_owned);
    let returns = input.flag("ReturnData")?.unwrap_or(true);

    Ok(Some(MetricDataQuery {
        id: id.to_owned(),
        label,
        metric,
        period,
        statistic,
        unit,
        units: Vec::new(),
        returns,
    }))
}

/// The period in milliseconds, unless it is wrong.
fn read_period(stat: &Input<'_>, wrong: &mut String) -> Result<Option<Millis>, ApiError> {
    match stat.integer("Period")? {
        None => {
            *wrong += &missing(stat, "Period");
            Ok(None)
        }
        Some(period @ (1 | 5 | 10 | 20 | 30)) => Ok(Some(period * 1000)),
        Some(period) if period > 0 && period % 60 == 0 => Ok(Some(period * 1000)),
        Some(period) => {
            let place = stat.named("Period");
            *wrong += &format!(
                "The value {period} for parameter {place} is invalid. Period must be 1, 5, 10, \
                 20, 30 or a multiple of 60.\n"
            );
            Ok(None)
        }
    }
}

/// The statistic, unless CloudWatch has none of that name.
fn read_statistic(stat: &Input<'_>, wrong: &mut String) -> Result<Option<Statistic>, ApiError> {
    let name = stat.text("Stat")?.unwrap_or_default();
    match Statistic::parse(name) {
        Ok(statistic) => Ok(Some(statistic)),
        Err(Unknown::NotServed) => Err(validation(format!(
            "the sandbox does not serve the statistic {name}"
        ))),
        Err(Unknown::Invalid) => {
            let place = stat.named("Stat");
            *wrong +=
                &format!("The value {name} for parameter {place} is not a valid statistic.\n");
            Ok(None)
        }
    }
}

/// `^[a-z][a-zA-Z0-9_]*$`, 1 to 255.
fn is_id(id: &str) -> bool {
    id.len() <= 255
        && id.starts_with(|first: char| first.is_ascii_lowercase())
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
