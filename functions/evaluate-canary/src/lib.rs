//! The step that judges the new colour of a pair beside the live one, by what both answer to the same traffic: one look a job. It
//! promotes, gives the traffic back in the same job, or says that nothing was shown and holds for a person.

mod endings;
mod spec;

use serde_json::Value;
use slipway::aws::{Alarm, Artifacts, Held, Jobs, Ledger, Metrics, Pairs, Reports, Retry, Sdk};
use slipway::job::{Failure, Job, Report, StepError, StepResult};
use slipway::judge::Decision;
use slipway::limits::{BAKE_AHEAD, METRIC_DELAY};
use slipway::observed::service::revision;
use slipway::release::{Lease, OpenRelease};
use slipway::routing::mover::Traffic;
use slipway::strategy::blue_green::rollback::filled;
use slipway::strategy::blue_green::shift::{Asked, Watched, watch};
use slipway::strategy::blue_green::{PriorPair, Weights};
use slipway::strategy::canary::{
    Bake, Data, Memory, Outlook, Seen, Settings, Sides, arrival, look, messages, plan, sight,
};

use spec::Inconclusive;
pub use spec::Spec;

/// The function: one CodePipeline job is one look.
#[derive(Debug)]
pub struct EvaluateCanary {
    sdk: Sdk,
    jobs: Jobs,
    ledger: Ledger,
    pairs: Pairs,
    traffic: Traffic,
    metrics: Metrics,
    reports: Reports,
}

/// What a look works with.
struct Look<'a> {
    job: &'a Job<Spec>,
    lease: Lease,
    release: &'a OpenRelease,
    pair: &'a PriorPair,
}

/// How the pair stands while it is judged.
struct Standing {
    weights: Weights,
    health: String,
    /// How long clients stay with their colour, in words.
    sticky: Option<String>,
}

impl EvaluateCanary {
    #[must_use]
    pub fn new(sdk: &Sdk) -> Self {
        Self {
            sdk: sdk.clone(),
            jobs: Jobs::new(sdk, "evaluate-canary"),
            ledger: Ledger::new(sdk),
            pairs: Pairs::new(sdk),
            traffic: Traffic::new(sdk),
            metrics: Metrics::new(sdk),
            reports: Reports::new(sdk),
        }
    }

    /// Answers one event.
    ///
    /// # Errors
    /// When Lambda should deliver the event again.
    pub async fn answer(&self, event: Value) -> Result<Value, Retry> {
        let step = async |job: Job<Spec>| {
            let result = self.step(&job).await;
            // What a person decides too early or twice is refused to them, and no failure of the release.
            match job.spec.decision {
                Some(_) => result,
                None => self.ledger.remembering(job.spec.name(), result).await,
            }
        };
        self.jobs.settle(event, step).await
    }

    async fn step(&self, job: &Job<Spec>) -> StepResult {
        let spec = &job.spec;
        spec.check()?;
        let Held {
            lease,
            release,
            prior,
        } = self.ledger.hold(spec.name()).await?.open()?;
        let Some(pair) = &prior.pair else {
            return Err(Failure::configuration(
                "begin-release took the lease on a single service, which has no second colour to compare with; legal: strategy `blue-green` in begin-release and update-service",
            )
            .into());
        };
        if spec.task_definition == pair.of(pair.live).task_definition {
            let live = pair.live;
            let summary = format!(
                "nothing to judge: {live} is live and runs {}",
                revision(&spec.task_definition)
            );
            return Ok(Report::done(summary, [("Verdict", "unchanged".to_owned())]));
        }
        let look = Look {
            job,
            lease,
            release: &release,
            pair,
        };
        if release.restoring.is_some() {
            return self.restore(look, None).await;
        }
        if let Some(judged) = release
            .judged
            .iter()
            .find(|judged| judged.since == job.since)
        {
            return Ok(endings::done(judged));
        }
        match spec.decision {
            Some(decision) => self.decide(look, decision).await,
            None => self.watch(look).await,
        }
    }

