//! One evaluation: the metrics are read, the judge decides, and the decision ends the judgement or
//! not.

use slipway::aws::Artifacts;
use slipway::job::{Job, JobReport, StepError, StepResult};
use slipway::judge::Decision;
use slipway::metrics::{Data, evaluation_queries};
use slipway::strategy::canary::plan;
use slipway::strategy::canary::{
    BakeState, Observed, Outlook, Settings, arrivals, evaluate, messages,
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
        let bake_state = context.with_raise(bake_state, health.weights);

        let minute = context.minute(&bake_state);
        if minute == 0 {
            return self
                .wait_for_minute(&context, &settings, bake_state, health)
                .await;
        }

        let look = self.outlook(&context, &settings, &bake_state, minute, health);
        let mut outlook = match look.await {
            Err(StepError::Busy(busy)) => return self.wait_without_metrics(context, busy).await,
            outlook => outlook?,
        };

        outlook
            .notes
            .extend(beyond_share(&context, health, outlook.requests));
        let raises = may_raise(&context, &settings, &outlook, minute);
        let raising = raises.then(|| context.job.now.secs());
        outlook.state = outlook.state.with_raising(raising);

        // Whatever this job ends with, the next one begins with what the look found.
        context.job.keep(outlook.state.payload());

        if raises {
            let left = settings.judge.end.saturating_sub(minute);
            return self.raise_or_judge_on(context, outlook, health, left).await;
        }
        self.follow(context, &settings, outlook, minute, health)
            .await
    }

    /// Does what the decision of a look requires.
    async fn follow(
        &self,
        context: CanaryContext<'_>,
        settings: &Settings,
        outlook: Outlook,
        minute: u32,
        health: &PairHealth,
    ) -> StepResult {
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
                    outlook.reason
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
        let payload = self
            .with_arrivals(context, settings, bake_state)
            .await?
            .payload();
        Ok(JobReport::in_progress_with(summary, 0, Some(payload)))
    }

    /// Judges the minutes that are complete, with one reading of all metrics.
    pub(crate) async fn outlook(
        &self,
        context: &CanaryContext<'_>,
        settings: &Settings,
        bake_state: &BakeState,
        minute: u32,
        health: &PairHealth,
    ) -> Result<Outlook, StepError> {
        let data = self.read(context, settings, bake_state).await?;

        Ok(evaluate(&Observed {
            settings,
            state: bake_state,
            data: &data,
            minute,
            now_secs: context.job.now.secs(),
            percent: health.weights.percent(context.pair.idle()),
            sticky: health.sticky,
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

        let now = context.job.now.secs().div_euclid(60);
        Ok(self.metrics.read(&queries, bake_state.first, now).await?)
    }

    /// Notes how the first minute looks, so that the next evaluation can see whether it has
    /// changed. Nothing is judged yet, so a reading that fails does not matter.
    async fn with_arrivals(
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
                let seen = arrivals(&bake_state, &data, now_secs);
                Ok(bake_state.with_arrivals(seen))
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
pub(crate) fn share(context: &CanaryContext<'_>, health: &PairHealth) -> String {
    let new = context.pair.idle();
    format!("{}% to {new}", health.weights.percent(new))
}

/// How far the bake is, as text and in percent.
fn progress(outlook: &Outlook, minute: u32, end: u32) -> (String, u8) {
    let progress = format!("{}; {}", messages::baked(minute, end), outlook.reason);
    let percent = u8::try_from((minute * 100 / end).min(99)).unwrap_or(99);
    (progress, percent)
}

/// Whether nothing objects to the last share, with which a promotion is still possible before the
/// end of the bake.
fn may_raise(
    context: &CanaryContext<'_>,
    settings: &Settings,
    outlook: &Outlook,
    minute: u32,
) -> bool {
    let is_open = outlook.decision == Decision::Continue;
    let is_clear = outlook.clear && context.raises(&outlook.state);
    let needed = settings.judge.min_minutes + plan::RAISE_MINUTES;
    is_open && is_clear && minute + needed <= settings.judge.end
}

fn beyond_share(
    context: &CanaryContext<'_>,
    health: &PairHealth,
    (canary, baseline): (u64, u64),
) -> Option<String> {
    let percent = health.weights.percent(context.pair.idle());
    messages::beyond_share(percent, canary, baseline)
}
