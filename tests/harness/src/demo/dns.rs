//! The pipeline of records, end to end: a site of two services, each behind a load balancer of its
//! own, to which two weighted records of one name lead.

use std::collections::BTreeMap;

use serde_json::json;
use slipway::release::Outcome;

use super::stacks::{CLUSTER, exported, root, stack, task_roles};
use super::{CHAPTER_LIMIT, Chapter, Image, Operator, deployed, nothing_denied, steady_and_ended};
use crate::driver::{Fault, run};
use emulator::ecr::{self, Behaviour};
use emulator::{Aws, Millis, ecs, route53, traffic};

/// The pair, its repository and its pipeline.
pub const SITE: &str = "site";
/// The name by which clients reach it.
pub const NAME: &str = "site.example.com";
/// The stack of both records.
pub const RECORDS: &str = "site-records";
/// The zone of the load balancers of the first region, for aliases.
pub const BALANCER_ZONE: &str = "Z32O12XQLNTSW2";

/// How many requests per second come by the name: as many as one task serves at half of its
/// strength.
const REQUESTS_PER_SECOND: f64 = 50.0;

/// How long a client may stay with a balancer after its last query: a connection is kept for an
/// hour after the TTL of a minute.
const LATEST_CLIENT: Millis = 62 * 60_000;

/// The chapters, in order.
pub const CHAPTERS: [Chapter; 3] = [
    Chapter {
        title: "the site's first release, by DNS",
        application: SITE,
        tag: "1.0.0",
        image: Image::New(Behaviour::Healthy),
        operator: Operator::Watches,
        outcome: Outcome::Deployed,
        reason: "2 targets healthy",
    },
    Chapter {
        title: "a new version, in steps",
        application: SITE,
        tag: "1.1.0",
        image: Image::New(Behaviour::Healthy),
        operator: Operator::Watches,
        outcome: Outcome::Deployed,
        reason: "it ran site-green:",
    },
    Chapter {
        title: "one that fails under its first traffic",
        application: SITE,
        tag: "1.2.0",
        image: Image::New(Behaviour::FailsUnderTraffic),
        operator: Operator::Watches,
        outcome: Outcome::RolledBack,
        reason: "traffic restored to blue 100 / green 0",
    },
];

/// The demo's account with the site, whose blue service has all requests, and its pipeline.
/// `changes` are parameters of the pipeline, `of_records` those of both records.
///
/// # Errors
/// What a template refused, or what did not become steady.
pub fn opened(
    seed: u64,
    changes: &[(&str, &str)],
    of_records: &[(&str, &str)],
) -> Result<Aws, String> {
    opened_in(deployed(seed)?, changes, of_records)
}

/// The same in an account that is deployed.
///
/// # Errors
/// As [`opened`].
pub fn opened_in(
    mut aws: Aws,
    changes: &[(&str, &str)],
    of_records: &[(&str, &str)],
) -> Result<Aws, String> {
    deploy_site(&mut aws, changes, of_records)?;
    let mut aws = steady_and_ended(aws)?;
    traffic::set_name(&mut aws, NAME, REQUESTS_PER_SECOND);
    Ok(aws)
}

/// Lets time pass until all clients have come to the live colour. Before that, some send requests
/// to the colour that is filled next.
///
/// # Errors
/// What was denied meanwhile.
pub fn all_follow(aws: Aws) -> Result<Aws, String> {
    run(aws, Fault::None, async |driver| {
        let until = driver.world.clock.now() + LATEST_CLIENT;
        let is_over = |aws: &Aws| aws.now >= until;
        driver
            .until(CHAPTER_LIMIT, &mut nothing_denied, is_over)
            .await?;
        Ok(driver.world.snapshot())
    })
}

/// The weights of blue and green in both records.
#[must_use]
pub fn weights(aws: &Aws) -> [i64; 2] {
    let zone = aws.route53.zones().find(|zone| zone.name == "example.com.");
    ["blue", "green"].map(|identifier| {
        let mut records = zone.iter().flat_map(|zone| zone.records());
        let found = records.find(|it| it.set_identifier.as_deref() == Some(identifier));
        found.and_then(|record| record.weight).unwrap_or_default()
    })
}

/// Deploys services, records and pipeline.
///
/// # Errors
/// What a template or a service refused.
pub fn deploy_site(
    aws: &mut Aws,
    changes: &[(&str, &str)],
    of_records: &[(&str, &str)],
) -> Result<(), String> {
    ecr::call(aws, "CreateRepository", &json!({"repositoryName": SITE}))
        .map_err(|e| e.to_string())?;
    for (name, count) in [("site-blue", 2), ("site-green", 0)] {
        let service = [
            ("Name", name),
            ("Cluster", CLUSTER),
            ("VpcId", "vpc-0a1b2c3d"),
            ("Subnets", "subnet-0a1b2c3d,subnet-1b2c3d4e"),
            ("RepositoryName", SITE),
        ];
        stack(aws, name, &root().join("infra/service.yaml"), &service)?;
        let sized = json!({"cluster": CLUSTER, "service": name, "desiredCount": count});
        ecs::call(aws, "UpdateService", &sized).map_err(|e| e.to_string())?;
    }

    let zone = route53::create_zone(aws, "example.com", None);
    let [blue, green] = ["blue", "green"]
        .map(|colour| exported(aws, &format!("site-{colour}-LoadBalancerDnsName")));
    let (blue, green) = (blue?, green?);
    let records = [
        ("HostedZoneId", zone.as_str()),
        ("Name", NAME),
        ("BlueDnsName", blue.as_str()),
        ("GreenDnsName", green.as_str()),
    ];
    let template = root().join("tests/sandbox/examples/dns/records.yaml");
    stack(aws, RECORDS, &template, &with(&records, of_records))?;
    deploy_pipeline(aws, &zone, changes)
}

fn deploy_pipeline(aws: &mut Aws, zone: &str, changes: &[(&str, &str)]) -> Result<(), String> {
    let roles = [
        task_roles(aws, "site-blue")?,
        task_roles(aws, "site-green")?,
    ]
    .join(",");
    let pipeline = [
        ("PipelineName", "slipway-site"),
        ("Cluster", CLUSTER),
        ("Service", SITE),
        ("HostedZoneId", zone),
        ("RecordName", NAME),
        ("RecordType", "CNAME"),
        ("Repository", SITE),
        ("ContainerName", "web"),
        ("TaskRoleArns", roles.as_str()),
        ("Shift", "listed"),
        ("Steps", "20,100"),
        ("StepMinutes", "2"),
        ("BakeMinutes", "5"),
        ("DrainMinutes", "1"),
    ];
    let template = root().join("infra/pipelines/dns.yaml");
    stack(aws, "site-pipeline", &template, &with(&pipeline, changes))
}

/// Parameters, with others in their place.
fn with<'a>(own: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let all: BTreeMap<&str, &str> = own.iter().chain(changes).copied().collect();
    all.into_iter().collect()
}