    /// Looks at the pair and the alarms first: harm that shows there needs no statistics.
    async fn watch(&self, look: Look<'_>) -> StepResult {
        let Look {
            job,
            lease,
            release,
            pair,
        } = &look;
        let seen = self.pairs.observe(lease, pair, &[pair.idle()]).await?;
        let asked = Asked {
            task_definition: job.spec.task_definition.clone(),
            steps: Vec::new(),
            step_bake: Default::default(),
            last_bake: Default::default(),
            filled: filled(release, pair),
            minimum_healthy_percent: job.spec.minimum_healthy_percent(),
        };
        let health = match watch(&asked, release, pair, &seen.view) {
            Watched::Fit { health } => health,
            Watched::Confirm => {
                self.ledger.advance(&lease.with_shift_made(job.now)).await?;
                return Ok(Report::going_with(
                    format!("weights are {}", seen.view.weights),
                    0,
                    job.payload.clone(),
                ));
            }
            Watched::Unseen { summary } => return self.unseen(look, summary).await,
            Watched::Restore { reason } => return self.give_up(look, &reason, None).await,
            // The first job of a judgement may be delivered again when the traffic has long gone on: the second look tells.
            Watched::Alone(failure) if job.is_first() && !release.judged.is_empty() => {
                return Ok(Report::going(
                    format!("looks once more: {}", failure.message),
                    0,
                ));
            }
            Watched::Alone(failure) | Watched::Fail(failure) => {
                // What looks like somebody else's change may be that of another invocation since the lease was read.
                self.ledger
                    .advance(&lease.with_failure(failure.clone()))
                    .await?;
                return Err(failure.into());
            }
        };
        if let Some(reason) = self.alarm(job).await? {
            return self.give_up(look, &reason, None).await;
        }
        let sticky = seen.rule.view.sticky.map(slipway::timestamp::readable);
        self.judge(
            look,
            &Standing {
                weights: seen.view.weights,
                health,
                sticky,
            },
        )
        .await
    }

    /// Looks again, unless an alarm ends the judgement at once.
    async fn unseen(&self, look: Look<'_>, summary: String) -> StepResult {
        if let Some(reason) = self.alarm(look.job).await? {
            return self.give_up(look, &reason, None).await;
        }
        Ok(Report::going_with(summary, 0, look.job.payload.clone()))
    }

    /// Why an alarm ends the judgement, if one does.
    async fn alarm(&self, job: &Job<Spec>) -> Result<Option<String>, StepError> {
        let alarms = self
            .metrics
            .alarms(job.spec.alarms.as_deref().unwrap_or_default())
            .await?;
        if let Some(Alarm::Missing { name }) = alarms
            .iter()
            .find(|alarm| matches!(alarm, Alarm::Missing { .. }))
        {
            return Err(Failure::configuration(format!(
                "`alarms`: there is no alarm `{name}`; legal: names of metric or composite alarms of this account and region; correct it"
            ))
            .into());
        }
        Ok(alarms.first().and_then(|alarm| match alarm {
            Alarm::Ringing { name, reason } => Some(format!("the alarm {name} rings: {reason}")),
            Alarm::Missing { .. } => None,
        }))
    }

    async fn judge(&self, look: Look<'_>, standing: &Standing) -> StepResult {
        let settings = self.settings(look.job).await?;
        let Some(memory) = look.memory()? else {
            return self.measure(&look, &settings, standing).await;
        };
        let minute = look.minute(&memory);
        let new = look.pair.idle();
        let share = format!("{}% to {new}", standing.weights.percent(new));
        if minute == 0 {
            let summary = format!(
                "{share}; no minute of the bake is complete yet; {}",
                standing.health
            );
            let payload = self.sighted(&look, &settings, memory).await?.payload();
            return Ok(Report::going_with(summary, 0, Some(payload)));
        }
        let mut outlook = match self.outlook(&look, &settings, &memory, minute).await {
            Err(StepError::Busy(busy)) => return self.wait_blind(look, busy).await,
            outlook => outlook?,
        };
        if let Some(sticky) = &standing.sticky {
            outlook.notes.push(format!(
                "the rule is sticky for {sticky}: a client's requests stay together, and what goes wrong for one comes in clumps"
            ));
        }
        let end = settings.judge.end;
        match (outlook.decision, look.job.spec.inconclusive()) {
            (Decision::Continue, _) => {
                let said = [
                    Some(messages::baked(minute, end)),
                    Some(outlook.reason.clone()),
                    outlook.traffic.clone(),
                ];
                let said = said.into_iter().flatten().collect::<Vec<_>>().join("; ");
                let percent = u8::try_from((minute * 100 / end).min(99)).unwrap_or(99);
                let summary = format!("{share}, {said}; {}", standing.health);
                Ok(Report::going_with(
                    summary,
                    percent,
                    Some(outlook.memory.payload()),
                ))
            }
            (Decision::Promote, _) => self.conclude(look, &outlook, None).await,
            (Decision::Rollback, _) => {
                let reason = outlook.reason.clone();
                self.give_up(look, &reason, Some(outlook)).await
            }
            (Decision::Inconclusive, Inconclusive::Promote) => {
                self.conclude(look, &outlook, Some("promoted as configured"))
                    .await
            }
            (Decision::Inconclusive, Inconclusive::RollBack) => {
                let reason = format!(
                    "inconclusive, and that is to be rolled back: {}",
                    outlook.undecided()
                );
                self.give_up(look, &reason, Some(outlook)).await
            }
            (Decision::Inconclusive, Inconclusive::Hold) => {
                self.hold(look, outlook, minute, standing).await
            }
        }
    }

