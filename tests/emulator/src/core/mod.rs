//! An in-memory AWS: the state of one account in one region, with further accounts and regions
//! beside it, and the rules by which it changes.
//!
//! Everything here is plain data moved by two things only: calls (`Aws::call`) and the agenda
//! (`Aws::run_due`). Time is a number that the driver sets; chance is one seeded generator; so the
//! same seed gives the same bytes. `Aws` can be cloned: a clone is a snapshot from which another
//! run can start.

pub(crate) mod accounts;
mod agenda;
mod calls;
mod error;
pub(crate) mod input;
pub(crate) mod nulls;
pub(crate) mod page;
pub(crate) mod partition;
pub(crate) mod protocol;
mod quirks;
pub(crate) mod quotas;
pub(crate) mod record;
pub(crate) mod service;
pub(crate) mod stale;
pub(crate) mod tags;
pub(crate) mod text;
pub mod traffic;
pub(crate) mod validation;

pub use agenda::{Agenda, Event};
pub use calls::Call;
pub use error::ApiError;
pub use protocol::{Request, Response};
pub use quirks::{Quirk, QuirkCounts, Quirks};
pub use quotas::{Quotas, Rate};
pub use record::Unrecorded;
pub use stale::Stale;

use self::partition::Partition;

use crate::services::{
    autoscaling, cloudformation, cloudwatch, codepipeline, dynamodb, ecr, ecs, elb, eventbridge,
    iam, lambda, route53, s3,
};

use std::collections::BTreeMap;
use std::time::Duration;

/// Milliseconds since the Unix epoch, in virtual time.
pub type Millis = i64;

/// The state of one account in one region, with further accounts and regions beside it.
#[derive(Clone, Debug)]
pub struct Aws {
    pub now: Millis,
    pub account: String,
    pub region: String,
    /// Whether it is a further region of an account, whose IAM and Route 53 are with the first one.
    pub(crate) is_further_region: bool,
    /// From which chance is drawn; see [`Aws::reseed`].
    pub(crate) seed: u64,
    pub rng: fastrand::Rng,
    /// The unconfirmed behaviours that were drawn so far.
    pub quirks: Quirks,
    /// The most items of one page of a list of those services that Slipway calls, when that is less
    /// than the request wants: a caller that reads the first page only has not read the list. Items
    /// of GetMetricData are series.
    pub pages: Option<usize>,
    /// For how long reads may lag behind changes.
    pub stale: Stale,
    pub quotas: Quotas,
    pub agenda: Agenda,
    pub calls: calls::CallLog,
    pub autoscaling: autoscaling::AutoScaling,
    pub cloudformation: cloudformation::CloudFormation,
    pub cloudwatch: cloudwatch::CloudWatch,
    pub codepipeline: codepipeline::CodePipeline,
    pub dynamodb: dynamodb::DynamoDb,
    pub ecr: ecr::Ecr,
    pub ecs: ecs::Ecs,
    pub elb: elb::Elb,
    pub events: eventbridge::EventBridge,
    pub iam: iam::Iam,
    pub lambda: lambda::Lambda,
    pub route53: route53::Route53,
    pub s3: s3::S3,
    pub traffic: traffic::LoadModel,
    /// Further accounts and regions.
    pub(crate) others: BTreeMap<accounts::AccountRegion, Self>,
}

impl Aws {
    /// An empty account at a fixed instant (2026-01-05 09:00:00 UTC, a Monday), with its chance
    /// drawn from `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            now: 1_767_603_600_000,
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
            is_further_region: false,
            seed,
            rng: fastrand::Rng::with_seed(seed),
            quirks: Quirks::default(),
            pages: None,
            stale: Stale::default(),
            quotas: Quotas::default(),
            agenda: Agenda::default(),
            calls: Default::default(),
            autoscaling: Default::default(),
            cloudformation: Default::default(),
            cloudwatch: Default::default(),
            codepipeline: Default::default(),
            dynamodb: Default::default(),
            ecr: Default::default(),
            ecs: Default::default(),
            elb: Default::default(),
            events: Default::default(),
            iam: Default::default(),
            lambda: Default::default(),
            route53: Default::default(),
            s3: Default::default(),
            traffic: Default::default(),
            others: BTreeMap::new(),
        }
    }

    /// Puts something on the agenda, `after` from now.
    pub fn schedule(&mut self, after: Duration, event: impl Event + 'static) {
        self.agenda
            .put(self.now + after.as_millis() as Millis, event);
    }

    /// How many items a page has of a list whose caller wants this many at most.
    pub(crate) fn page_size(&self, wanted: usize) -> usize {
        self.pages.map_or(wanted, |most| wanted.min(most.max(1)))
    }

    /// A version 4 UUID drawn from the seed.
    pub fn uuid(&mut self) -> String {
        let mut uuid = self.hex(32);
        let variant = ["8", "9", "a", "b"][self.rng.usize(0..4)];

        uuid.replace_range(12..13, "4");
        uuid.replace_range(16..17, variant);
        for at in [8, 13, 18, 23] {
            uuid.insert(at, '-');
        }
        uuid
    }

    /// `digits` lower-case hexadecimal digits drawn from the seed.
    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits)
            .map(|_| char::from_digit(self.rng.u32(0..16), 16).expect("a number below 16"))
            .collect()
    }

    /// The partition of the region.
    pub(crate) fn partition(&self) -> Partition {
        Partition::of_region(&self.region)
    }

    /// `arn:<partition>:<service>:<region>:<account>:<resource>`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!(
            "arn:{}:{service}:{}:{}:{resource}",
            self.partition().name,
            self.region,
            self.account
        )
    }

    /// The ARN of a resource that an account has in all regions.
    pub(crate) fn global_arn(&self, service: &str, resource: &str) -> String {
        self.partition().arn(service, &self.account, resource)
    }

    /// A time as the JSON protocols write it: seconds since the epoch with milliseconds as a
    /// fraction.
    pub fn seconds(at: Millis) -> serde_json::Value {
        serde_json::json!(at as f64 / 1000.0)
    }
}
