use super::*;
use crate::metrics::hourly;
use crate::metrics::tests::sides;

/// The key of a query's id.
#[track_caller]
pub(crate) fn key(id: &str) -> Key {
    let found = all().into_iter().find(|key| key.id() == id);
    found.unwrap_or_else(|| panic!("a series has the id {id}"))
}

/// Every series of a whole target group in a judgement with four thresholds, the most custom
/// metrics, and a further source that uses the names of others.
fn all() -> Vec<Key> {
    let mut metrics = vec![
        SourceMetric::Requests,
        SourceMetric::Responses2xx,
        SourceMetric::Responses3xx,
        SourceMetric::Responses4xx,
        SourceMetric::Responses5xx,
        SourceMetric::RefusedConnections,
        SourceMetric::ResponseTimes,
        SourceMetric::HourlyResponseTimes,
    ];
    metrics.extend([90, 99].map(SourceMetric::HourlyPercentile));
    metrics.extend((0..4).flat_map(|index| {
        [
            SourceMetric::Slow(index),
            SourceMetric::SlowToPromote(index),
        ]
    }));

    let parts = [CustomPart::Count, CustomPart::Total, CustomPart::Value];
    metrics.extend((0..10).flat_map(|index| parts.map(|part| SourceMetric::Custom(index, part))));
    metrics.extend(["n", "e", "p90", "m0x"].map(SourceMetric::Further));
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

#[test]
fn a_series_of_a_zone_has_an_id_of_its_own() {
    let whole = Key::new(Side::Baseline, SourceMetric::Requests);
    let in_zone = |zone| Key {
        zone: Some(zone),
        ..whole
    };
    let ids = [whole, in_zone(0), in_zone(2)].map(Key::id);
    assert_eq!(ids, ["b_n", "b0_n", "b2_n"]);
}

const AT: i64 = 29_460_060;

/// The count of a user's own that is absent, this many seconds after the end of its minute.
fn absent(points: &[(&str, f64)], age_secs: i64) -> Option<u64> {
    let data: Data = points
        .iter()
        .map(|(id, value)| (key(id), [(AT, *value)].into()))
        .collect();
    let observed = Observations {
        data: &data,
        now_secs: (AT + 1) * 60 + age_secs,
    };
    let part = |part| SourceMetric::Custom(0, part);
    let (count, total) = (part(CustomPart::Count), part(CustomPart::Total));
    observed.count_or_zero(Side::Canary, count, total, AT)
}

#[test]
fn a_count_that_is_absent_beside_its_total_is_zero_after_four_minutes() {
    let total = [("c_m0n", 90.0)];
    assert_eq!([absent(&total, 239), absent(&total, 240)], [None, Some(0)]);
    assert_eq!(absent(&[], 9_999), None, "nothing is known");
    assert_eq!(absent(&[("c_m0n", 90.0), ("c_m0x", 4.0)], 0), Some(4));
}

#[test]
fn the_load_balancer_of_a_rule_and_of_a_listener_has_the_same_arn() {
    let at = "arn:aws:elasticloadbalancing:eu-west-1:111122223333";
    let expected = Some(format!("{at}:loadbalancer/app/web/50dc6c495c0c9188"));
    for rule in [
        "listener-rule/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee",
        "listener/app/web/50dc6c495c0c9188/f2f7dc8efc522ab2",
    ] {
        assert_eq!(balancer_arn(&format!("{at}:{rule}")), expected);
    }
    assert_eq!(balancer_arn(&format!("{at}:listener/net/web/1/2")), None);
}

#[test]
fn only_a_whole_number_that_the_judge_can_count_is_a_count() {
    let most = COUNTED_A_MINUTE as f64;
    assert_eq!([whole(0.0), whole(7.0)], [Some(0), Some(7)]);
    assert_eq!(whole(most), Some(COUNTED_A_MINUTE));
    assert_eq!([whole(7.5), whole(-1.0), whole(most + 1.0)], [None; 3]);
    assert_eq!([whole(f64::NAN), whole(f64::INFINITY)], [None; 2]);
}

const RETRIES: SourceMetric = SourceMetric::Further("retries");
const CALLS: SourceMetric = SourceMetric::Further("calls");

/// A count with the series of its events.
pub(crate) fn count(name: &str, events: SourceMetric) -> SourceCount {
    SourceCount {
        judged: OwnCount {
            name: name.to_owned(),
            weight: 0.1,
            tolerance: 1.1,
            floor: None,
            dispersion: None,
            promote_tolerance: None,
            promote_floor: None,
        },
        events,
        events_name: format!("{name} events"),
    }
}

/// A source of one count that is not a user's own.
struct Retries;

impl Source for Retries {
    fn queries(&self, _: &Sides, side: Side, window: Window) -> Vec<Query> {
        let query = |(metric, name): (SourceMetric, &str)| Query {
            key: Key::new(side, metric),
            metric: MetricName {
                namespace: "Shop".to_owned(),
                name: name.to_owned(),
                dimensions: Vec::new(),
            },
            statistic: "Sum".to_owned(),
            period_secs: 60,
        };
        match window {
            Window::Bake => [(CALLS, "Calls"), (RETRIES, "Retries")].map(query).into(),
            Window::Hour | Window::Zones => Vec::new(),
        }
    }

    fn counts(&self) -> Vec<SourceCount> {
        vec![count("retries", RETRIES)]
    }

    fn read(&self, _: &Observations<'_>, _: Side, _: i64) -> Vec<OwnCounter> {
        Vec::new()
    }
}

#[test]
fn the_hour_before_has_the_events_of_the_counts_of_every_source() {
    let sources: Vec<Box<dyn Source>> = vec![Box::new(Retries)];
    let read: Vec<String> = hourly(&sides(), &sources)
        .into_iter()
        .map(|query| query.key.id())
        .collect();
    assert_eq!(read, ["b_f_retries"]);
}
