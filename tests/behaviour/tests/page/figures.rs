//! The figures are those that a separate script computes from the same items.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use slipway::release::{Figures, by_service, ended, start_of};

use crate::stored::{DAYS, drawn};

/// The figures of a service as `reference.py` writes them.
fn line(service: &str, figures: &Figures) -> Value {
    let secs = |value: Option<Duration>| value.map(|value| value.as_secs());
    let rounded = |value: f64| (value * 1e6).round() / 1e6;
    json!({
        "service": service, "deployed": figures.deployed, "failed": figures.failed,
        "a_week": rounded(figures.a_week(DAYS)),
        "failure_rate": figures.failure_rate().map(rounded),
        "lead": secs(figures.lead()), "restore": secs(figures.restore()),
    })
}

#[test]
fn the_figures_are_those_of_the_reference() {
    let expected: BTreeMap<String, Value> = include_str!("expected.jsonl")
        .lines()
        .map(|line| {
            let line: Value = serde_json::from_str(line).expect("a line");
            (line["service"].as_str().expect("a name").to_owned(), line)
        })
        .collect();
    assert!(expected.len() >= 30, "{} services", expected.len());

    let (stored, now) = drawn();
    let ended = ended(&stored.records, &stored.pushes, start_of(DAYS, now), now);
    let found = by_service(&ended);
    let names: Vec<&str> = found.keys().copied().collect();
    assert_eq!(names, expected.keys().collect::<Vec<_>>());
    for (service, figures) in &found {
        assert_eq!(line(service, figures), expected[*service]);
    }
}

#[test]
fn the_page_has_the_figures_of_all_services_together() {
    let (stored, now) = drawn();
    let ended = ended(&stored.records, &stored.pushes, start_of(DAYS, now), now);
    let texts = Figures::of(&ended).texts(DAYS);
    let page = stored.page(now);
    for (name, value) in [
        ("Deployments", &texts.deployed),
        ("Lead time from push", &texts.lead),
        ("Change failure rate", &texts.failure_rate),
        ("Time to restore", &texts.restore),
    ] {
        let tile = format!("<dt>{name}</dt><dd><b>{value}</b>");
        assert!(page.contains(&tile), "{tile}");
    }
}