    /// The first look fixes what the judgement goes by. Nothing is judged before the token has it.
    async fn measure(
        &self,
        look: &Look<'_>,
        settings: &Settings,
        standing: &Standing,
    ) -> StepResult {
        let (sides, first) = (look.sides()?, look.first_minute());
        let hour = first - plan::HOUR_MINUTES;
        let before = self.metrics.read(&sides.of_hour(), hour, first).await?;
        let thresholds = plan::thresholds(&before);
        let errors = plan::errors(&before, first);
        let clumps = match thresholds.is_empty() {
            true => 1.0,
            false => {
                let slow = self
                    .metrics
                    .read(&sides.of_dispersion(&thresholds), hour, first)
                    .await?;
                plan::latency_dispersion(&slow, first, thresholds.len())
            }
        };
        let measured =
            messages::measured(&look.pair.live.to_string(), &thresholds, &errors, clumps);
        let agrees = arrival::agrees(&before, 'b', first - plan::UNSETTLED_MINUTES);
        let first = first + i64::from(look.job.spec.warm_up());
        let memory = Memory::new(first, thresholds, (errors.dispersion, clumps), errors.rate)
            .with_agreement(agrees);
        let (new, baked) = (look.pair.idle(), messages::baked(0, settings.judge.end));
        let summary = format!(
            "{}% to {new}, {baked}; {measured}; {}",
            standing.weights.percent(new),
            standing.health
        );
        Ok(Report::going_with(summary, 0, Some(memory.payload())))
    }

    /// Judges what is visible now, with one reading of everything.
    async fn outlook(
        &self,
        seen: &Look<'_>,
        settings: &Settings,
        memory: &Memory,
        minute: u32,
    ) -> Result<Outlook, StepError> {
        let data = self.read(seen, settings, memory).await?;
        let now_secs = seen.job.now.secs();
        Ok(look(&Seen {
            settings,
            memory,
            data: &data,
            minute,
            now_secs,
        })?)
    }

    /// Everything there is of the minutes that are over.
    async fn read(
        &self,
        seen: &Look<'_>,
        settings: &Settings,
        memory: &Memory,
    ) -> Result<Data, StepError> {
        let queries = seen
            .sides()?
            .of_look(&memory.thresholds_ms, &settings.custom);
        // The minute before the first says whether a counter that is absent in the first is zero.
        Ok(self
            .metrics
            .read(
                &queries,
                memory.first - 1,
                seen.job.now.secs().div_euclid(60),
            )
            .await?)
    }

    /// What there is of the first minute, so that the next look can tell whether it has changed. Nothing is judged yet, so it does not matter when
    /// it cannot be read.
    async fn sighted(
        &self,
        seen: &Look<'_>,
        settings: &Settings,
        memory: Memory,
    ) -> Result<Memory, StepError> {
        let now_secs = seen.job.now.secs();
        if now_secs.div_euclid(60) <= memory.first {
            return Ok(memory);
        }
        match self.read(seen, settings, &memory).await {
            Ok(data) => {
                let sightings = sight(&memory, &data, now_secs);
                Ok(memory.with_sightings(sightings))
            }
            Err(StepError::Busy(_)) => Ok(memory),
            Err(error) => Err(error),
        }
    }

    async fn settings(&self, job: &Job<Spec>) -> Result<Settings, StepError> {
        let settings = match &job.spec.config {
            Some(location) => Settings::read(
                &Artifacts::new(&self.sdk, job).read(location).await?,
                location,
            )?,
            None => Settings::default(),
        };
        Ok(job.spec.settings(settings)?)
    }
}

impl Look<'_> {
    fn memory(&self) -> Result<Option<Memory>, Failure> {
        self.job.payload.as_ref().map(Memory::read).transpose()
    }

    fn sides(&self) -> Result<Sides, Failure> {
        Sides::of(
            self.pair,
            &self.lease.service,
            &self.job.spec.task_definition,
        )
        .ok_or_else(|| {
            Failure::configuration(format!(
                "the rule {} is not that of an Application Load Balancer, whose metrics are judged",
                self.pair.rule
            ))
        })
    }

    /// The first whole minute with the traffic as it is, but none long before this action: what came since would be left out.
    fn first_minute(&self) -> i64 {
        let shifted = self
            .release
            .shift
            .as_ref()
            .map_or(self.job.since.secs(), |shift| shift.at.secs());
        let ahead = i64::try_from(BAKE_AHEAD.as_secs()).unwrap_or_default();
        let from = shifted.max(self.job.since.secs() - ahead);
        (from + 59).div_euclid(60)
    }

    fn minute(&self, memory: &Memory) -> u32 {
        let bake = Bake {
            first: memory.first,
            end: u32::MAX,
        };
        bake.minute(
            self.job.now.secs(),
            i64::try_from(METRIC_DELAY.as_secs()).unwrap_or_default(),
        )
    }

    /// Where the report of this judgement is, in the bucket of reports.
    fn key(&self) -> String {
        let spec = &self.job.spec;
        let began: String = self
            .job
            .since
            .to_string()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        format!("{}/{}/{began}", spec.pipeline, spec.execution)
    }
}

#[cfg(test)]
mod tests;
