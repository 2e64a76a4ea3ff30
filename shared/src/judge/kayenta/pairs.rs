//! Reads metric pairs: for each metric, the values of the baseline and of the canary.
//!
//! The format is Kayenta's MetricSetPair list, a JSON array of `{"name": "cpu", "id": "…", "tags":
//! {}, "values": {"control": [1.0, "NaN"], "experiment": [1.2, null]}}`. `control` is the baseline.
//! `"NaN"` and `null` both are a time without a value. `id`, `tags`, `scopes` and `attributes` may
//! be there and are not used.

use serde_json::Value;

use super::classify::NanStrategy;
use super::config::{KayentaConfig, MetricConfig, OutlierStrategy};
use crate::judge::strict::{FieldError, Node};
use crate::limits::RANKED_VALUES;

/// The values of one metric on both sides, in order of time; `NaN` where there is none.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricPair {
    /// The name of the metric in the config.
    pub name: String,
    /// The baseline.
    pub control: Vec<f64>,
    /// The canary.
    pub experiment: Vec<f64>,
}

/// Reads a list of metric pairs.
///
/// # Errors
/// The first field that is unknown, missing or of the wrong type.
pub(crate) fn read_pairs(value: &Value) -> Result<Vec<MetricPair>, FieldError> {
    Node::root(value).array()?.iter().map(read_pair).collect()
}

fn read_pair(item: &Node<'_>) -> Result<MetricPair, FieldError> {
    let item = item.object(&["name", "id", "tags", "values", "scopes", "attributes"])?;
    let values = item.field("values").object(&["control", "experiment"])?;
    Ok(MetricPair {
        name: item.field("name").text()?,
        control: read_values(&values.field("control"))?,
        experiment: read_values(&values.field("experiment"))?,
    })
}

fn read_values(node: &Node<'_>) -> Result<Vec<f64>, FieldError> {
    let value = |node: &Node<'_>| {
        if node.is_unknown() {
            return Ok(f64::NAN);
        }

        node.number()
            .or_else(|_| node.keyword(&[("NaN", f64::NAN)]))
            .map_err(|_| node.refuse("a number, null or \"NaN\""))
    };
    let items = node.array()?;

    if items.len() > RANKED_VALUES {
        let expected = format!(
            "at most {RANKED_VALUES} values, found {}; use a longer step",
            items.len()
        );
        return Err(node.refuse(expected));
    }

    items.iter().map(value).collect()
}

/// A pair without a metric in the config is a typo in one of them.
pub(super) fn check_names(config: &KayentaConfig, pairs: &[MetricPair]) -> Result<(), FieldError> {
    let names: Vec<&str> = config
        .metrics
        .iter()
        .map(|metric| metric.name.as_str())
        .collect();

    match pairs
        .iter()
        .position(|pair| !names.contains(&pair.name.as_str()))
    {
        Some(index) => Err(FieldError {
            field: format!("[{index}].name"),
            found: format!("{:?}", pairs[index].name),
            expected: names.join(", "),
        }),
        None => Ok(()),
    }
}

impl MetricConfig {
    /// Values fit for comparison: without gaps and, if configured, without outliers.
    pub(super) fn clean(&self, values: &[f64]) -> Vec<f64> {
        let filled: Vec<f64> = match self.analysis.nan_strategy {
            NanStrategy::Remove => values
                .iter()
                .copied()
                .filter(|value| !value.is_nan())
                .collect(),
            NanStrategy::Replace => values
                .iter()
                .map(|value| if value.is_nan() { 0.0 } else { *value })
                .collect(),
        };

        match self.outliers {
            OutlierStrategy::Keep => filled,
            OutlierStrategy::Remove { factor } => without_outliers(filled, factor),
        }
    }
}

/// Drops values beyond `factor` interquartile ranges (Tukey), but never one between the 1st and the
/// 99th percentile, as Kayenta's IQRDetector with reduced sensitivity.
fn without_outliers(values: Vec<f64>, factor: f64) -> Vec<f64> {
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    let (Some(p25), Some(p75)) = (percentile(&sorted, 0.25), percentile(&sorted, 0.75)) else {
        return values;
    };

    let fence = factor * (p75 - p25);
    let low = percentile(&sorted, 0.01).map_or(p25 - fence, |p01| p01.min(p25 - fence));
    let high = percentile(&sorted, 0.99).map_or(p75 + fence, |p99| p99.max(p75 + fence));
    values
        .into_iter()
        .filter(|value| (low..=high).contains(value))
        .collect()
}

