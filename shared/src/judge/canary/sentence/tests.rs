//! Sentences with their arithmetic.

use super::*;
use crate::judge::canary::Decision;
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
