//! Minutes that count, wait or are left out.

use super::*;

fn side(requests: u64, good: u64, server_errors: u64) -> Counters {
    Counters {
        requests: Some(requests),
        good: Some(good),
        client_errors: Some(0),
        server_errors: Some(server_errors),
        refused: None,
        timed: Some(good + server_errors),
        slow: vec![Some(9)],
        slow_to_promote: vec![Some(5)],
        own: Vec::new(),
        values: Vec::new(),
    }
}

fn arrived(canary: Counters) -> Arrived {
    Arrived {
        minute: Minute {
            canary,
            baseline: side(9_000, 8_990, 10),
        },
        is_final: true,
    }
}

const RULES: ArrivalRules = ArrivalRules {
    bad: BadRule::Difference,
    thresholds: 1,
    own: 0,
    has_waited: false,
};

/// Whether a minute waits, its bad canary requests, and whether latency is judged: first at once,
/// then after the wait.
fn found(arrived: &Arrived, rules: ArrivalRules) -> [Option<(Option<u64>, bool)>; 2] {
    [false, true].map(|has_waited| {
        let taken = take(
            arrived,
            ArrivalRules {
                has_waited,
                ..rules
            },
        );
        taken.map(|taken| {
            let bad = taken.answers.map(|answers| answers.errors.canary_bad);
            (bad, taken.latency.is_some())
        })
    })
}

#[test]
fn a_whole_minute_counts_at_once() {
    let expected = Some((Some(8), true));
    assert_eq!(found(&arrived(side(1_000, 992, 6)), RULES), [expected; 2]);
}

#[test]
fn what_is_bad_depends_on_the_hour_before() {
    let failures = ArrivalRules {
        bad: BadRule::Failures,
        ..RULES
    };
    let refused = Counters {
        refused: Some(3),
        ..side(1_000, 985, 6)
    };
    let bad = |rules| found(&arrived(refused.clone()), rules)[0].unwrap().0;
    assert_eq!((bad(RULES), bad(failures)), (Some(15), Some(9)));
}

#[test]
fn a_minute_that_is_not_final_waits() {
    let late = Arrived {
        is_final: false,
        ..arrived(side(1_000, 992, 8))
    };
    assert_eq!(found(&late, RULES), [None, Some((Some(8), true))]);
}

#[test]
fn doubt_waits_and_is_then_left_out() {
    let canary = side(1_000, 992, 8);
    let of = |change: &dyn Fn(&mut Counters)| {
        let mut canary = canary.clone();
        change(&mut canary);
        found(&arrived(canary), RULES)
    };
    let cases = [
        ("requests", of(&|c| c.requests = None), (None, true)),
        ("answers", of(&|c| c.good = None), (None, true)),
        ("more answers", of(&|c| c.good = Some(1_018)), (None, true)),
        ("response times", of(&|c| c.timed = None), (Some(8), false)),
        ("slow", of(&|c| c.slow = vec![None]), (Some(8), false)),
        (
            "slow to promote",
            of(&|c| c.slow_to_promote.clear()),
            (Some(8), false),
        ),
    ];
    for (name, found, expected) in cases {
        assert_eq!(found, [None, Some(expected)], "{name}");
    }
}

#[test]
fn requests_and_nothing_else_are_bad_after_the_wait_by_either_count() {
    let silent = Counters {
        requests: Some(1_000),
        slow: vec![None],
        slow_to_promote: vec![None],
        ..Counters::default()
    };
    for bad in [BadRule::Difference, BadRule::Failures] {
        let found = found(&arrived(silent.clone()), ArrivalRules { bad, ..RULES });
        assert_eq!(found, [None, Some((Some(1_000), false))], "{bad:?}");
    }
}

#[test]
fn what_is_inconsistent_or_absent_is_left_out_at_once() {
    let slow = Counters {
        slow_to_promote: vec![Some(1_001)],
        ..side(1_000, 992, 8)
    };
    assert_eq!(found(&arrived(slow), RULES), [Some((Some(8), false)); 2]);

    let idle = side(0, 0, 0);
    assert_eq!(found(&arrived(idle), RULES), [Some((None, false)); 2]);
}

#[test]
fn response_times_are_not_waited_for_in_the_warm_up() {
    let rules = ArrivalRules {
        thresholds: 0,
        ..RULES
    };
    let untimed = Counters {
        timed: None,
        ..side(1_000, 992, 8)
    };
    assert_eq!(found(&arrived(untimed), rules), [Some((Some(8), false)); 2]);
}

#[test]
fn answers_of_the_next_minute_are_no_doubt_where_failures_are_counted() {
    let skewed = arrived(side(1_000, 1_100, 8));
    let rules = ArrivalRules {
        bad: BadRule::Failures,
        ..RULES
    };
    assert_eq!(found(&skewed, rules)[0], Some((Some(8), true)));
    assert_eq!(found(&skewed, RULES)[0], None);
}

#[test]
fn a_count_of_a_users_own_that_is_unknown_is_left_out_alone() {
    let own = |bad: [Option<u64>; 2]| {
        let total = Some(100);
        bad.map(|bad| OwnCounter { total, bad }).to_vec()
    };
    let rules = ArrivalRules { own: 2, ..RULES };
    let taken = |canary: Counters| {
        let mut arrived = arrived(canary);
        arrived.minute.baseline.own = own([Some(30), Some(20)]);
        let taken = take(&arrived, rules).unwrap();
        let bad = taken.own.into_iter();
        bad.map(|counts| counts.map(|counts| (counts.canary_bad, counts.baseline_bad)))
            .collect::<Vec<_>>()
    };
    let with = |canary_bad, counters| Counters {
        own: own(canary_bad),
        ..counters
    };
    let whole = side(1_000, 992, 8);
    assert_eq!(
        taken(with([Some(3), Some(2)], whole.clone())),
        [Some((3, 30)), Some((2, 20))]
    );
    assert_eq!(
        taken(with([Some(3), None], whole.clone())),
        [Some((3, 30)), None]
    );
    assert_eq!(
        taken(with([Some(101), Some(2)], whole)),
        [None, Some((2, 20))],
        "more bad ones than all"
    );
    assert_eq!(taken(with([Some(3), Some(2)], side(0, 0, 0))), [None; 2]);
}
