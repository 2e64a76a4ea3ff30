//! Evidence of health, minute by minute.

use super::*;
use crate::judge::canary::config::JudgeConfig;
use crate::judge::canary::metric::Families;

fn spec(place: usize) -> MetricSpec {
    Families::new(&JudgeConfig::default(), 3, &[]).judged[place]
}

fn counts(canary_bad: u64, baseline_bad: u64) -> Counts {
    Counts {
        canary_requests: 1_000,
        canary_bad: 0,
        canary_bad_to_promote: canary_bad,
        baseline_requests: 9_000,
        baseline_bad,
    }
}

fn health(spec: &MetricSpec, minutes: &[Counts]) -> Health {
    let mut health = Health::default();
    for minute in minutes {
        health.absorb(&spec.promotion, minute);
    }
    health
}

#[test]
fn nothing_seen_is_no_evidence() {
    assert_eq!(health(&spec(0), &[]).log_evidence(&spec(0), 1.0), 0.0);
}

#[test]
fn evidence_is_the_mean_of_both_mixtures() {
    let errors = spec(0);
    let found = health(&errors, &[counts(1, 30)]).log_evidence(&errors, 2.0);
    let theta = 2_000.0 / 11_000.0;
    let by_ratio = |q: f64| q.ln() - 31.0 * (1.0 + (q - 1.0) * theta).ln();
    let by_floor = |q: f64| q.ln() + (1.0 - q) * 1_000.0 * 1e-3;
    let mean = RATIOS
        .iter()
        .map(|q| (by_ratio(*q) / 2.0).exp() + (by_floor(*q) / 2.0).exp())
        .sum::<f64>();
    assert!((found - (mean / 20.0).ln()).abs() < 1e-12, "{found}");
}

#[test]
fn latency_has_no_floor() {
    let latency = spec(2);
    let found = health(&latency, &[counts(0, 0); 60]).log_evidence(&latency, 1.0);
    assert!(found.abs() < 1e-12, "{found}");
}

#[test]
fn the_larger_overdispersion_counts_unless_it_is_stated() {
    let errors = spec(0);
    let bake: Vec<Counts> = (0..20)
        .map(|minute| {
            if minute % 2 == 0 {
                counts(40, 0)
            } else {
                counts(0, 360)
            }
        })
        .collect();
    let health = health(&errors, &bake);
    let measured = health.dispersion(&errors, 1.0);
    assert!(measured > 10.0, "{measured}");
    assert_eq!(health.dispersion(&errors, 99.0), 99.0);

    let stated = |phi| MetricSpec {
        stated_dispersion: Some(phi),
        ..errors
    };
    assert_eq!(health.dispersion(&stated(2.5), 99.0), 2.5);
    assert_eq!(health.dispersion(&stated(0.5), 99.0), 1.0);
}
