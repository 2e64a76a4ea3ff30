//! A pair behind two weighted records: a stack for each of its services, with a load balancer of
//! its own, one for the records that lead to both, and what its pipeline gets of them.

use std::fmt;

use serde_json::json;

use super::Shape;
use super::account::stack;
use super::parameters::Parameters;
use emulator::{Aws, ecr, route53};
use harness::demo::dns::BALANCER_ZONE;
use harness::demo::{WEB, task_roles};

/// The domain of the zone, and the name by which clients reach the pair.
const DOMAIN: &str = "example.com";
pub(super) const NAME: &str = "web.example.com";
/// The stack of both records.
const STACK: &str = "web-records";

/// What the two records of a pair are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawnRecords {
    /// Aliases of the load balancers, whose answers are kept for a minute.
    Aliases,
    /// CNAME records, whose answers are kept for this many seconds.
    Cnames(u32),
}

impl DrawnRecords {
    pub(super) fn draw(rng: &mut fastrand::Rng) -> Self {
        if rng.u8(..3) == 0 {
            Self::Aliases
        } else {
            Self::Cnames([30, 60, 120][rng.usize(..3)])
        }
    }

    /// A word for it, for counting.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aliases => "aliases",
            Self::Cnames(_) => "CNAME records",
        }
    }

    /// Makes what the stacks expect to be there.
    pub(super) fn prepare(aws: &mut Aws) -> Result<(), String> {
        ecr::call(aws, "CreateRepository", &json!({"repositoryName": WEB}))
            .map_err(|e| e.to_string())?;
        route53::create_zone(aws, DOMAIN, None);
        Ok(())
    }

    /// Deploys the stacks of services and records, or updates them: then both records have the
    /// weights of their template again.
    pub(super) fn update_stacks(self, shape: &Shape, aws: &mut Aws) -> Result<(), String> {
        for service in services() {
            let mut parameters = shape.service_parameters(&service);
            parameters.push(("RepositoryName", WEB.to_owned()));
            stack(aws, &service, "infra/service.yaml", &parameters)?;
        }

        let [blue, green] = services().map(|service| {
            let export = format!("{service}-LoadBalancerDnsName");
            let name = aws.cloudformation.export(&export).map(ToOwned::to_owned);
            name.ok_or_else(|| format!("no stack exports {export}"))
        });
        let zone = zone(aws).ok_or("there is no zone")?;
        let mut parameters = vec![
            ("HostedZoneId", zone),
            ("Name", NAME.to_owned()),
            ("BlueDnsName", blue?),
            ("GreenDnsName", green?),
            ("Comment", format!("at {}", aws.now)),
        ];
        parameters.push(match self {
            Self::Aliases => ("BalancerZoneId", BALANCER_ZONE.to_owned()),
            Self::Cnames(secs) => ("Ttl", secs.to_string()),
        });
        let template = "tests/sandbox/examples/dns/records.yaml";
        stack(aws, STACK, template, &parameters)
    }

    /// What the pipeline of such a pair gets in place of a rule.
    pub(super) fn of_pipeline(self, aws: &Aws) -> Result<Parameters, String> {
        let [blue, green] = services().map(|service| task_roles(aws, &service));
        let kind = match self {
            Self::Aliases => "A",
            Self::Cnames(_) => "CNAME",
        };
        Ok(vec![
            ("TaskRoleArns", format!("{},{}", blue?, green?)),
            ("HostedZoneId", zone(aws).ok_or("there is no zone")?),
            ("RecordName", NAME.to_owned()),
            ("RecordType", kind.to_owned()),
        ])
    }
}

impl fmt::Display for DrawnRecords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_str())?;
        match self {
            Self::Aliases => Ok(()),
            Self::Cnames(secs) => write!(f, " ({secs} s)"),
        }
    }
}

/// The services of the pair, blue first.
pub(super) fn services() -> [String; 2] {
    ["blue", "green"].map(|colour| format!("{WEB}-{colour}"))
}

/// The id of the hosted zone, where a pair is behind records.
pub(crate) fn zone(aws: &Aws) -> Option<String> {
    aws.route53.zones().next().map(|zone| zone.id.clone())
}
