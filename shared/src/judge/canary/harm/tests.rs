//! Evidence of harm, minute by minute.

use super::*;
use crate::judge::canary::config::JudgeConfig;
use crate::judge::canary::metric::Families;

const ALPHA: f64 = 0.005;

fn errors() -> MetricSpec {
    Families::new(&JudgeConfig::default(), 3, &[]).judged[0]
}

fn latency() -> MetricSpec {
    Families::new(&JudgeConfig::default(), 3, &[]).judged[2]
}

fn counts(canary: (u64, u64), baseline: (u64, u64)) -> Counts {
    Counts {
        canary_requests: canary.0,
        canary_bad: canary.1,
        canary_bad_to_promote: canary.1,
        baseline_requests: baseline.0,
        baseline_bad: baseline.1,
    }
}

fn evidence(spec: &MetricSpec, one_by_one: bool, minutes: &[Counts]) -> f64 {
    let mut harm = Harm::new(spec, one_by_one, ALPHA);
    for minute in minutes {
        harm.absorb(spec, minute);
    }
    harm.log_evidence().exp()
}

#[test]
fn the_increments_are_those_of_the_formulas() {
    let minute = counts((1_000, 12), (9_000, 30));
    let theta: f64 = 1.1 * 1_000.0 / (1.1 * 1_000.0 + 9_000.0);
    let r: f64 = 3.0;
    let by_ratio = 12.0 * r.ln() - 42.0 * (2.0 * theta).ln_1p();
    let by_floor = 12.0 * r.ln() - 2.0 * 1_000.0 * 1e-4;
    let found = by_events(&errors(), &minute)[2];
    assert!((found - by_ratio.min(by_floor)).abs() < 1e-12, "{found}");

    let found = by_minute(&errors(), &minute)[2];
    let expected = (1.0 + 2.0 * 12.0 / 42.0_f64).ln() - (1.0 + 2.0 * theta).ln();
    assert!((found - expected).abs() < 1e-12, "{found}");
}

#[test]
fn below_the_floor_nothing_is_harm() {
    let quiet = counts((100_000, 10), (900_000, 0));
    assert!(
        by_events(&errors(), &quiet)
            .iter()
            .all(|increment| *increment <= 0.0)
    );
}

#[test]
fn no_single_minute_decides() {
    for one_by_one in [false, true] {
        let burst = counts((1_000, 700), (9_000, 1));
        let found = evidence(&errors(), one_by_one, &[burst]);
        assert!(found < 1.0 / ALPHA, "{found}");
    }
}

#[test]
fn a_bet_of_ten_is_enough_where_events_come_one_by_one() {
    let minutes = [counts((1_000, 20), (9_000, 10)); 3];
    let spec = errors();
    let single = evidence(&spec, true, &minutes);
    let grouped = evidence(&spec, false, &minutes);
    assert!(
        single > 1.0 / ALPHA && grouped < 1.0 / ALPHA,
        "{single} {grouped}"
    );
}

#[test]
fn two_gross_minutes_in_a_row_are_harm_whatever_caused_them() {
    let gross = counts((1_000, 800), (9_000, 1));
    let well = counts((1_000, 0), (9_000, 1));
    let spec = errors();
    let bound = 1.0 / (ALPHA * spec.weight);
    assert!(evidence(&spec, false, &[gross, gross]) > bound);
    assert!(evidence(&spec, false, &[gross, well, gross]) < bound);

    let cases = [
        (counts((1_000, 750), (9_000, 900)), true),
        (counts((1_000, 749), (9_000, 0)), false),
        (counts((1_000, 750), (9_000, 901)), false),
        (counts((30, 30), (270, 0)), true),
        (counts((29, 29), (270, 0)), false),
    ];
    for (minute, expected) in cases {
        assert_eq!(is_gross(&spec, &minute), expected, "{minute:?}");
        assert!(!is_gross(&latency(), &minute));
    }
}

#[test]
fn evidence_starts_at_one_and_a_minute_without_bad_events_is_no_bet() {
    let mut mixture = Mixture::default();
    assert_eq!(mixture.log_evidence(), 0.0);
    mixture.absorb(&by_minute(&latency(), &counts((1_000, 0), (9_000, 0))));
    assert!(mixture.log_evidence().abs() < 1e-12);
    assert!((mixture.prior_left - 0.2).abs() < 1e-12);
    mixture.absorb(&[0.0; RATIOS.len()]);
    assert!((mixture.prior_left - 0.1).abs() < 1e-12);
}
