//! One evaluation: the metrics are read, the judge decides, and the decision ends the judgement or
//! not.

use slipway::aws::Artifacts;
use slipway::job::{Job, JobReport, StepError, StepResult};
use slipway::judge::Decision;
use slipway::metrics::{Data, Sides, dispersion_queries, evaluation_queries, hourly_queries};
use slipway::strategy::canary::{
    BakeState, Observed, Outlook, Settings, arrivals, evaluate, messages, plan,
};

use crate::context::{CanaryContext, PairHealth};
use crate::parameters::Inconclusive;
use crate::{EvaluateCanary, Parameters};

impl EvaluateCanary {
    pub(crate) async fn judge(
        &self,
        context: CanaryContext<'_>,
        health: &PairHealth,
    ) -> StepResult {
        let settings = self.settings(context.job).await?;
        let Some(bake_state) = context.bake_state()? else {
            return self.measure(&context, &settings, health).await;
        };

        let minute = context.minute(&bake_state);
        if minute == 0 {
            return self
                .wait_for_minute(&context, &settings, bake_state, health)
                .await;
        }

        let mut outlook = match self.outlook(&context, &settings, &bake_state, minute).await {
            Err(StepError::Busy(busy)) => return self.wait_without_metrics(context, busy).await,
            outlook => outlook?,
        };
        if let Some(sticky) = &health.sticky {
            outlook.notes.push(format!(
                "the rule is sticky for {sticky}, so errors of one client are correlated; evidence \
                 is discounted"
            ));
        }

        let new = context.pair.idle();
        let totals = &outlook.verdict.comparison.totals;
        let requests = (totals.canary.requests, totals.baseline.requests);
        let beyond = messages::beyond_share(health.weights.percent(new), requests.0, requests.1);
        outlook.notes.extend(beyond);

        match outlook.decision {
            Decision::Continue => {
                let share = share(&context, health);
                let (progress, percent) = progress(&outlook, minute, settings.judge.end);
                let summary = format!("{share}, {progress}; {}", health.health);
                let payload = Some(outlook.state.payload());
                Ok(JobReport::in_progress_with(summary, percent, payload))
            }
            Decision::Promote => self.conclude(context, &outlook, None).await,
            Decision::Rollback => {
                let reason = outlook.reason.clone();
                self.abort(context, &reason, Some(outlook)).await
            }
            Decision::Inconclusive => self.end_undecided(context, outlook, minute, health).await,
        }
    }

    /// What follows a bake that showed neither harm nor health.
    async fn end_undecided(
        &self,
        context: CanaryContext<'_>,
        outlook: Outlook,
        minute: u32,
        health: &PairHealth,
    ) -> StepResult {
        match context.job.parameters.inconclusive() {
            Inconclusive::Promote => {
                let because = Some("promoted as configured");
                self.conclude(context, &outlook, because).await
            }
            Inconclusive::RollBack => {
                let reason = format!(
                    "inconclusive, rolled back as configured: {}",
                    outlook.undecided()
                );
                self.abort(context, &reason, Some(outlook)).await
            }
            Inconclusive::Hold => self.await_decision(context, outlook, minute, health).await,
        }
    }

    async fn wait_for_minute(
        &self,
        context: &CanaryContext<'_>,
        settings: &Settings,
        bake_state: BakeState,
        health: &PairHealth,
    ) -> StepResult {
        let summary = format!(
            "{}; no minute of the bake is complete yet; {}",
            share(context, health),
            health.health
        );
        let payload = self.sighted(context, settings, bake_state).await?.payload();
        Ok(JobReport::in_progress_with(summary, 0, Some(payload)))
    }

