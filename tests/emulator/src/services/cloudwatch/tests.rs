//! The metrics of a pair of target groups behind one listener, and everything that CloudWatch
//! answers about them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::ecr::{self, Answers, Behaviour, Profile};
use crate::{Millis, ecs, elb, traffic};

mod alarms;
mod answers;
mod api;
mod arrivals;
mod failures;
mod sdk;
mod variation;
mod weightless;
mod zones;

const MINUTE: Millis = 60_000;

/// Two services of one cluster, `blue` and `green`, each with two tasks and a target group of its
/// own.
pub(super) struct MetricBench {
    pub(super) aws: Aws,
    pub(super) listener: String,
    /// When requests began.
    pub(super) start: Millis,
}

/// Points by the number of their minute since the requests began.
type Points = BTreeMap<i64, f64>;

impl MetricBench {
    /// Both colours get `rates` requests a second; they respond as in their profiles.
    pub(super) fn new(seed: u64, blue: Profile, green: Profile, rates: (u32, u32)) -> Self {
        let mut aws = Aws::new(seed);
        ecr::call(
            &mut aws,
            "CreateRepository",
            &json!({"repositoryName": "web"}),
        )
        .unwrap();
        ecs::call(&mut aws, "CreateCluster", &json!({"clusterName": "main"})).unwrap();

        let balancer = elb::create_load_balancer(&mut aws, &json!({"Name": "web"})).unwrap();
        let groups = ["blue", "green"].map(|name| target_group(&mut aws, name));
        let listener = listener(&mut aws, &balancer["Arn"], &groups, rates);
        let mut world = Self {
            aws,
            listener,
            start: 0,
        };
        world.serve("blue", blue, &groups[0]);
        world.serve("green", green, &groups[1]);
        world.pass(600);

        assert_eq!(
            groups
                .each_ref()
                .map(|group| world.aws.elb.healthy_count(group, world.aws.now)),
            [2, 2]
        );

        world.start = world.aws.now;
        assert_eq!(world.start % MINUTE, 0);

        traffic::set(
            &mut world.aws,
            &world.listener.clone(),
            f64::from(rates.0 + rates.1),
        );
        world
    }

    pub(super) fn good(seed: u64) -> Self {
        Self::new(seed, Profile::default(), Profile::default(), (90, 10))
    }

    fn serve(&mut self, colour: &str, profile: Profile, group: &str) {
        let aws = &mut self.aws;
        let digest = ecr::push_with(aws, "web", colour, Behaviour::Healthy, profile).unwrap();
        let image = format!("111122223333.dkr.ecr.eu-west-1.amazonaws.com/web@{digest}");
        let definition = json!({
            "family": colour,
            "executionRoleArn": "arn:aws:iam::111122223333:role/execution",
            "networkMode": "awsvpc", "cpu": "256", "memory": "512",
            "requiresCompatibilities": ["FARGATE"],
            "containerDefinitions": [
                {"name": "app", "image": image, "portMappings": [{"containerPort": 80}]},
            ],
        });
        ecs::call(aws, "RegisterTaskDefinition", &definition).unwrap();

        let service = json!({
            "cluster": "main", "serviceName": colour, "taskDefinition": colour, "desiredCount": 2,
            "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}},
            "loadBalancers": [
                {"targetGroupArn": group, "containerName": "app", "containerPort": 80},
            ],
        });
        ecs::call(aws, "CreateService", &service).unwrap();
    }

    pub(super) fn pass(&mut self, seconds: i64) {
        for _ in 0..seconds {
            self.aws.now += 1000;
            self.aws.run_due();
        }
    }

    /// Goes on until everything of the first minutes has arrived that ever will.
    pub(super) fn minutes(&mut self, minutes: i64) {
        self.aws.now = self.start + (minutes + 30) * MINUTE;
        self.aws.run_due();
    }

    pub(super) fn group(&self, name: &str) -> String {
        self.aws
            .elb
            .target_groups
            .values()
            .find(|group| group.name == name)
            .unwrap()
            .arn
            .clone()
    }

