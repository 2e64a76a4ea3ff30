use super::*;
use crate::metrics::source::{Data, Key, Points};
use crate::observed::colour::Colour;
use crate::observed::fixtures::NEW;
use crate::observed::weights::Weights;
use crate::strategy::blue_green::fixtures::{context, target, view_of};

/// The minute, since the Unix epoch, at whose beginning the traffic left.
const LEFT: i64 = 29_460_060;

/// Observed this many seconds after the traffic left, of which five minutes are the drain.
fn departure(secs: i64) -> Departure {
    let at = |secs| Timestamp::from_secs(LEFT * 60 + secs).expect("in range");
    Departure {
        left_at: at(0),
        drain: Duration::from_secs(300),
        now: at(secs),
    }
}

/// Requests to a side and good answers in each of these minutes, from the one in which the traffic
/// left.
fn counted(side: Side, minutes: Range<i64>, requests: f64, good: (Metric, f64)) -> Data {
    let series = |(metric, count)| {
        let points = minutes.clone().map(|minute| (LEFT + minute, count));
        (Key::new(side, metric), points.collect::<Points>())
    };
    Data::from([(Metric::Requests, requests), good].map(series))
}

fn requests_to_old(minutes: Range<i64>, requests: f64) -> Data {
    counted(
        Side::Baseline,
        minutes,
        requests,
        (Metric::Responses2xx, requests),
    )
}

fn decide(data: &Data, secs: i64, ways: &[&str]) -> RetireStep {
    let view = view_of(NEW, Weights::with(Colour::Green, 100));
    let open = target(&view, Some(view.weights));
    let departure = departure(secs);
    let observed = Observations {
        data,
        now_secs: departure.now.secs(),
    };
    let ways: Vec<String> = ways.iter().map(|way| (*way).to_owned()).collect();
    stop_or_keep(&context(&open, &view), &observed, departure, &ways)
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
fn the_old_colour_is_kept_while_most_requests_to_the_new_one_fail() {
    let failing = |good: f64| {
        let answers = (Metric::Responses2xx, good);
        decide(&counted(Side::Canary, 2..10, 10.0, answers), 600, &[])
    };
    let refused = |failed: u32| RetireStep::Fail {
        failure: Failure::job(format!(
            "{failed} of 50 requests to green had no good answer since it has all of the traffic; \
             expected fewer than 50% in one of the last minutes; blue keeps its tasks"
        )),
        cause: StepFailureCause::Precondition,
    };

    assert_eq!(failing(0.0), refused(50));
    assert_eq!(failing(5.0), refused(25));
    assert_eq!(failing(6.0), RetireStep::Stop);
    // Redirects and errors of clients are answers.
    for metric in [Metric::Responses3xx, Metric::Responses4xx] {
        let answered = counted(Side::Canary, 2..10, 10.0, (metric, 10.0));
        assert_eq!(decide(&answered, 600, &[]), RetireStep::Stop);
    }
}

#[test]
fn a_few_bad_minutes_or_requests_keep_no_colour() {
    let none = (Metric::Responses2xx, 0.0);
    let failed = |minutes: Range<i64>, requests| counted(Side::Canary, minutes, requests, none);
    let stops = |data: &Data| decide(data, 600, &[]) == RetireStep::Stop;

    assert!(stops(&failed(6..10, 10.0)), "two settled minutes");
    assert!(!stops(&failed(5..10, 10.0)), "three of them");
    assert!(stops(&failed(5..10, 6.0)), "18 requests");
    assert!(!stops(&failed(5..10, 7.0)), "21 of them");

    // One good minute among the last five.
    let mut data = failed(3..8, 10.0);
    let good = Key::new(Side::Canary, Metric::Responses2xx);
    data.entry(good).or_default().insert(LEFT + 4, 10.0);
    assert!(stops(&data));
}

#[test]
fn what_failed_for_the_old_colour_too_is_not_the_new_revision_s() {
    let none = (Metric::Responses2xx, 0.0);
    let both = |good: f64| {
        let mut data = counted(Side::Canary, 2..10, 10.0, none);
        let answers = (Metric::Responses2xx, good);
        data.extend(counted(Side::Baseline, -5..0, 10.0, answers));
        decide(&data, 600, &[])
    };
    assert_eq!(both(0.0), RetireStep::Stop);
    assert!(matches!(both(10.0), RetireStep::Fail { .. }));
}
