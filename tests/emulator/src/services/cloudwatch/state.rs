//! Metrics, alarms and what was drawn of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Alarm, Faults, custom, host_counts, minute};

#[derive(Clone, Debug, Default)]
pub struct CloudWatch {
    /// By name.
    pub alarms: BTreeMap<String, Alarm>,
    pub faults: Faults,
    pub(super) custom: BTreeMap<MetricId, Vec<custom::Datum>>,
    pub(super) drawn: minute::Drawn,
    pub(super) hosts: BTreeMap<String, host_counts::Hosts>,
}

/// What names a metric.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MetricId {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) dimensions: BTreeMap<String, String>,
}

impl MetricId {
    pub(super) fn json(&self) -> Value {
        let dimension = |(name, value): (&String, &String)| json!({"Name": name, "Value": value});
        let dimensions: Value = self.dimensions.iter().map(dimension).collect();
        json!({"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions})
    }
}
