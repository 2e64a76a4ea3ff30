use super::*;
use crate::judge::canary::hour_before::{HourBefore, Measured};

fn hour(one_by_one: bool, thresholds_ms: &[f64]) -> MeasuredHour {
    let measured = |rate, phi| Measured {
        phi,
        one_by_one,
        rate,
        rate_to_promote: rate,
    };
    let phi = if one_by_one { 1.0 } else { 12.34 };
    MeasuredHour {
        thresholds_ms: thresholds_ms.to_vec(),
        prior: HourBefore {
            rule: BadRule::Difference,
            requests_a_minute: Some(6_012.4),
            errors: measured(0.001, phi),
            client_errors: measured(0.02, 1.0),
            latency: thresholds_ms.iter().map(|_| measured(0.1, 1.0)).collect(),
        },
    }
}

#[test]
fn what_was_measured_before_the_bake_is_one_sentence() {
    assert_eq!(
        measured("blue", &hour(true, &[215.7, 403.8, 605.7])),
        "measured blue over the hour before: p90 216 ms, p99 404 ms; requests without a good \
         answer 0.10% of 6,012 requests a minute, one by one; 4xx 2.00%"
    );
    assert_eq!(
        measured("blue", &hour(false, &[])),
        "measured blue over the hour before: too few response times, latency is not judged; \
         requests without a good answer 0.10% of 6,012 requests a minute, overdispersion 12.3; 4xx \
         2.00%"
    );
    let unknown = MeasuredHour {
        thresholds_ms: Vec::new(),
        prior: HourBefore::unknown(0),
    };
    assert!(
        measured("blue", &unknown)
            .ends_with("before: no requests; whether errors come one by one is not known")
    );
}

#[test]
fn how_far_the_bake_is() {
    assert_eq!(baked(4, 30), "4m00s of 30m00s baked");
    assert_eq!(baked(31, 30), "30m00s of 30m00s baked");
}

#[test]
fn far_more_requests_than_the_share_are_remarked_on() {
    assert_eq!(beyond_share(5, 1_000, 9_000), None);
    let remark = beyond_share(5, 2_000, 8_000).expect("twice the share");
    assert!(
        remark.starts_with("the new colour got 20.00% of the requests with 5% of"),
        "{remark}"
    );
}

#[test]
fn a_side_without_a_request_is_named_after_three_minutes() {
    assert_eq!(no_requests(2, 0, 0), None);
    assert_eq!(no_requests(9, 1, 1), None);
    let named = |canary, baseline| no_requests(3, canary, baseline).expect("no traffic");
    assert!(named(0, 9).starts_with("no request to the new colour was counted in 3 minutes;"));
    assert!(named(9, 0).starts_with("no request to the live colour was counted in 3 minutes;"));
}

#[test]
fn a_metric_without_data_is_named() {
    assert_eq!(unmeasured("queue", 5), None);
    let objection = unmeasured("queue", 4).expect("too few");
    assert!(objection.starts_with("queue has values of both colours in 4 minutes, 5 needed"));
}