    /// The first evaluation fixes the thresholds, the dispersion and the usual rates. Nothing is
    /// judged before the token carries them.
    async fn measure(
        &self,
        context: &CanaryContext<'_>,
        settings: &Settings,
        health: &PairHealth,
    ) -> StepResult {
        let sides = context.sides()?;
        let first = context.first_minute();
        let hour = hourly_queries(&sides, settings.source_settings(&[]));
        let before = self
            .metrics
            .read(&hour, first - plan::HOUR_MINUTES, first)
            .await?;
        let thresholds = plan::thresholds(&before);
        let errors = plan::errors(&before, first);
        let dispersion = self.latency_dispersion(&sides, &thresholds, first).await?;

        let live = context.pair.live.to_string();
        let measured = messages::measured(&live, &thresholds, &errors, dispersion);
        let summary = format!(
            "{}, {}; {measured}; {}",
            share(context, health),
            messages::baked(0, settings.judge.end),
            health.health
        );

        let agrees = plan::counters_agree(&before, first);
        let first = first + i64::from(context.job.parameters.warm_up());
        let dispersions = (errors.dispersion, dispersion);
        let bake_state = BakeState::new(first, thresholds, dispersions, errors.rate);
        let bake_state = bake_state.with_known_counts(plan::known_counts(&before));
        let payload = bake_state.with_agreement(agrees).payload();

        Ok(JobReport::in_progress_with(summary, 0, Some(payload)))
    }

    /// How the slow requests of the hour before `first` are dispersed: 1 without thresholds.
    async fn latency_dispersion(
        &self,
        sides: &Sides,
        thresholds: &[f64],
        first: i64,
    ) -> Result<f64, StepError> {
        if thresholds.is_empty() {
            return Ok(1.0);
        }

        let queries = dispersion_queries(sides, thresholds);
        let hour = first - plan::HOUR_MINUTES;
        let slow = self.metrics.read(&queries, hour, first).await?;
        Ok(plan::latency_dispersion(&slow, first, thresholds.len()))
    }

    /// Judges the minutes that are complete, with one reading of all metrics.
    pub(crate) async fn outlook(
        &self,
        context: &CanaryContext<'_>,
        settings: &Settings,
        bake_state: &BakeState,
        minute: u32,
    ) -> Result<Outlook, StepError> {
        let data = self.read(context, settings, bake_state).await?;

        Ok(evaluate(&Observed {
            settings,
            state: bake_state,
            data: &data,
            minute,
            now_secs: context.job.now.secs(),
        })?)
    }

    /// The metrics of all minutes that are over.
    async fn read(
        &self,
        context: &CanaryContext<'_>,
        settings: &Settings,
        bake_state: &BakeState,
    ) -> Result<Data, StepError> {
        let sides = context.sides()?;
        let settings = settings.source_settings(&bake_state.thresholds_ms);
        let queries = evaluation_queries(&sides, settings);

        // The minute before the first shows whether a counter that is absent in the first is zero.
        let from = bake_state.first - 1;
        let now = context.job.now.secs().div_euclid(60);
        Ok(self.metrics.read(&queries, from, now).await?)
    }

    /// Notes how the first minute looks, so that the next evaluation can see whether it has
    /// changed. Nothing is judged yet, so a reading that fails does not matter.
    async fn sighted(
        &self,
        context: &CanaryContext<'_>,
        settings: &Settings,
        bake_state: BakeState,
    ) -> Result<BakeState, StepError> {
        let now_secs = context.job.now.secs();
        if now_secs.div_euclid(60) <= bake_state.first {
            return Ok(bake_state);
        }

        match self.read(context, settings, &bake_state).await {
            Ok(data) => {
                let sightings = arrivals(&bake_state, &data, now_secs);
                Ok(bake_state.with_arrivals(sightings))
            }
            Err(StepError::Busy(_)) => Ok(bake_state),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn settings(&self, job: &Job<Parameters>) -> Result<Settings, StepError> {
        let settings = match &job.parameters.config {
            Some(location) => {
                let text = Artifacts::new(&self.sdk, job).read(location).await?;
                Settings::read(&text, location)?
            }
            None => Settings::default(),
        };
        Ok(job.parameters.settings(settings)?)
    }
}

/// The share of the traffic that the new colour has.
fn share(context: &CanaryContext<'_>, health: &PairHealth) -> String {
    let new = context.pair.idle();
    format!("{}% to {new}", health.weights.percent(new))
}

/// How far the bake is, as text and in percent.
fn progress(outlook: &Outlook, minute: u32, end: u32) -> (String, u8) {
    let parts = [
        Some(messages::baked(minute, end)),
        Some(outlook.reason.clone()),
        outlook.traffic.clone(),
    ];
    let progress = parts.into_iter().flatten().collect::<Vec<_>>().join("; ");

    let percent = u8::try_from((minute * 100 / end).min(99)).unwrap_or(99);
    (progress, percent)
}
