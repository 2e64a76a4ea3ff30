//! The first evaluation: what the hour before the bake shows of the live colour is fixed, and with
//! it the last share. Nothing is judged before the token carries both.

use std::collections::BTreeSet;

use slipway::job::{JobReport, StepError, StepResult};
use slipway::judge::canary::sentence::expectation;
use slipway::judge::{JudgeConfig, Setup};
use slipway::metrics::source::balancer_arn;
use slipway::metrics::{Data, Query, Sides, hourly_queries, zone_queries};
use slipway::observed::route::Route;
use slipway::strategy::canary::evaluate::expected_steps;
use slipway::strategy::canary::plan::{self, MeasuredHour};
use slipway::strategy::canary::{BakeState, Remark, Settings, messages};

use crate::EvaluateCanary;
use crate::context::{CanaryContext, PairHealth};
use crate::evaluation::share;

type Remarks = BTreeSet<Remark>;

impl EvaluateCanary {
    /// The first evaluation fixes the thresholds, which requests are bad, how they are dispersed,
    /// and the last share.
    pub(crate) async fn measure(
        &self,
        context: &CanaryContext<'_>,
        settings: &Settings,
        health: &PairHealth,
    ) -> StepResult {
        let first = context.first_minute();
        let from = first - plan::UNSETTLED_MINUTES - plan::HOUR_MINUTES;
        let mut remarks = Remarks::new();
        let sides = self.with_zones(context, &mut remarks).await?;
        let hour = hourly_queries(&sides, settings.source_settings(&[]));
        let before = self.read_hour(&hour, from).await?;
        let thresholds = plan::thresholds(&before);
        let measured = self
            .measured(&sides, from, &thresholds, &mut remarks)
            .await?;

        let grpc = self.speaks_grpc(context, &mut remarks).await?;
        let (last, remark) = last_share(context, settings, health, &measured);
        remarks.extend(remark);
        let bake_state = BakeState::new(first, measured.thresholds_ms.clone(), &measured.prior)
            .with_last_percent(last)
            .with_grpc(grpc)
            .with_sticky(health.sticky)
            .with_remarks(remarks)
            .with_known_counts(plan::known_counts(&settings.source_counts(), &before));

        let live = context.pair.live.to_string();
        let percent = health.weights.percent(context.pair.idle());
        let mut parts = vec![
            share(context, health),
            messages::baked(0, settings.judge.end),
        ];
        parts.extend(expected(settings, &bake_state, percent));
        parts.push(messages::measured(&live, &measured));
        let remarks = bake_state.remarks.iter();
        parts.extend(remarks.map(|remark| remark.text().to_owned()));
        parts.push(health.health.clone());
        let payload = Some(bake_state.payload());
        Ok(JobReport::in_progress_with(parts.join("; "), 0, payload))
    }

    /// The two sides with the zones of their load balancer; without them where a deploy role that
    /// is older than this function may not read them.
    async fn with_zones(
        &self,
        context: &CanaryContext<'_>,
        remarks: &mut Remarks,
    ) -> Result<Sides, StepError> {
        let sides = context.sides()?;
        let Route::Rule(rule) = &context.pair.route else {
            return Ok(sides);
        };
        let Some(balancer) = balancer_arn(rule) else {
            return Ok(sides);
        };
        match self.balancers.zones(&balancer).await {
            Ok(zones) => Ok(sides.with_zones(zones)),
            Err(error) if error.is_denied() => {
                remarks.insert(Remark::ZonesDenied);
                Ok(sides)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the target group of the canary speaks gRPC, as far as the deploy role may read it.
    async fn speaks_grpc(
        &self,
        context: &CanaryContext<'_>,
        remarks: &mut Remarks,
    ) -> Result<bool, StepError> {
        let group = &context.pair.of(context.pair.idle()).target_group;
        match self.balancers.speaks_grpc(group).await {
            Ok(grpc) => Ok(grpc),
            Err(error) if error.is_denied() => {
                remarks.insert(Remark::ProtocolDenied);
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What the hour from the minute `from` on showed of the live colour: by zones, or as a whole
    /// where CloudWatch has no series of them.
    async fn measured(
        &self,
        sides: &Sides,
        from: i64,
        thresholds: &[f64],
        remarks: &mut Remarks,
    ) -> Result<MeasuredHour, StepError> {
        let by_zones = self.measured_in(sides, from, thresholds).await?;
        if by_zones.prior.requests_a_minute.is_some() || sides.zones.is_empty() {
            return Ok(by_zones);
        }

        let whole = sides.clone().with_zones(Vec::new());
        let whole = self.measured_in(&whole, from, thresholds).await?;
        if whole.prior.requests_a_minute.is_some() {
            remarks.insert(Remark::ZonesAbsent);
        }
        Ok(whole)
    }

    async fn measured_in(
        &self,
        sides: &Sides,
        from: i64,
        thresholds: &[f64],
    ) -> Result<MeasuredHour, StepError> {
        let queries = zone_queries(sides, thresholds);
        let data = self.read_hour(&queries, from).await?;
        Ok(plan::measured(&data, from, sides.zones.len(), thresholds))
    }

    async fn read_hour(&self, queries: &[Query], from: i64) -> Result<Data, StepError> {
        let to = from + plan::HOUR_MINUTES;
        Ok(self.metrics.read(queries, from, to).await?)
    }
}

/// The share to which the judgement raises the new colour, if that is more than it has, and what is
/// remarked on of the choice. A pipeline stack that is older than the functions may give no more.
pub(crate) fn last_share(
    context: &CanaryContext<'_>,
    settings: &Settings,
    health: &PairHealth,
    measured: &MeasuredHour,
) -> (Option<u32>, Option<Remark>) {
    let percent = health.weights.percent(context.pair.idle());
    let is_more = |last: &u32| *last > percent;
    match context.job.parameters.last_percent() {
        None => (None, None),
        Some(None) => {
            let judge = JudgeConfig {
                sticky: settings.judge.sticky || health.sticky,
                ..settings.judge.clone()
            };
            let (last, remark) = plan::last_percent(&judge, measured);
            (Some(last).filter(is_more), remark)
        }
        Some(Some(last)) if is_more(&last) => (Some(last), None),
        Some(Some(_)) => (None, Some(Remark::ShareNotMore)),
    }
}

/// How long a healthy canary is expected to take, from what is known before the bake.
fn expected(settings: &Settings, bake_state: &BakeState, percent: u32) -> Option<String> {
    let share = bake_state.last_percent.unwrap_or(percent);
    let config = JudgeConfig {
        steps: expected_steps(&settings.judge, bake_state),
        share: Some(f64::from(share) / 100.0),
        sticky: settings.judge.sticky || bake_state.sticky,
        ..settings.judge.clone()
    };
    expectation(&Setup {
        config,
        thresholds: bake_state.thresholds_ms.len(),
        own: settings.counts(),
        prior: bake_state.prior(),
    })
}
