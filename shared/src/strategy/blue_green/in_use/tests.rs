use super::*;
use crate::metrics::source::{Data, Key, Points};
use crate::observed::fixtures::NEW;
use crate::observed::weights::Weights;
use crate::release::PairTarget;
use crate::strategy::blue_green::fixtures::{context, earlier, target, view_of};

/// The minute, since the Unix epoch, at whose beginning the traffic left.
const LEFT: i64 = 29_460_060;

/// Observed this many seconds after the traffic left, of which five minutes are the drain.
fn departure(secs: i64) -> Departure {
    let at = |secs| Timestamp::from_secs(LEFT * 60 + secs).expect("in range");
    Departure {
        left_at: at(0),
        drain: Duration::from_secs(300),
        now: at(secs),
        may_wait: true,
    }
}

/// Requests to a side and answers of one kind in each of these minutes, from the one in which the
/// traffic left.
fn requests(side: Side, minutes: Range<i64>, requests: f64, answers: (SourceMetric, f64)) -> Data {
    let series = |(metric, count)| {
        let points = minutes.clone().map(|minute| (LEFT + minute, count));
        (Key::new(side, metric), points.collect::<Points>())
    };
    Data::from([(SourceMetric::Requests, requests), answers].map(series))
}

fn requests_to_old(minutes: Range<i64>, count: f64) -> Data {
    requests(
        Side::Baseline,
        minutes,
        count,
        (SourceMetric::Responses2xx, count),
    )
}

/// The same to the new colour, after the old one has served its own.
fn requests_to_new(minutes: Range<i64>, count: f64, answers: (SourceMetric, f64)) -> Data {
    let mut data = requests_to_old(-5..0, 1.0);
    data.extend(requests(Side::Canary, minutes, count, answers));
    data
}

fn ways(clients: &[&str], tests: &[&str]) -> Ways {
    let [clients, tests] =
        [clients, tests].map(|some| some.iter().map(|way| (*way).to_owned()).collect());
    Ways { clients, tests }
}

fn decide_at(departure: Departure, data: &Data, ways: &Ways) -> RetireStep {
    let view = view_of(NEW, Weights::with(Colour::Green, 100));
    let open = target(&view, Some(view.weights));
    let observed = Observations {
        data,
        now_secs: departure.now.secs(),
    };
    stop_or_keep(&context(&open, &view), &observed, departure, ways)
}

fn decide(data: &Data, secs: i64, clients: &[&str]) -> RetireStep {
    decide_at(departure(secs), data, &ways(clients, &[]))
}

fn stops(data: &Data) -> bool {
    decide(data, 600, &[]) == RetireStep::Stop
}

#[test]
fn the_minutes_from_before_the_departure_to_the_last_whole_one_are_read() {
    assert_eq!(departure(600).minutes(), LEFT - 5..LEFT + 10);
    assert_eq!(departure(659).minutes(), LEFT - 5..LEFT + 10);
}

#[test]
fn a_colour_without_requests_is_stopped() {
    assert_eq!(decide(&Data::new(), 600, &[]), RetireStep::Stop);
    assert_eq!(
        decide(&requests_to_old(0..10, 0.0), 600, &[]),
        RetireStep::Stop
    );
}

#[test]
fn requests_of_the_minute_in_which_the_traffic_left_and_of_the_next_keep_no_colour() {
    for secs in [180, 300] {
        assert_eq!(
            decide(&requests_to_old(-5..2, 9.0), secs, &[]),
            RetireStep::Stop
        );
        let later = decide(&requests_to_old(2..3, 1.0), secs, &[]);
        assert!(matches!(later, RetireStep::Wait { .. }), "{later:?}");
    }
}

#[test]
fn five_minutes_without_a_request_are_enough() {
    let last = |minute| decide(&requests_to_old(minute..minute + 1, 1.0), 600, &[]);
    assert_eq!(last(4), RetireStep::Stop);
    assert!(matches!(last(5), RetireStep::Wait { .. }));
    assert!(matches!(last(9), RetireStep::Wait { .. }));
}

#[test]
fn a_colour_that_gets_requests_keeps_its_tasks_and_what_leads_to_it_is_named() {
    let data = requests_to_old(5..10, 7.0);
    let found = "100% to green; blue got 35 requests in the last 5 minutes although its weight is \
                 0, possibly by arn:…:listener/a, clients that the rule binds";
    let ways = ["arn:…:listener/a", "clients that the rule binds"];
    assert_eq!(
        decide(&data, 600, &ways),
        RetireStep::Wait {
            summary: format!("{found}; 5m00s of 1h00m"),
            percent: 60
        }
    );

    let unknown = "100% to green; blue got 35 requests in the last 5 minutes although its weight \
                   is 0; 5m00s of 1h00m";
    assert_eq!(
        decide(&data, 600, &[]),
        RetireStep::Wait {
            summary: unknown.to_owned(),
            percent: 60
        }
    );

    // An hour after the drain it is left with its tasks.
    let late = |secs: i64| {
        let minute = secs / 60 - 2;
        decide(&requests_to_old(minute..minute + 1, 35.0), secs, &ways)
    };
    assert!(matches!(late(3_899), RetireStep::Wait { .. }));
    assert_eq!(
        late(3_900),
        RetireStep::Done {
            summary: format!("{found}; it keeps its tasks, which the next release replaces")
        }
    );
}

