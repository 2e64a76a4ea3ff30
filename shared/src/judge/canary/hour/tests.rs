//! What the hour before fixes.

use super::*;

fn zone(requests: u64, good: u64, server_errors: u64) -> ZoneMinute {
    ZoneMinute {
        answers: Answers {
            requests,
            good,
            server_errors,
            ..Answers::default()
        },
        slow: vec![10],
        slow_to_promote: vec![4],
    }
}

fn rule(minutes: &[ZoneMinute]) -> BadRule {
    let hour: Vec<_> = minutes.iter().map(|zone| vec![zone.clone()]).collect();
    measure(&hour, 1).rule
}

#[test]
fn the_difference_counts_only_after_a_clean_hour() {
    let clean = || vec![zone(1_000, 995, 3); 60];
    let with = |count: usize, other: &ZoneMinute| {
        let mut minutes = clean();
        minutes[..count].fill(other.clone());
        minutes
    };
    // An answer more than requests in 3 of 60 minutes is within 5 %, in 4 it is not.
    let out_of_step = zone(1_000, 998, 3);
    let idle = zone(0, 0, 0);

    let cases = [
        (clean(), BadRule::Difference),
        (with(3, &out_of_step), BadRule::Difference),
        (with(4, &out_of_step), BadRule::Failures),
        (vec![zone(1_000, 987, 3); 60], BadRule::Difference),
        (vec![zone(1_000, 986, 3); 60], BadRule::Failures),
        (with(30, &idle), BadRule::Difference),
        (with(31, &idle), BadRule::Failures),
        (vec![], BadRule::Failures),
    ];
    for (index, (minutes, expected)) in cases.into_iter().enumerate() {
        assert_eq!(rule(&minutes), expected, "{index}");
    }
}

#[test]
fn rates_are_of_all_minutes_and_traffic_of_those_with_requests() {
    let mut hour = vec![vec![zone(600, 594, 6), zone(400, 396, 4)]; 30];
    hour.extend(vec![Vec::new(); 30]);
    let prior = measure(&hour, 1);
    assert_eq!(prior.requests_a_minute, Some(1_000.0));
    assert!((prior.errors.rate - 0.01).abs() < 1e-12);
    assert!((prior.latency[0].rate - 0.02).abs() < 1e-12);
    assert!((prior.latency[0].rate_to_promote - 0.008).abs() < 1e-12);
    assert!(prior.errors.one_by_one, "even counts come one by one");
    assert!(
        !prior.client_errors.one_by_one,
        "without events nothing is shown"
    );
}

#[test]
fn groups_that_zones_do_not_show_are_seen_in_pairs_of_minutes() {
    let even = [vec![zone(500, 480, 20); 2], vec![zone(500, 500, 0); 2]];
    let hour: Vec<_> = even.iter().cycle().take(60).cloned().collect();
    let errors = measure(&hour, 1).errors;
    assert!(errors.phi > 10.0 && !errors.one_by_one, "{errors:?}");
}

#[test]
fn groups_in_one_zone_are_seen_by_zones() {
    let left = vec![zone(500, 480, 20), zone(500, 500, 0)];
    let right = vec![zone(500, 500, 0), zone(500, 480, 20)];
    let hour: Vec<_> = [left, right].into_iter().cycle().take(60).collect();
    let errors = measure(&hour, 1).errors;
    assert!(errors.phi > 10.0 && !errors.one_by_one, "{errors:?}");
}
