//! Sentences with their arithmetic.

use super::*;
use crate::judge::canary::Decision;
use crate::judge::canary::hour_before::{HourBefore, Measured};
use crate::judge::canary::metric::Families;
use crate::judge::canary::verdict::Peak;
use crate::judge::tally::{Tally, Totals};

fn verdict(reason: Reason, place: usize, canary: Tally, baseline: Tally) -> Verdict {
    let mut totals = Totals::default();
    totals.absorb(canary, baseline);
    Verdict {
        minute: 9,
        decision: Decision::Continue,
        reason,
        log_e: 2.8_f64.ln(),
        highest: None,
        log_e_promote: 0.5_f64.ln(),
        weakest: Metric::Latency(0),
        subject: Shown {
            spec: Families::new(&JudgeConfig::default(), 1, &[]).judged[place],
            totals,
            log_weighted_harm: 0.0,
            log_health: 0.0,
            phi: 1.0,
            one_by_one: true,
        },
        clear: false,
        objection: None,
        usable_minutes: 6,
    }
}

fn read(verdict: &Verdict, rule: BadRule) -> String {
    let labels = Labels {
        rule,
        thresholds_ms: &[84.0],
        own: &[],
    };
    sentence(verdict, &labels, &JudgeConfig::default())
}

#[test]
fn a_sentence_has_both_rates_the_ratio_the_limit_and_the_certainty() {
    let peak = Peak {
        log_e: 9.0,
        metric: Metric::Errors,
        minute: 4,
    };
    let (canary, baseline) = (Tally::new(6_000, 60), Tally::new(54_000, 54));
    let harm = verdict(Reason::Harm(peak), 0, canary, baseline);
    assert_eq!(
        read(&harm, BadRule::Difference),
        "requests without a good answer 1.00% vs 0.10% of 6,000 and 54,000 requests: 10.0x, limit \
         1.1x; certain at 1 in 200 after 4 min"
    );
    assert!(read(&harm, BadRule::Failures).starts_with("5xx and refused connections 1.00%"));

    let undecided = verdict(Reason::EndOfBake, 2, canary, baseline);
    assert_eq!(
        read(&undecided, BadRule::Difference),
        "slower than 84 ms (canary 92 ms) 1.00% vs 0.10% of 6,000 and 54,000 requests: 10.0x, \
         limit 1x; neither shown at the end of the bake, evidence of harm 2.8 of 200, of health \
         0.50 of 20 (least: slower than 84 ms (canary 92 ms)) after 9 min"
    );
}

#[test]
fn without_bad_requests_of_the_baseline_the_floor_is_the_limit() {
    let (canary, baseline) = (Tally::new(6_000, 60), Tally::new(54_000, 0));
    let of = |place, canary| {
        let verdict = verdict(Reason::Unsettled, place, canary, baseline);
        read(&verdict, BadRule::Failures)
    };
    assert!(of(1, canary).contains("requests: none in the baseline, limit 0.50%; evidence"));
    assert!(of(2, canary).contains("requests: none in the baseline, limit 1x; evidence"));
    assert!(of(0, Tally::new(6_000, 0)).contains("requests: none on either side; evidence"));
}

#[test]
fn an_objection_is_named() {
    let objection = Objection::Series("memory".to_owned());
    let (canary, baseline) = (Tally::new(6_000, 6), Tally::new(54_000, 54));
    let held = verdict(Reason::Objected(objection), 0, canary, baseline);
    let found = read(&held, BadRule::Failures);
    assert!(
        found.contains("; memory objects to a promotion at the end of the bake,"),
        "{found}"
    );
}

/// What is expected of a bake of so many minutes at much traffic without errors: 5 usable minutes
/// after the warm-up of 3.
fn expected_in(end: u32) -> Option<String> {
    let flawless = Measured {
        phi: 1.0,
        one_by_one: true,
        rate: 0.0,
        rate_to_promote: 0.0,
    };
    expectation(&Setup {
        config: JudgeConfig {
            end,
            share: Some(0.25),
            ..JudgeConfig::default()
        },
        thresholds: 0,
        own: Vec::new(),
        prior: HourBefore {
            rule: BadRule::Difference,
            requests_a_minute: Some(1e6),
            errors: flawless,
            client_errors: flawless,
            latency: Vec::new(),
        },
    })
}

#[test]
fn a_decision_is_expected_only_where_late_metrics_leave_time_for_it() {
    assert_eq!(
        expected_in(12).as_deref(),
        Some("At this traffic a healthy canary is expected to be promoted after about 8 minutes")
    );
    assert_eq!(
        expected_in(11).as_deref(),
        Some(
            "At this traffic a healthy canary may not be decided in 11 minutes: a decision is \
             expected after about 8, and metrics that come late can put it off by up to 4; a bake \
             of 12 minutes would help"
        )
    );
    assert_eq!(
        expected_in(7).as_deref(),
        Some(
            "At this traffic a healthy canary is not expected to be decided in 7 minutes; a share \
             of 50%, a bake of 14 minutes or tau_promote 3 would help"
        )
    );
}