#[test]
fn requests_of_tests_keep_no_colour_and_those_of_clients_beside_them_do() {
    let data = requests_to_old(5..10, 7.0);
    let with = |clients: &[&str]| decide_at(departure(600), &data, &ways(clients, &["rule/test"]));
    assert_eq!(with(&[]), RetireStep::Stop);
    assert_eq!(
        with(&["clients that the rule binds"]),
        RetireStep::Wait {
            summary: "100% to green; blue got 35 requests in the last 5 minutes although its \
                      weight is 0, possibly by clients that the rule binds, rule/test; 5m00s of \
                      1h00m"
                .to_owned(),
            percent: 60
        }
    );
}

#[test]
fn requests_keep_an_action_no_longer_than_it_has_time() {
    let data = requests_to_old(5..10, 7.0);
    let in_time = departure(600);
    let late = Departure {
        may_wait: false,
        ..in_time
    };
    let step = |departure| decide_at(departure, &data, &Ways::default());
    assert!(matches!(step(in_time), RetireStep::Wait { .. }));
    assert!(matches!(step(late), RetireStep::Done { .. }));
    assert_eq!(
        decide_at(late, &Data::new(), &Ways::default()),
        RetireStep::Stop
    );
}

#[test]
fn the_old_colour_is_kept_while_most_requests_to_the_new_one_fail() {
    let failing = |failed: f64| {
        let answers = (SourceMetric::Responses5xx, failed);
        decide(&requests_to_new(2..10, 10.0, answers), 600, &[])
    };
    let refused = |failed: u32| RetireStep::Fail {
        failure: Failure::job(format!(
            "{failed} of the last 50 requests to green failed, by 5XX or a refused connection; \
             expected fewer than 50% in one of the last minutes; blue keeps its tasks"
        )),
        cause: StepFailureCause::Precondition,
    };

    assert_eq!(failing(10.0), refused(50));
    assert_eq!(failing(5.0), refused(25));
    assert_eq!(failing(4.0), RetireStep::Stop);
    let no_connection = (SourceMetric::RefusedConnections, 30.0);
    let unreachable = requests_to_new(2..10, 10.0, no_connection);
    assert_eq!(decide(&unreachable, 600, &[]), refused(50));
}

#[test]
fn what_has_no_answer_or_one_without_a_failure_keeps_no_colour() {
    for metric in [
        SourceMetric::Responses2xx,
        SourceMetric::Responses3xx,
        SourceMetric::Responses4xx,
    ] {
        assert!(stops(&requests_to_new(2..10, 10.0, (metric, 10.0))));
    }
    let sockets = (SourceMetric::Responses2xx, 0.0);
    assert!(stops(&requests_to_new(2..10, 10.0, sockets)), "no answers");
}

#[test]
fn a_few_bad_minutes_or_requests_keep_no_colour() {
    let failed = |minutes: Range<i64>, count| {
        requests_to_new(minutes, count, (SourceMetric::Responses5xx, count))
    };

    assert!(stops(&failed(6..10, 10.0)), "two settled minutes");
    assert!(!stops(&failed(5..10, 10.0)), "three of them");
    assert!(stops(&failed(5..10, 6.0)), "18 requests");
    assert!(!stops(&failed(5..10, 7.0)), "21 of them");

    // One minute among the last five: good, or with failures that have not arrived yet.
    let mut data = failed(3..8, 10.0);
    let of_green = |metric| Key::new(Side::Canary, metric);
    let failures = data
        .entry(of_green(SourceMetric::Responses5xx))
        .or_default();
    failures.remove(&(LEFT + 4));
    assert!(!stops(&data));
    let good = Points::from([(LEFT + 4, 10.0)]);
    data.insert(of_green(SourceMetric::Responses2xx), good);
    assert!(stops(&data));
}

#[test]
fn what_failed_for_the_old_colour_too_is_not_the_new_revision_s() {
    let after = |failed_before: f64| {
        let mut data = requests_to_new(2..10, 10.0, (SourceMetric::Responses5xx, 10.0));
        let answers = (SourceMetric::Responses5xx, failed_before);
        data.extend(requests(Side::Baseline, -5..0, 3.0, answers));
        data
    };
    assert!(stops(&after(3.0)));
    assert!(stops(&after(2.0)), "few requests are enough to compare");
    assert!(!stops(&after(1.0)));

    let alone = requests(
        Side::Canary,
        2..10,
        10.0,
        (SourceMetric::Responses5xx, 10.0),
    );
    assert!(stops(&alone), "nothing is known of the old colour");
}