/// The quantile by linear interpolation between order statistics (R's type 7, R's default).
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let position = share * sorted.len().checked_sub(1)? as f64;
    let below = position.floor();
    let low = *sorted.get(below as usize)?;
    let high = *sorted.get(position.ceil() as usize)?;
    Some(low + (position - below) * (high - low))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn gaps_may_be_written_as_null_or_nan() {
        let pairs =
            json!([{"name": "cpu", "values": {"control": [1, null], "experiment": ["NaN", 2.5]}}]);
        let pair = &read_pairs(&pairs).unwrap()[0];
        assert!(pair.control[1].is_nan() && pair.experiment[0].is_nan());
        assert_eq!((pair.control[0], pair.experiment[1]), (1.0, 2.5));
    }

    #[test]
    fn other_words_are_refused() {
        let pairs = json!([{"name": "cpu", "values": {"control": ["nan"], "experiment": []}}]);
        let error = read_pairs(&pairs).unwrap_err();
        assert_eq!(
            error.to_string(),
            "[0].values.control[0]: found \"nan\"; expected a number, null or \"NaN\""
        );
    }

    #[test]
    fn percentiles_interpolate_like_r() {
        let sorted: Vec<f64> = (1..=10).map(f64::from).collect();
        assert_eq!(percentile(&sorted, 0.25), Some(3.25));
        assert_eq!(percentile(&[], 0.25), None);
    }

    #[test]
    fn a_far_value_goes_and_an_empty_side_stays_empty() {
        let mut values: Vec<f64> = (0..200).map(|i| f64::from(i % 10)).collect();
        values.push(1e6);
        assert_eq!(without_outliers(values, 3.0).len(), 200);
        assert!(without_outliers(vec![], 3.0).is_empty());
    }

    #[test]
    fn a_value_between_the_outer_percentiles_stays_however_alike_the_others_are() {
        for far in [1.0, 9.0] {
            let values = [vec![5.0; 97], vec![far; 3]].concat();
            assert_eq!(without_outliers(values, 3.0).len(), 100, "{far}");
        }
    }

    fn metric(nan_strategy: NanStrategy, outliers: OutlierStrategy) -> MetricConfig {
        let analysis = super::super::classify::Analysis {
            nan_strategy,
            ..Default::default()
        };

        MetricConfig {
            name: "cpu".to_owned(),
            groups: vec!["a".to_owned()],
            analysis,
            muted: false,
            outliers,
        }
    }

    #[test]
    fn gaps_and_outliers_are_cleaned_as_configured() {
        let values = [1.0, f64::NAN, 3.0];
        assert_eq!(
            metric(NanStrategy::Remove, OutlierStrategy::Keep).clean(&values),
            [1.0, 3.0]
        );
        assert_eq!(
            metric(NanStrategy::Replace, OutlierStrategy::Keep).clean(&values),
            [1.0, 0.0, 3.0]
        );

        let mut spiky: Vec<f64> = (0..200).map(|i| f64::from(i % 10)).collect();
        spiky.push(1e6);
        let cleaned = |outliers| metric(NanStrategy::Remove, outliers).clean(&spiky).len();

        assert_eq!(
            [
                cleaned(OutlierStrategy::Keep),
                cleaned(OutlierStrategy::Remove { factor: 3.0 })
            ],
            [201, 200]
        );
        assert_eq!(cleaned(OutlierStrategy::Remove { factor: 1e6 }), 201);
    }

    #[test]
    fn pairs_are_read_as_strictly_as_configs() {
        let refused = |pairs: Value| read_pairs(&pairs).unwrap_err().to_string();
        let values = json!({"control": [], "experiment": []});
        assert!(
            refused(json!([{"name": "cpu", "values": {"control": []}}]))
                .starts_with("[0].values.experiment: found nothing")
        );
        assert!(
            refused(json!([{"nam": "cpu", "values": values}]))
                .starts_with("[0].nam: found an unknown field")
        );

        let many =
            json!([{"name": "cpu", "values": {"control": vec![1; 2_881], "experiment": []}}]);
        assert!(
            refused(many).ends_with("expected at most 2880 values, found 2881; use a longer step")
        );

        let most =
            json!([{"name": "cpu", "values": {"control": vec![1; 2_880], "experiment": []}}]);
        assert_eq!(read_pairs(&most).unwrap()[0].control.len(), 2_880);

        let extra = json!([{
            "name": "cpu", "id": "1", "tags": {}, "scopes": {}, "attributes": {}, "values": values,
        }]);
        assert!(read_pairs(&extra).is_ok());
    }
}
