use super::*;
use crate::{cloudwatch, traffic};

const RATE: f64 = 100.0;

/// Two balancers of which `blue` has all of the weight, and clients that come by their name.
struct ClientBench {
    aws: Aws,
    zone: String,
    names: [String; 2],
    arns: [String; 2],
}

impl ClientBench {
    /// The records have this TTL. Whether some clients are late is settled.
    fn new(ttl: i64, late: Option<Quirk>) -> Self {
        let (mut aws, zone) = world();
        for quirk in [Quirk::IgnoresTtl, Quirk::KeepsConnections] {
            aws.settle_quirk(quirk, late == Some(quirk));
        }
        let [blue, green] = ["blue", "green"].map(|name| balancer(&mut aws, name, true));
        let mut world = Self {
            aws,
            zone,
            names: [blue.dns_name, green.dns_name],
            arns: [blue.arn, green.arn],
        };
        world.weigh(1, 0, ttl);
        world.pass(60);
        traffic::set_name(&mut world.aws, NAME, RATE);
        world
    }

    fn weigh(&mut self, blue: i64, green: i64, ttl: i64) {
        let changes = [
            weighted("UPSERT", "blue", blue, ttl, &self.names[0]),
            weighted("UPSERT", "green", green, ttl, &self.names[1]),
        ];
        self.pass(10);
        let path = format!("hostedzone/{}/rrset/", self.zone);
        let (status, body) = send(&mut self.aws, "POST", &path, &batch(&changes.concat()));
        assert_eq!(status, 200, "{body}");
    }

    fn pass(&mut self, seconds: i64) {
        self.aws.now += seconds * 1000;
        self.aws.run_due();
    }

    /// The requests that CloudWatch has of the target group of a balancer in the 8 minutes from
    /// the first one that begins at this instant or later.
    fn counted(&mut self, name: &str, arn: &str, from: i64) -> f64 {
        let mut groups = self.aws.elb.target_groups.values();
        let group = groups.find(|group| group.name == name).unwrap();
        let (_, group) = group.arn.rsplit_once(':').unwrap();
        let (_, balancer) = arn.split_once(":loadbalancer/").unwrap();
        let dimensions = [("TargetGroup", group), ("LoadBalancer", balancer)]
            .map(|(name, value)| json!({"Name": name, "Value": value}));
        let metric = json!({
            "Namespace": "AWS/ApplicationELB", "MetricName": "RequestCount",
            "Dimensions": dimensions,
        });

        let start = (from + 59_999) / 60_000 * 60;
        let request = json!({
            "MetricDataQueries": [
                {"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}},
            ],
            "StartTime": start, "EndTime": start + 8 * 60,
        });
        let answer = cloudwatch::call(&mut self.aws, "GetMetricData", &request).unwrap();
        let values = answer["MetricDataResults"][0]["Values"].as_array().unwrap();
        values.iter().map(|value| value.as_f64().unwrap()).sum()
    }

    /// The part of the clients that goes to `blue`.
    fn on_blue(&self) -> f64 {
        let all = traffic::balancers_of(&self.aws, NAME);
        let sum: f64 = all.values().sum();
        assert!((sum - 1.0).abs() < 1e-9, "{all:?}");
        all.get(&self.arns[0]).copied().unwrap_or(0.0)
    }
}

#[test]
fn clients_follow_a_change_while_their_answers_become_old() {
    for ttl in [60, 300] {
        let mut world = ClientBench::new(ttl, None);
        assert_eq!(world.on_blue().round(), 1.0);
        world.weigh(0, 1, ttl);

        let mut before = world.on_blue();
        let mut steps = 0;
        for _ in 0..ttl + 60 {
            world.pass(1);
            let now = world.on_blue();
            assert!(now <= before + 1e-9, "no client goes back to blue");
            steps += usize::from(now < before);
            before = now;
        }
        assert!(
            world.on_blue() < 1e-9,
            "the TTL after it is INSYNC all have left"
        );
        assert!(steps >= 4, "they leave one part after the other: {steps}");
    }
}

#[test]
fn requests_go_to_the_default_action_of_the_balancer_of_the_answer() {
    let mut world = ClientBench::new(60, None);
    world.pass(100);
    let served = |world: &ClientBench, name: &str| {
        let all = traffic::served(&world.aws);
        all.get(&format!("{name}:80")).copied().unwrap_or(0.0)
    };
    let both = |world: &ClientBench| [served(world, "blue"), served(world, "green")];
    assert_eq!(both(&world).map(f64::round), [10_000.0, 0.0]);

    world.weigh(1, 3, 60);
    world.pass(180);
    let before = both(&world);
    world.pass(100);
    let after = both(&world);
    let more = [after[0] - before[0], after[1] - before[1]];
    assert_eq!(more.map(f64::round), [2500.0, 7500.0]);
    assert_eq!(traffic::failed(&world.aws), 0.0);

    traffic::set_name(&mut world.aws, NAME, 0.0);
    assert!(!traffic::flows(&world.aws));
}

#[test]
fn some_clients_stay_longer_than_the_ttl_or_none() {
    for late in [Quirk::IgnoresTtl, Quirk::KeepsConnections] {
        let mut world = ClientBench::new(60, Some(late));
        world.pass(3600);
        world.weigh(0, 1, 60);
        world.pass(121);
        let still = world.on_blue();
        assert!(still < 0.06, "{late:?}: {still}");
        world.pass(3700);
        assert!(world.on_blue() < 1e-9, "{late:?}");

        let stays = (0..20).any(|seed| {
            let mut world = ClientBench::new(60, Some(late));
            world.aws.rng = fastrand::Rng::with_seed(seed);
            world.pass(600);
            world.weigh(0, 1, 60);
            world.pass(121);
            world.on_blue() > 0.01
        });
        assert!(stays, "{late:?}");
    }
}

#[test]
fn each_balancer_counts_the_requests_of_the_clients_that_are_at_it() {
    let staying = (0..20).find_map(|seed| {
        let mut world = ClientBench::new(60, Some(Quirk::KeepsConnections));
        world.aws.rng = fastrand::Rng::with_seed(seed);
        world.pass(600);
        world.weigh(0, 1, 60);
        world.pass(121);
        let from = world.aws.now;
        world.pass(600);
        (world.on_blue() > 0.01).then_some((world, from))
    });
    let (mut world, from) = staying.expect("some keep a connection for ten minutes");
    world.pass(2_400);

    let [blue, green] = world.arns.clone();
    let of_blue = world.counted("blue", &blue, from);
    let of_green = world.counted("green", &green, from);
    assert!((2_150.0..2_650.0).contains(&of_blue), "{of_blue}");
    assert!((44_500.0..46_700.0).contains(&of_green), "{of_green}");
}

#[test]
fn requests_to_a_name_that_leads_nowhere_fail() {
    let mut aws = Aws::new(1);
    create_zone(&mut aws, "example.com", None);
    traffic::set_name(&mut aws, NAME, 10.0);
    aws.now += 10_000;
    assert_eq!(traffic::failed(&aws), 100.0);
    assert_eq!(traffic::rules(&aws).count(), 0);
}
