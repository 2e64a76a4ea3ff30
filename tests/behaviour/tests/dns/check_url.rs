//! A URL of each colour: the idle one responds at its own load balancer before it gets traffic.

use behaviour::{ends, newest, pair, push};
use emulator::{Aws, elb};
use harness::demo::dns::{self, SITE, weights};
use harness::driver::{Fault, run};
use serde_json::json;

use super::{PIPELINE, failed, site, target};

/// The site, whose pipeline requests `/up` of these hosts for blue and green.
fn checking(hosts: [&str; 2]) -> Aws {
    let mut aws = site(&[("Shift", "all-at-once"), ("BakeMinutes", "0")]);
    let [blue, green] = hosts.map(|host| format!("http://{host}/up"));
    let urls = [
        ("BlueCheckUrl", blue.as_str()),
        ("GreenCheckUrl", green.as_str()),
    ];
    pair::update(&mut aws, "site-pipeline", &urls);
    aws
}

/// The load balancer of a colour has no page `/up`.
fn refuse(aws: &mut Aws, colour: &str) {
    let name = target(aws, colour);
    let mut balancers = aws.elb.load_balancers.values();
    let balancer = balancers.find(|it| it.dns_name == name);
    let balancer = balancer.expect("it is there").arn.clone();
    let mut listeners = aws.elb.listeners.values();
    let listener = listeners.find(|it| it.load_balancer_arn == balancer);

    let refusal = json!({
        "ListenerArn": listener.expect("it is there").arn, "Priority": 1,
        "Conditions": [{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/up"]}}],
        "Actions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}],
    });
    elb::create_rule(aws, &refusal).expect("the priority is free");
}

#[test]
fn the_idle_colour_must_respond_at_its_own_load_balancer() {
    let [blue, green] = ["blue", "green"].map(|colour| target(&site(&[]), colour));
    let mut aws = checking([&blue, &green]);
    refuse(&mut aws, "blue");

    run(aws, Fault::None, async |driver| {
        let pushed = push(&driver, SITE, "1.0.0");
        ends(&driver, PIPELINE, &pushed, "deployed").await;
        {
            let aws = driver.world.aws();
            let check = newest(&aws, PIPELINE).latest_action("Release", "check");
            let summary = check.and_then(|check| check.summary.as_deref());
            let found = summary.unwrap_or_default();
            assert!(found.starts_with("OK url: status 200"), "{found}");
            assert_eq!(weights(&aws), [0, 100]);
        }

        let pushed = push(&driver, SITE, "1.1.0");
        let why = failed(&driver, &pushed, "check").await;
        assert!(why.starts_with("NG url: found status 404"), "{why}");
        assert_eq!(weights(&driver.world.aws()), [0, 100]);
    });
}

#[test]
fn a_url_that_leads_to_the_live_colour_is_refused() {
    let [blue, green] = ["blue", "green"].map(|colour| target(&site(&[]), colour));
    for (of_green, what) in [
        (dns::NAME, "the name of the records"),
        (blue.as_str(), "the load balancer of blue"),
    ] {
        let aws = checking([&green, of_green]);
        run(aws, Fault::None, async |driver| {
            let pushed = push(&driver, SITE, "1.0.0");
            let why = failed(&driver, &pushed, "check").await;
            let expected = format!(
                "`http_checks[0].green_url` is given; expected URLs of load balancers, and found \
                 for green `{of_green}`, {what}"
            );
            assert_eq!(why, expected);
        });
    }
}
