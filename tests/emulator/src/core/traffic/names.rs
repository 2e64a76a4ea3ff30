//! Clients that use a name of Route 53. Each queries its resolver, connects to the balancer in the
//! DNS answer, and queries again when the answer has expired.
//!
//! The clients are modelled in parts that query at the same instants, each on the agenda. A part of
//! them gets the answers by their shares. Two parts can stay longer: those whose resolvers ignore
//! the TTL, and those whose connections stay open.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::set_all;
use crate::route53::{self, DnsAnswers};
use crate::{Aws, Event, Millis, Quirk};

/// How many parts of the clients query when the TTL is over, at different instants.
const PUNCTUAL: usize = 4;

/// The parts of clients that can be late. Not measured.
const IGNORE_TTL: f64 = 0.03;
const KEEP_CONNECTIONS: f64 = 0.05;

/// How long a resolver that ignores the TTL keeps an answer beyond it, in milliseconds. Not
/// measured.
const LONGEST_BEYOND_TTL: Millis = 300_000;

/// How long a balancer keeps a client's connection unless its attribute has another value, in
/// seconds. Source:
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html>
const KEEP_ALIVE_SECS: Millis = 3600;

/// A part of the clients of a name.
#[derive(Clone, Debug)]
struct ClientGroup {
    share: f64,
    /// What makes these clients late, if it does.
    late: Option<Quirk>,
    answers: DnsAnswers,
}

/// The clients of a name.
#[derive(Clone, Debug)]
pub(super) struct Clients {
    /// Requests per second.
    rate: f64,
    parts: Vec<ClientGroup>,
}

/// A part of the clients of a name queries its resolvers again.
#[derive(Clone, Debug)]
struct Ask {
    name: String,
    part: usize,
}

impl Event for Ask {
    fn run(&self, aws: &mut Aws) {
        let answers = route53::answers(aws, &self.name);
        let clients = aws.traffic.names.get_mut(&self.name);
        let Some(part) = clients.and_then(|clients| clients.parts.get_mut(self.part)) else {
            return;
        };

        part.answers = answers.clone();
        let late = part.late;
        let after = keeps(aws, &answers, late);
        aws.schedule(Duration::from_millis(after.unsigned_abs()), self.clone());
        direct(aws);
    }
}

/// From now on, this many requests per second come by a name of Route 53.
pub fn set_name(aws: &mut Aws, name: &str, requests_per_second: f64) {
    let name = route53::normalized(name);
    if !aws.traffic.names.contains_key(&name) {
        begin(aws, &name);
    }
    if let Some(clients) = aws.traffic.names.get_mut(&name) {
        clients.rate = requests_per_second;
    }
    direct(aws);
}

/// Which part of the clients of a name goes to which balancer now, by its ARN.
pub fn balancers_of(aws: &Aws, name: &str) -> BTreeMap<String, f64> {
    let mut all = BTreeMap::new();
    let clients = aws.traffic.names.get(&route53::normalized(name));
    for part in clients.iter().flat_map(|clients| &clients.parts) {
        for (balancer, share) in &part.answers.balancers {
            *all.entry(balancer.clone()).or_default() += part.share * share;
        }
    }
    all
}

/// All clients have queried before: their answers expire one part after the other.
fn begin(aws: &mut Aws, name: &str) {
    let answers = route53::answers(aws, name);
    let punctual = (1.0 - IGNORE_TTL - KEEP_CONNECTIONS) / PUNCTUAL as f64;
    let shares = std::iter::repeat_n((punctual, None), PUNCTUAL).chain([
        (IGNORE_TTL, Some(Quirk::IgnoresTtl)),
        (KEEP_CONNECTIONS, Some(Quirk::KeepsConnections)),
    ]);
    let parts: Vec<ClientGroup> = shares
        .map(|(share, late)| ClientGroup {
            share,
            late,
            answers: answers.clone(),
        })
        .collect();

    let count = parts.len() as Millis;
    for part in 0..parts.len() {
        let name = name.to_owned();
        let after = answers.ttl.max(1000) * (part as Millis + 1) / count;
        let after = Duration::from_millis(after.unsigned_abs());
        aws.schedule(after, Ask { name, part });
    }
    let clients = Clients { rate: 0.0, parts };
    aws.traffic.names.insert(name.to_owned(), clients);
}

/// For how many milliseconds a part of the clients keeps the answers that it has just got.
fn keeps(aws: &mut Aws, answers: &DnsAnswers, late: Option<Quirk>) -> Millis {
    let ttl = answers.ttl.max(1000);
    let Some(quirk) = late.filter(|quirk| aws.draw_quirk(*quirk)) else {
        return ttl;
    };

    let longest = match quirk {
        Quirk::KeepsConnections => {
            let balancers = answers.balancers.keys();
            balancers.map(|it| keep_alive(aws, it)).max().unwrap_or(0)
        }
        _ => LONGEST_BEYOND_TTL,
    };
    ttl + aws.rng.i64(0..=longest)
}

/// How long a balancer keeps a client's connection, in milliseconds.
fn keep_alive(aws: &Aws, balancer: &str) -> Millis {
    let properties = aws
        .elb
        .load_balancers
        .get(balancer)
        .map(|it| &it.properties);
    let attributes = properties.and_then(|all| all.get("LoadBalancerAttributes")?.as_array());
    let mut attributes = attributes.into_iter().flatten();
    let own = attributes.find(|attribute| attribute["Key"] == "client_keep_alive.seconds");
    let secs = own.and_then(|attribute| attribute["Value"].as_str()?.parse().ok());
    secs.unwrap_or(KEEP_ALIVE_SECS) * 1000
}

/// Sends the requests that come by names where the clients are.
fn direct(aws: &mut Aws) {
    let none = aws.traffic.by_name.iter().map(|arn| (arn.clone(), 0.0));
    let mut rates: BTreeMap<String, f64> = none.collect();
    for (name, clients) in &aws.traffic.names {
        let mut rest = clients.rate;
        for (balancer, share) in balancers_of(aws, name) {
            let rate = clients.rate * share;
            rest -= rate;
            let load = listener_of(aws, &balancer).unwrap_or(name);
            *rates.entry(load.to_owned()).or_default() += rate;
        }
        // What is left of a sum of shares is not a request.
        if rest > clients.rate * 1e-9 {
            *rates.entry(name.clone()).or_default() += rest;
        }
    }

    let loads = &aws.traffic.loads;
    let present = |arn: &String| loads.get(arn).map_or(0.0, |load| load.rate);
    if rates.iter().all(|(arn, rate)| present(arn) == *rate) {
        return;
    }
    aws.traffic.by_name = rates.keys().cloned().collect();
    set_all(aws, rates);
}

/// The listener of a balancer to which clients come: that of HTTPS, else that with the lowest port.
fn listener_of<'a>(aws: &'a Aws, balancer: &str) -> Option<&'a str> {
    let port = |port: Option<&Value>| {
        let port = port?;
        port.as_i64().or_else(|| port.as_str()?.parse().ok())
    };
    let own = aws
        .elb
        .listeners
        .values()
        .filter(|listener| listener.load_balancer_arn == balancer);
    let first = own.min_by_key(|listener| {
        let port = port(listener.properties.get("Port"));
        (port != Some(443), port)
    });
    first.map(|listener| listener.arn.as_str())
}
