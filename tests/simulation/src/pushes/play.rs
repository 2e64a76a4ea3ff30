//! Plays a run of pushes in virtual time, and checks what must hold at its end.

use std::collections::BTreeMap;
use std::time::Duration;

use emulator::{Aws, Millis, ecr};
use harness::driver::{Driver, run};
use invariants::deliveries::{self, Delivered};

use super::account::{self, started};
use super::coverage::PushCoverage;
use super::image::{self, Content, Pushed};
use super::plan::{PushAct, PushPlan, Timed};
use super::releases::Releases;
use crate::delivery::PREFIX;
use crate::play::{expect_mishaps, faults};

/// How long things go wrong at most, but for events that come late.
const BUSY: Duration = Duration::from_secs(6 * 3_600);
/// How long a run goes on after that, and after the last act: late events come, and after them two
/// sweeps.
const QUIET: Duration = Duration::from_secs(4 * 3_600);
/// How often releases are looked at.
const LOOK: Millis = 300_000;

/// The tag that moves, and one that is not delivered.
const MOVING: &str = "v-stable";
const OTHER: &str = "dev";

/// The result of a run.
#[derive(Debug)]
pub struct PlayedPushes {
    /// What did not hold.
    pub failure: Option<String>,
    pub coverage: PushCoverage,
    /// What happened, if it was requested.
    pub trace: Vec<String>,
}

/// Plays a plan; with `traces`, what happens is written down.
#[must_use]
pub fn play(plan: &PushPlan, traces: bool) -> PlayedPushes {
    let account = match started(plan.repositories) {
        Ok(account) => account,
        Err(error) => {
            return PlayedPushes {
                failure: Some(error),
                coverage: PushCoverage::default(),
                trace: Vec::new(),
            };
        }
    };
    let mut aws = account.aws;
    aws.reseed(plan.seed);
    expect_mishaps(&mut aws, &plan.incidents);
    aws.events.faults.duplicate_percent = plan.doubled_percent;

    let faults = faults(&plan.incidents, aws.now);
    run(aws, faults, async |driver| {
        let mut stage = Stage {
            releases: Releases::new(&driver),
            driver: driver.clone(),
            delivered: account.delivered,
            pushed: account.pushed,
            number: plan.seed * 1_000_000 + 1_000,
            trace: traces.then(Vec::new),
        };
        stage.run(plan).await;

        let aws = driver.world.aws();
        let kept = deliveries::kept(&aws, &stage.delivered);
        let mut coverage = PushCoverage::of(plan, &aws, &driver.ran());
        let failure = match kept {
            Ok(evaluated) => {
                coverage.add_evaluated(&evaluated);
                None
            }
            Err(failure) => Some(failure),
        };
        let mut trace = stage.trace.unwrap_or_default();
        if traces {
            trace.extend(starts(&aws));
        }
        PlayedPushes {
            failure,
            coverage,
            trace,
        }
    })
}

/// A run in progress.
struct Stage {
    driver: Driver,
    releases: Releases,
    delivered: Vec<Delivered>,
    /// What was pushed to each repository so far.
    pushed: Vec<Vec<Pushed>>,
    /// Makes each image another one.
    number: u64,
    trace: Option<Vec<String>>,
}

impl Stage {
    async fn run(&mut self, plan: &PushPlan) {
        let start = self.driver.world.clock.now();
        for timed in &plan.acts {
            self.advance(start + timed.at.as_millis() as Millis).await;
            self.act(timed);
        }
        let last = plan.acts.last().map_or(BUSY, |timed| timed.at.max(BUSY));
        self.advance(start + (last + QUIET).as_millis() as Millis)
            .await;
    }

    /// Lets time pass, in which releases end.
    async fn advance(&mut self, until: Millis) {
        loop {
            let now = self.driver.world.clock.now();
            if now >= until {
                return;
            }
            let step = Duration::from_millis((until - now).min(LOOK).unsigned_abs());
            let passed = self.driver.until(step, &mut |_| Ok(()), |_| false).await;
            passed.unwrap_or_default();
            for ended in self.releases.end_due().await {
                self.note(&ended);
            }
        }
    }