    pub(super) fn balancer(&self) -> String {
        minute::balancer_of(&self.listener).unwrap().to_owned()
    }

    /// The metric of a colour, or of the balancer.
    pub(super) fn metric(&self, colour: Option<&str>, name: &str) -> Value {
        let mut dimensions = vec![json!({"Name": "LoadBalancer", "Value": self.balancer()})];
        if let Some(colour) = colour {
            let group = self.group(colour);
            dimensions
                .push(json!({"Name": "TargetGroup", "Value": group.rsplit_once(':').unwrap().1}));
        }
        json!({"Namespace": "AWS/ApplicationELB", "MetricName": name, "Dimensions": dimensions})
    }

    pub(super) fn query(&self, id: &str, colour: Option<&str>, name: &str, stat: &str) -> Value {
        json!({
            "Id": id,
            "MetricStat": {"Metric": self.metric(colour, name), "Period": 60, "Stat": stat},
        })
    }

    /// A request about the first minutes.
    pub(super) fn request(&self, minutes: i64, queries: Vec<Value>) -> Value {
        json!({
            "MetricDataQueries": queries, "StartTime": self.start / 1000,
            "EndTime": (self.start + minutes * MINUTE) / 1000,
        })
    }

    pub(super) fn ask(&mut self, request: &Value) -> Value {
        cbor::plain(&call(&mut self.aws, "GetMetricData", request).unwrap())
    }

    /// The visible points of a metric in the first minutes.
    pub(super) fn points(
        &mut self,
        minutes: i64,
        colour: Option<&str>,
        name: &str,
        stat: &str,
    ) -> Points {
        let request = self.request(minutes, vec![self.query("q", colour, name, stat)]);
        let answer = self.ask(&request);
        points(&answer["MetricDataResults"][0], self.start)
    }

    pub(super) fn total(
        &mut self,
        minutes: i64,
        colour: Option<&str>,
        name: &str,
        stat: &str,
    ) -> f64 {
        self.points(minutes, colour, name, stat).values().sum()
    }
}

fn target_group(aws: &mut Aws, name: &str) -> String {
    let group = json!({
        "Name": name, "TargetType": "ip", "Port": 80, "HealthCheckIntervalSeconds": 10,
    });
    text(&elb::create_target_group(aws, &group).unwrap()["Arn"])
}

/// A listener that splits requests by `rates`, with a rule of its own for each group.
fn listener(
    aws: &mut Aws,
    balancer: &Value,
    groups: &[String; 2],
    (blue, green): (u32, u32),
) -> String {
    let forward: Value = groups
        .iter()
        .zip([blue, green])
        .map(|(arn, rate)| json!({"TargetGroupArn": arn, "Weight": rate.min(999)}))
        .collect();
    let actions = json!([{"Type": "forward", "ForwardConfig": {"TargetGroups": forward}}]);
    let listener = json!({"LoadBalancerArn": balancer, "Port": 80, "DefaultActions": actions});
    let listener = text(&elb::create_listener(aws, &listener).unwrap()["Arn"]);

    for (priority, group) in (1..).zip(groups) {
        let actions = json!([{"Type": "forward", "TargetGroupArn": group}]);
        let rule = json!({
            "ListenerArn": listener, "Priority": priority, "Conditions": [], "Actions": actions,
        });
        elb::create_rule(aws, &rule).unwrap();
    }
    listener
}

pub(super) fn points(result: &Value, start: Millis) -> Points {
    let (times, values) = (
        result["Timestamps"].as_array().unwrap(),
        result["Values"].as_array().unwrap(),
    );
    assert_eq!(times.len(), values.len());

    let minute = |time: &Value| ((time.as_f64().unwrap() * 1000.0) as Millis - start) / MINUTE;
    times
        .iter()
        .map(minute)
        .zip(values.iter().map(|value| value.as_f64().unwrap()))
        .collect()
}

pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The error that an operation returns, as text.
pub(super) fn refused(world: &mut MetricBench, operation: &str, input: &Value) -> String {
    call(&mut world.aws, operation, input)
        .unwrap_err()
        .to_string()
}
