//! Requests that a target accepts and never answers or answers with a WebSocket, and requests
//! without a target.

use super::*;

/// What a target group counts of its answers.
const ANSWERED: [&str; 4] = [
    "HTTPCode_Target_2XX_Count",
    "HTTPCode_Target_4XX_Count",
    "HTTPCode_Target_5XX_Count",
    "TargetConnectionErrorCount",
];
/// The balancer's own answers.
const OWN: [&str; 4] = [
    "HTTPCode_ELB_502_Count",
    "HTTPCode_ELB_503_Count",
    "HTTPCode_ELB_504_Count",
    "HTTPCode_ELB_5XX_Count",
];

/// Green answers like this, and blue without errors. Each gets 50 requests a second for half an
/// hour.
fn beside(answers: Answers) -> MetricBench {
    let mut world = MetricBench::new(11, Profile::default(), Profile::of(answers), (50, 50));
    world.minutes(30);
    world
}

/// Which of the balancer's own answers there were, as parts of the requests to green.
fn own(world: &mut MetricBench) -> [f64; 4] {
    let requests = world.total(30, Some("green"), "RequestCount", "Sum");
    OWN.map(|name| world.total(30, None, name, "Sum") / requests)
}

fn is_about(found: f64, expected: f64) -> bool {
    (found - expected).abs() < 0.02
}

#[test]
fn a_request_that_is_never_answered_is_a_504_of_the_balancer_alone() {
    let mut world = beside(Answers {
        unanswered: 0.2,
        ..Answers::GOOD
    });
    let [of_502, of_503, of_504, of_all] = own(&mut world);
    assert_eq!((of_502, of_503), (0.0, 0.0));
    assert!(is_about(of_504, 0.2) && is_about(of_all, 0.2), "{of_504}");

    let requests = world.total(30, Some("green"), "RequestCount", "Sum");
    assert!(
        (requests / (50.0 * 1800.0) - 1.0).abs() < 0.05,
        "{requests}"
    );
    let answered = ANSWERED.map(|name| world.total(30, Some("green"), name, "Sum"));
    let part = answered.iter().sum::<f64>() / requests;
    assert!(is_about(part, 0.8), "{answered:?} of {requests}");
    let timed = world.total(30, Some("green"), "TargetResponseTime", "SampleCount");
    assert!(is_about(timed / requests, 0.8), "{timed} of {requests}");
}

#[test]
fn a_connection_that_is_reset_is_a_502_of_the_balancer_alone() {
    let mut world = beside(Answers {
        reset: 0.1,
        ..Answers::GOOD
    });
    let [of_502, of_503, of_504, of_all] = own(&mut world);
    assert_eq!((of_503, of_504), (0.0, 0.0));
    assert!(is_about(of_502, 0.1) && is_about(of_all, 0.1), "{of_502}");

    let refused = world.total(30, Some("green"), "TargetConnectionErrorCount", "Sum");
    assert_eq!(refused, 0.0, "the connection was established");
    for name in OWN {
        let of_group = world.total(30, Some("green"), name, "Sum");
        assert_eq!(of_group, 0.0, "{name} has no target group");
    }
}

#[test]
fn a_socket_is_a_request_that_is_counted_in_no_class_and_fails_nothing() {
    let mut world = beside(Answers {
        sockets: 0.9,
        ..Answers::GOOD
    });
    assert_eq!(own(&mut world), [0.0; 4]);
    let requests = world.total(30, Some("green"), "RequestCount", "Sum");
    assert!(
        (requests / (50.0 * 1800.0) - 1.0).abs() < 0.05,
        "{requests}"
    );
    let answered = ANSWERED.map(|name| world.total(30, Some("green"), name, "Sum"));
    let part = answered.iter().sum::<f64>() / requests;
    assert!(is_about(part, 0.1), "{answered:?} of {requests}");
}

#[test]
fn an_image_with_usual_failures_only_keeps_its_digest() {
    let profile = Profile::of(Answers::GOOD.failing(0.02));
    assert_eq!(
        format!("{profile:?}"),
        "Profile { at_first: Answers { errors: 0.02, burst: 1, client_errors: 0.01, \
         median_ms: 50.0, p99_ms: 300.0 }, later: None }",
        "the digest of the image is made of it"
    );
}

/// Sends the requests by these weights; a client keeps its group for half an hour.
fn weigh(world: &mut MetricBench, weights: [u32; 2]) {
    let groups: Value = ["blue", "green"]
        .into_iter()
        .zip(weights)
        .map(|(name, weight)| json!({"TargetGroupArn": world.group(name), "Weight": weight}))
        .collect();
    let forward = json!({
        "TargetGroups": groups,
        "TargetGroupStickinessConfig": {"Enabled": true, "DurationSeconds": 1800},
    });
    let actions = json!([{"Type": "forward", "ForwardConfig": forward}]);
    let change = json!({ "DefaultActions": actions });
    elb::update_listener(&mut world.aws, &world.listener.clone(), &change).unwrap();
}

#[test]
fn sticky_clients_of_an_emptied_group_get_503() {
    let mut world = MetricBench::good(16);
    weigh(&mut world, [100, 0]);
    traffic::set_sticky(&mut world.aws, &world.listener.clone(), 0.4);
    weigh(&mut world, [0, 100]);
    let stop = json!({"cluster": "main", "service": "blue", "desiredCount": 0});
    ecs::call(&mut world.aws, "UpdateService", &stop).unwrap();
    world.pass(120);
    let blue = world.group("blue");
    assert_eq!(world.aws.elb.healthy_count(&blue, world.aws.now), 0);

    world.start = world.aws.now;
    world.minutes(10);
    let lost = world.total(10, None, "HTTPCode_ELB_503_Count", "Sum");
    assert!((lost / 24_000.0 - 1.0).abs() < 0.05, "{lost}");
    let served = world.total(10, Some("green"), "RequestCount", "Sum");
    assert!((served / 36_000.0 - 1.0).abs() < 0.05, "{served}");
    assert_eq!(world.total(10, Some("blue"), "RequestCount", "Sum"), 0.0);
}
