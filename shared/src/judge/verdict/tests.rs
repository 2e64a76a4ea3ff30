use super::*;

#[test]
fn large_numbers_are_grouped() {
    let grouped: Vec<_> = [0, 12, 999, 1000, 54_110, 1_234_567]
        .into_iter()
        .map(thousands)
        .collect();
    assert_eq!(grouped, ["0", "12", "999", "1,000", "54,110", "1,234,567"]);
}

#[test]
fn evidence_beyond_measure_is_not_printed_digit_by_digit() {
    assert_eq!(odds(123.5, 200f64.ln()), "over 1,000,000 of 200");
    assert_eq!(odds(1.04, 200f64.ln()), "2.8 of 200");
}

#[test]
fn small_rates_keep_their_digits() {
    let shares: Vec<_> = [(0, 0), (500, 0), (6012, 61), (1_000_000, 7)]
        .into_iter()
        .map(percent)
        .collect();
    assert_eq!(shares, ["nothing", "0%", "1.01%", "7.0e-4%"]);
}

fn verdict(reason: Reason, comparison: Comparison) -> Verdict {
    Verdict {
        minute: 7,
        decision: Decision::Continue,
        reason,
        log_e: 0.5_f64.ln(),
        highest_log_e: None,
        log_e_limit: 200_f64.ln(),
        log_e_promote: 3_f64.ln(),
        log_e_promote_limit: 20_f64.ln(),
        weakest: "latency[1]".to_owned(),
        usable_minutes: 6,
        comparison,
    }
}

fn comparison(
    canary: (u64, u64),
    baseline: (u64, u64),
    floor: Option<f64>,
    dispersion: f64,
) -> Comparison {
    let spec = MetricSpec {
        name: "errors".to_owned(),
        label: "5xx".to_owned(),
        weight: 1.0,
        tolerance: 1.1,
        floor,
        dispersion,
        promotion: None,
    };
    let mut comparison = Comparison::new(&spec);
    comparison.absorb(&Counts {
        canary_requests: canary.0,
        canary_bad: canary.1,
        canary_bad_promote: canary.1,
        baseline_requests: baseline.0,
        baseline_bad: baseline.1,
    });
    comparison
}

#[test]
fn each_reason_has_its_word_and_its_sentence() {
    let metric = || "errors".to_owned();
    let cases = [
        (
            Reason::Unsettled,
            None,
            "evidence of harm 0.50 of 200, of health 3.0 of 20 after 7 min",
        ),
        (
            Reason::Harm {
                metric: metric(),
                minute: 4,
            },
            Some("errors"),
            "certain at 1 in 200 after 4 min",
        ),
        (
            Reason::Exam {
                metric: metric(),
                p: 0.00123,
                limit: 0.0025,
            },
            Some("exam:errors"),
            "final exam p = 1.23e-3, limit 2.50e-3 after 7 min",
        ),
        (
            Reason::NonInferior,
            Some("non-inferior"),
            "no worse than the bound, evidence 3.0 of 20 after 7 min",
        ),
        (
            Reason::EndOfBake,
            Some("end of bake"),
            "neither shown at the end of the bake, evidence of harm 0.50 of 200, of health 3.0 of 20 (least: \
             latency[1]) after 7 min",
        ),
    ];
    let numbers = "5xx 6.00% vs 0.50% of 100 and 10,000 requests: 12.0x, limit 1.1x; ";
    for (reason, word, sentence) in cases {
        let verdict = verdict(reason, comparison((100, 6), (10_000, 50), None, 1.0));
        assert_eq!(
            (verdict.why().as_deref(), verdict.to_string()),
            (word, format!("{numbers}{sentence}"))
        );
    }
    let words = [
        Decision::Continue,
        Decision::Promote,
        Decision::Rollback,
        Decision::Inconclusive,
    ]
    .map(Decision::word);
    assert_eq!(words, ["continue", "promote", "rollback", "inconclusive"]);
}

#[test]
fn a_comparison_says_what_there_is_to_compare() {
    let cases = [
        (
            comparison((100, 6), (10_000, 50), None, 1.04),
            "12.0x, limit 1.1x, in clumps of 1.0",
        ),
        (
            comparison((100, 6), (10_000, 50), None, 2.5),
            "12.0x, limit 1.1x, in clumps of 2.5",
        ),
        (
            comparison((100, 0), (10_000, 0), Some(1e-3), 1.0),
            "none on either side",
        ),
        (
            comparison((100, 6), (10_000, 0), Some(1e-3), 1.0),
            "none in the baseline, limit 0.10%",
        ),
        (
            comparison((100, 6), (10_000, 0), None, 1.0),
            "none in the baseline, limit 1.1x",
        ),
        (
            comparison((100, 0), (10_000, 50), None, 1.0),
            "0.00x, limit 1.1x",
        ),
    ];
    for (comparison, expected) in cases {
        let sentence = comparison.to_string();
        assert_eq!(
            sentence.split_once(" requests: ").map(|(_, rest)| rest),
            Some(expected),
            "{sentence}"
        );
    }
}

#[test]
fn a_ratio_is_taken_minute_by_minute() {
    let spec = comparison((1, 0), (1, 0), None, 1.0);
    let mut totals = Comparison {
        canary: (0, 0),
        baseline: (0, 0),
        weighted: (0.0, 0.0),
        ..spec
    };
    let mut add = |canary: (u64, u64), baseline: (u64, u64)| {
        totals.absorb(&Counts {
            canary_requests: canary.0,
            canary_bad: canary.1,
            canary_bad_promote: 0,
            baseline_requests: baseline.0,
            baseline_bad: baseline.1,
        });
    };
    // 1 % on both sides, then 10 % on both sides at other weights: the totals alone would say 4.8 times.
    add((100, 1), (900, 9));
    add((900, 90), (100, 10));
    assert_eq!((totals.canary, totals.baseline), ((1_000, 91), (1_000, 19)));
    assert!((totals.ratio().unwrap() - 1.0).abs() < 1e-12);
}

#[test]
fn rates_and_numbers_change_their_form_at_fixed_limits() {
    assert_eq!(
        [percent((10_000, 1)), percent((20_000, 1))],
        ["0.01%", "5.0e-3%"]
    );
    assert_eq!(
        [0.994, 0.999, 1.0, 99.94, 100.0].map(significant),
        ["0.99", "1.00", "1.0", "99.9", "100"]
    );
    assert_eq!(
        [
            odds(1e6_f64.ln(), 200_f64.ln()),
            odds(1e6_f64.ln() + 0.01, 200_f64.ln())
        ],
        ["1000000 of 200", "over 1,000,000 of 200"]
    );
}
