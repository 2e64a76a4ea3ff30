use super::super::comparison::tests::comparison;
use super::*;

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

/// Each reason with the word that names it and its sentence.
fn reasons() -> [(Reason, Option<&'static str>, &'static str); 5] {
    let metric = || "errors".to_owned();
    [
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
            Reason::FinalTest {
                metric: metric(),
                p: 0.00123,
                limit: 0.0025,
            },
            Some("exam:errors"),
            "final test p = 1.23e-3, limit 2.50e-3 after 7 min",
        ),
        (
            Reason::NonInferior,
            Some("non-inferior"),
            "no worse than the bound, evidence 3.0 of 20 after 7 min",
        ),
        (
            Reason::EndOfBake,
            Some("end of bake"),
            "neither shown at the end of the bake, evidence of harm 0.50 of 200, of health 3.0 of \
             20 (least: latency[1]) after 7 min",
        ),
    ]
}

#[test]
fn each_reason_has_its_word_and_its_sentence() {
    let numbers = "5xx 6.00% vs 0.50% of 100 and 10,000 requests: 12.0x, limit 1.1x; ";

    for (reason, word, sentence) in reasons() {
        let verdict = verdict(reason, comparison((100, 6), (10_000, 50), None, 1.0));
        assert_eq!(verdict.why().as_deref(), word);
        assert_eq!(verdict.to_string(), format!("{numbers}{sentence}"));
    }
}

#[test]
fn each_decision_has_its_word() {
    let words = [
        Decision::Continue,
        Decision::Promote,
        Decision::Rollback,
        Decision::Inconclusive,
    ]
    .map(Decision::as_str);

    assert_eq!(words, ["continue", "promote", "rollback", "inconclusive"]);
}