/// What becomes of the failures of green while so many of the targets of blue are healthy.
fn failing_beside(tasks: u32, healthy: u32, departure: Departure) -> RetireStep {
    let mut view = view_of(NEW, Weights::with(Colour::Green, 100));
    view.services.blue.desired = tasks;
    view.services.blue.target_groups[0].healthy = healthy;
    let open = target(&view, Some(view.weights));
    let data = requests_to_new(2..10, 10.0, (SourceMetric::Responses5xx, 10.0));
    let step = decide_at(departure, &data, &Ways::default());
    unless_both_fail(step, &context(&open, &view), departure)
}

#[test]
fn what_fails_while_the_old_colour_fails_its_checks_too_is_waited_for() {
    let found = "100% to green, which fails most requests; 1 of 4 targets of blue are healthy, so \
                 it fails too";
    assert_eq!(
        failing_beside(4, 1, departure(600)),
        RetireStep::Wait {
            summary: format!("{found}; 5m00s of 1h00m"),
            percent: 60
        }
    );
    let late = Departure {
        may_wait: false,
        ..departure(600)
    };
    assert_eq!(
        failing_beside(4, 1, late),
        RetireStep::Done {
            summary: format!("{found}; it keeps its tasks, which the next release replaces")
        }
    );

    for healthy in [2, 3, 4] {
        let step = failing_beside(4, healthy, departure(600));
        assert!(matches!(step, RetireStep::Fail { .. }), "{step:?}");
    }
}

#[test]
fn a_colour_with_all_of_the_traffic_that_fails_most_requests_must_go_back() {
    let failing = |healthy, failed: f64| {
        let mut view = view_of(NEW, Weights::with(Colour::Green, 100));
        view.services.blue.target_groups[0].healthy = healthy;
        let open = target(&view, Some(view.weights));
        let data = requests_to_new(2..10, 10.0, (SourceMetric::Responses5xx, failed));
        let departure = departure(600);
        let observed = Observations {
            data: &data,
            now_secs: departure.now.secs(),
        };
        must_go_back(&context(&open, &view), &observed, departure)
    };
    let failed = "50 of the last 50 requests to green failed, by 5XX or a refused connection; \
                  expected fewer than 50% in one of the last minutes";
    assert_eq!(failing(2, 10.0).as_deref(), Some(failed));
    assert_eq!(failing(1, 10.0).as_deref(), Some(failed));
    assert_eq!(failing(2, 4.0), None);
    assert_eq!(failing(0, 10.0), None, "blue fails its checks too");
}

#[test]
fn answers_are_looked_at_once_failures_could_show_with_all_of_the_traffic() {
    let looked_at = |percent, secs: i64, made| {
        let view = view_of(NEW, Weights::with(Colour::Green, percent));
        let mut open = target(&view, Some(view.weights));
        let shift = open.shift.as_mut().expect("shifted");
        shift.at = earlier(view.observed_at, secs);
        shift.made = made;
        let departure = settled_departure(&context(&open, &view));
        departure.map(|departure| {
            (departure.left_at, departure.now) == (shift_at(&open), view.observed_at)
        })
    };
    assert_eq!(
        looked_at(100, 420, true),
        Some(true),
        "three settled minutes"
    );
    assert_eq!(looked_at(100, 360, true), None, "two of them");
    assert_eq!(looked_at(100, 420, false), None);
    assert_eq!(looked_at(99, 420, true), None);
}

fn shift_at(open: &PairTarget) -> Timestamp {
    open.shift.as_ref().expect("shifted").at
}

#[test]
fn only_a_failure_is_looked_at_once_more() {
    let mut view = view_of(NEW, Weights::with(Colour::Green, 100));
    view.services.blue.target_groups[0].healthy = 0;
    let open = target(&view, Some(view.weights));
    let step = unless_both_fail(RetireStep::Stop, &context(&open, &view), departure(600));
    assert_eq!(step, RetireStep::Stop);
}

#[test]
fn an_alarm_that_does_not_exist_keeps_the_old_colour_for_an_hour() {
    let view = view_of(NEW, Weights::with(Colour::Green, 100));
    let open = target(&view, Some(view.weights));
    let at = |secs| without_alarm(&context(&open, &view), departure(secs), "errors");
    let found = "100% to green; alarm errors does not exist any more, so blue is not stopped";
    assert_eq!(
        at(600),
        RetireStep::Wait {
            summary: format!("{found}; 5m00s of 1h00m"),
            percent: 60
        }
    );
    assert_eq!(
        at(3_900),
        RetireStep::Done {
            summary: format!("{found}; it keeps its tasks, which the next release replaces")
        }
    );
}
