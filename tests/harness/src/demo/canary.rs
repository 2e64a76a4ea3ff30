//! The canary pipeline, end to end: the shop gets requests for an hour, then images that answer in
//! different ways, and each release must end according to its metrics.

use std::collections::BTreeMap;
use std::time::Duration;

use slipway::release::Outcome;

use super::stacks::{CLUSTER, SHOP, exported, root, scalable_targets, task_roles};
use super::{Chapter, Image, Operator, deployed, play};
use crate::driver::{Driver, Fault, run};
use emulator::cloudformation::deploy;
use emulator::ecr::{Answers, Behaviour, Profile};
use emulator::traffic::{self, Incident};
use emulator::{Aws, Millis};

const MINUTE: Millis = 60_000;

/// How long requests come before the first image is judged: what the judge measures before the
/// bake.
const BEFORE: Duration = Duration::from_secs(61 * 60);

/// One image and how its release must end.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub title: &'static str,
    pub tag: &'static str,
    pub answers: Answers,
    pub requests_per_second: f64,
    /// From this many minutes after the push, for this many minutes, both colours respond worse.
    pub incident: Option<(i64, i64)>,
    pub outcome: Outcome,
    /// What the reason must contain.
    pub reason: &'static str,
}

/// The cases, in order.
pub const CASES: [Case; 5] = [
    Case {
        title: "a good image",
        tag: "2.0.0",
        answers: Answers::GOOD,
        requests_per_second: 1_000.0,
        incident: None,
        outcome: Outcome::Deployed,
        reason: "2 targets healthy",
    },
    Case {
        title: "one that fails 1 % of its requests",
        tag: "2.1.0",
        answers: Answers {
            errors: 0.01,
            ..Answers::GOOD
        },
        requests_per_second: 1_000.0,
        incident: None,
        outcome: Outcome::RolledBack,
        reason: "certain at 1 in 200",
    },
    Case {
        title: "one that is 25 % slower",
        tag: "2.2.0",
        answers: Answers {
            median_ms: 62.5,
            p99_ms: 375.0,
            ..Answers::GOOD
        },
        requests_per_second: 1_000.0,
        incident: None,
        outcome: Outcome::RolledBack,
        reason: "slower than",
    },
    Case {
        title: "one without traffic",
        tag: "2.3.0",
        answers: Answers::GOOD,
        requests_per_second: 0.0,
        incident: None,
        outcome: Outcome::Held,
        reason: "no request to the new colour",
    },
    Case {
        title: "an incident of both colours",
        tag: "2.4.0",
        answers: Answers::GOOD,
        requests_per_second: 1_000.0,
        incident: Some((8, 20)),
        outcome: Outcome::Deployed,
        reason: "2 targets healthy",
    },
];

/// The shop with a canary pipeline of these parameters, released once and under load for an hour.
///
/// # Errors
/// What a template refused, or what did not become steady.
pub fn opened(seed: u64, changes: &[(&str, &str)]) -> Result<Aws, String> {
    let first = Chapter {
        title: "the shop's first release",
        application: SHOP,
        tag: "1.0.0",
        image: Image::New(Behaviour::Healthy),
        operator: Operator::Watches,
        outcome: Outcome::Deployed,
        reason: "2 targets healthy",
    };
    let mut aws = play(deployed(seed)?, &first, Fault::None, &mut |_| {})?.aws;
    ask(&mut aws, 1_000.0)?;

    run(aws, Fault::None, async |driver| {
        pass(&driver, BEFORE).await;
        let mut aws = driver.world.snapshot();
        become_canary(&mut aws, changes)?;
        Ok(aws)
    })
}

/// From now on, this many requests per second come to the shop, each of whose tasks serves twice as
/// many as come in the beginning.
///
/// # Errors
/// That there is no shop.
pub fn ask(aws: &mut Aws, requests_per_second: f64) -> Result<(), String> {
    let rule = exported(aws, "shop-ProductionRuleArn")?;
    aws.traffic.requests_per_task = 2_000.0;
    traffic::set(aws, &rule, requests_per_second);

    Ok(())
}

/// Lets this much time pass, and what runs then end: an account without its driver ends nothing.
async fn pass(driver: &Driver, time: Duration) {
    driver.until(time, &mut |_| Ok(()), |_| false).await.err();
    driver.until(time, &mut |_| Ok(()), |_| true).await.err();
}

/// Makes the shop's pipeline one with canary judgements.
///
/// # Errors
/// What the template refused.
pub fn become_canary(aws: &mut Aws, changes: &[(&str, &str)]) -> Result<(), String> {
    let rule = exported(aws, "shop-ProductionRuleArn")?;
    let roles = task_roles(aws, SHOP)?;
    let targets = scalable_targets(aws, CLUSTER, ["shop-blue", "shop-green"]);
    let own = [
        ("PipelineName", "slipway-shop"),
        ("Cluster", CLUSTER),
        ("Service", SHOP),
        ("Rule", rule.as_str()),
        ("Repository", SHOP),
        ("ContainerName", "web"),
        ("TaskRoleArns", roles.as_str()),
        ("ScalableTargetArns", targets.as_str()),
        ("BakeMinutes", "5"),
    ];
    let mut parameters: BTreeMap<String, String> = own
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    parameters.extend(
        changes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
    );

    deploy(
        aws,
        "shop-pipeline",
        &root().join("infra/pipelines/canary.yaml"),
        &parameters,
    )
    .map_err(|e| e.to_string())
}

impl Case {
    /// This case as a chapter.
    #[must_use]
    pub fn chapter(&self) -> Chapter {
        Chapter {
            title: self.title,
            application: SHOP,
            tag: self.tag,
            image: Image::Answering(Profile::of(self.answers)),
            operator: Operator::Watches,
            outcome: self.outcome,
            reason: self.reason,
        }
    }

    /// Prepares the account: the requests that come, and what happens to both colours.
    ///
    /// # Errors
    /// That there is no shop.
    pub fn prepare(&self, aws: &mut Aws) -> Result<(), String> {
        ask(aws, self.requests_per_second)?;
        if let Some((after, minutes)) = self.incident {
            let from = aws.now + after * MINUTE;
            aws.traffic.incidents.push(Incident {
                from,
                to: from + minutes * MINUTE,
                errors: 0.05,
                slower: 2.0,
            });
        }
        Ok(())
    }
}
