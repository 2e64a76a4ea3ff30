//! What makes a file a canary config of Kayenta, by rules that are not taken from the product
//! (github.com/spinnaker/kayenta, docs/canary-config.md).

use serde_json::Value;

const FIELDS: [&str; 13] = [
    "applications",
    "classifier",
    "configVersion",
    "createdTimestamp",
    "createdTimestampIso",
    "description",
    "id",
    "judge",
    "metrics",
    "name",
    "templates",
    "updatedTimestamp",
    "updatedTimestampIso",
];
const JUDGES: [&str; 2] = ["NetflixACAJudge-v1.0", "dredd-v1.0"];

/// The field for which a file must be refused: it is of Kubernetes, another file, for another
/// judge, or in the format before the published one.
pub(crate) fn refused_field(text: &str) -> Option<String> {
    if text.lines().any(|line| line.starts_with("kind:")) {
        return Some("kind".to_owned());
    }

    let config: Value = serde_json::from_str(text).ok()?;
    if config.get("services").is_some() {
        return Some("services".to_owned());
    }
    let unknown = config
        .as_object()?
        .keys()
        .find(|name| !FIELDS.contains(&name.as_str()));
    if let Some(unknown) = unknown {
        return Some(unknown.clone());
    }

    let is_other = |judge: &Value| {
        !judge["name"]
            .as_str()
            .is_some_and(|it| JUDGES.contains(&it))
    };
    if config.get("judge").is_some_and(is_other) {
        return Some("judge.name".to_owned());
    }

    let metrics = config["metrics"].as_array()?;
    metrics.iter().enumerate().find_map(|(at, metric)| {
        let old = ["service", "extensions"]
            .into_iter()
            .find(|name| metric.get(name).is_some())?;
        Some(format!("metrics[{at}].{old}"))
    })
}

/// Whether nothing of a config is unusual, so that it must be read.
pub(crate) fn is_plain(text: &str) -> bool {
    let config: Value = serde_json::from_str(text).unwrap_or_default();
    let metrics = config["metrics"].as_array().map_or(&[][..], Vec::as_slice);
    let classifier = &config["classifier"];

    !metrics.is_empty()
        && metrics.iter().all(is_plain_metric)
        && has_only(&classifier["scoreThresholds"], &["pass", "marginal"])
        && classifier["scoreThresholds"]
            .as_object()
            .is_some_and(|both| both.len() == 2)
        && is_whole(&classifier["groupWeights"], metrics)
}

fn is_plain_metric(metric: &Value) -> bool {
    let analysis = &metric["analysisConfigurations"];
    let canary = &analysis["canary"];
    let scope = metric["scopeName"].as_str().unwrap_or("default");

    has_only(
        metric,
        &[
            "name",
            "query",
            "groups",
            "analysisConfigurations",
            "scopeName",
        ],
    ) && metric["name"].is_string()
        && metric["query"]["type"].is_string()
        && metric["groups"]
            .as_array()
            .is_some_and(|groups| !groups.is_empty())
        && scope == "default"
        && analysis.is_object()
        && has_only(analysis, &["canary"])
        && has_only(
            canary,
            &[
                "direction",
                "nanStrategy",
                "critical",
                "muted",
                "effectSize",
            ],
        )
        && has_only(
            &canary["effectSize"],
            &[
                "allowedIncrease",
                "allowedDecrease",
                "criticalIncrease",
                "criticalDecrease",
            ],
        )
}

/// Whether the weights are those of groups of the metrics, and all.
fn is_whole(weights: &Value, metrics: &[Value]) -> bool {
    let is_group = |name: &String| {
        let mut groups = metrics
            .iter()
            .filter_map(|metric| metric["groups"].as_array());
        groups.any(|groups| groups.iter().any(|group| group == name))
    };
    let weights = weights.as_object();
    let sum: f64 = weights
        .into_iter()
        .flatten()
        .filter_map(|(_, weight)| weight.as_f64())
        .sum();
    let are_groups = weights.is_some_and(|weights| weights.keys().all(is_group));
    are_groups && (sum - 100.0).abs() < 0.1
}

/// Whether an object, if there is one, has no other members.
fn has_only(value: &Value, members: &[&str]) -> bool {
    let mut names = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str());
    names.all(|name| members.contains(&name))
}
