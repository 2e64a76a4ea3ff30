use super::*;

/// The key of a query's id.
#[track_caller]
pub(crate) fn key(id: &str) -> Key {
    let found = all().into_iter().find(|key| key.id() == id);
    found.unwrap_or_else(|| panic!("a series has the id {id}"))
}

/// Every series of a judgement with four thresholds, the most custom metrics, and a further source
/// that uses the names of others.
fn all() -> Vec<Key> {
    let mut metrics = vec![
        Metric::Requests,
        Metric::Responses2xx,
        Metric::Responses3xx,
        Metric::Responses4xx,
        Metric::Responses5xx,
        Metric::RefusedConnections,
        Metric::ResponseTimes,
        Metric::HourlyResponseTimes,
    ];
    metrics.extend([75, 90, 99].map(Metric::HourlyPercentile));
    metrics.extend((0..4).flat_map(|index| [Metric::Slow(index), Metric::SlowToPromote(index)]));

    let parts = [CustomPart::Count, CustomPart::Total, CustomPart::Value];
    metrics.extend((0..10).flat_map(|index| parts.map(|part| Metric::Custom(index, part))));
    metrics.extend(["n", "e", "p75", "m0x"].map(Metric::Further));
    Side::BOTH
        .into_iter()
        .flat_map(|side| metrics.iter().map(move |metric| Key::new(side, *metric)))
        .collect()
}

#[test]
fn every_series_has_an_id_of_its_own() {
    let ids: std::collections::BTreeSet<String> = all().into_iter().map(Key::id).collect();
    assert_eq!(ids.len(), all().len());
}