    /// Does something in a repository. What ECR refuses is not done, as when an image has a tag
    /// already.
    fn act(&mut self, timed: &Timed) {
        let Timed {
            repository, act, ..
        } = *timed;
        let done = match act {
            PushAct::PushVersion => self.push(repository, None, Content::Image),
            PushAct::PushTwice => self.push_twice(repository),
            PushAct::PushMoving => self.push(repository, Some(MOVING), Content::Image),
            PushAct::PushOther => self.push(repository, Some(OTHER), Content::Image),
            PushAct::PushChart => self.push(repository, None, Content::Chart),
            PushAct::Return(image) => self.tag(repository, image, MOVING.to_owned()),
            PushAct::Tag(image) => {
                self.number += 1;
                self.tag(repository, image, format!("{PREFIX}9.0.{}", self.number))
            }
            PushAct::Delete(image) => self.delete(repository, image),
            PushAct::Scan { image, is_critical } => self.scan(repository, image, is_critical),
        };
        self.driver.world.touch();
        let what = match done {
            Ok(what) => what,
            Err(why) => format!("not done: {why}"),
        };
        self.note(&format!("{repository}: {}: {what}", act.as_str()));
    }

    fn push(
        &mut self,
        repository: usize,
        tag: Option<&str>,
        content: Content,
    ) -> Result<String, String> {
        self.number += 1;
        let version = format!("{PREFIX}1.0.{}", self.number);
        let tag = tag.unwrap_or(&version);
        let name = &self.delivered[repository].repository;
        let aws = &mut self.driver.world.aws();
        let pushed = image::push(aws, name, tag, content, self.number)?;
        let what = format!("{tag} is {}", pushed.digest);
        self.pushed[repository].push(pushed);
        Ok(what)
    }

    /// Pushes an image under two tags, as `docker push --all-tags` does.
    fn push_twice(&mut self, repository: usize) -> Result<String, String> {
        let pushed = self.push(repository, None, Content::Image)?;
        let image = self.pushed[repository].len() - 1;
        self.number += 1;
        let tagged = self.tag(repository, image, format!("{PREFIX}9.0.{}", self.number))?;
        Ok(format!("{pushed}, {tagged}"))
    }

    /// The image of this number.
    fn image(&self, repository: usize, image: usize) -> Result<Pushed, String> {
        let image = self.pushed[repository].get(image);
        image.cloned().ok_or_else(|| "it was not pushed".to_owned())
    }

    fn tag(&self, repository: usize, image: usize, tag: String) -> Result<String, String> {
        let image = self.image(repository, image)?;
        let name = &self.delivered[repository].repository;
        let aws = &mut self.driver.world.aws();
        let tagged = image::put(aws, name, &tag, &image.manifest)?;
        Ok(format!("{tag} is {}", tagged.digest))
    }

    fn delete(&self, repository: usize, image: usize) -> Result<String, String> {
        let image = self.image(repository, image)?;
        let name = &self.delivered[repository].repository;
        ecr::delete(&mut self.driver.world.aws(), name, &image.digest)
            .map_err(|error| error.to_string())?;
        Ok(image.digest)
    }

    fn scan(&self, repository: usize, image: usize, is_critical: bool) -> Result<String, String> {
        let image = self.image(repository, image)?;
        let name = &self.delivered[repository].repository;
        let aws = &mut self.driver.world.aws();
        account::scan(aws, name, &image.digest, is_critical)?;
        Ok(image.digest)
    }

    fn note(&mut self, what: &str) {
        let now = self.driver.world.clock.now();
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{} {what}", emulator::eventbridge::timestamp(now)));
        }
    }
}

/// The executions that pushes started, by pipeline.
fn starts(aws: &Aws) -> Vec<String> {
    let mut starts = BTreeMap::<&str, Vec<String>>::new();
    for execution in &aws.codepipeline.executions {
        let Some(digest) = invariants::ledger_reader::digest(execution) else {
            continue;
        };
        let at = emulator::eventbridge::timestamp(execution.started);
        let start = format!("{at} {} was started with {digest}", execution.pipeline);
        starts.entry(&execution.pipeline).or_default().push(start);
    }
    starts.into_values().flatten().collect()
}
