//! How the old colour of a pair ends: drained, scale-in restored, stopped.
//!
//! It is stopped only while no alarm of the action is in ALARM, and while the metrics of the load
//! balancers show neither requests of clients to it nor failures of the new colour. Metrics that
//! the deploy role may not read do not keep it: the pipeline's stack can be older than the
//! functions.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use slipway::aws::ObservedPair;
use slipway::job::{Job, StepError, StepResult};
use slipway::limits::{OLD_TASKS_DEADLINE, STICKY_DRAIN};
use slipway::metrics::alb::answer_queries;
use slipway::metrics::source::Observations;
use slipway::metrics::{Data, Sides};
use slipway::observed::alarm::{Alarm, active};
use slipway::observed::listener_rule::{OtherRule, TEST_ROUTE, is_for_tests};
use slipway::observed::route::Route;
use slipway::release::{Event, PairTarget, PriorPair, apply};
use slipway::strategy::blue_green::context::PairContext;
use slipway::strategy::blue_green::in_use::{
    Departure, Ways, late_requests, stop_or_keep, unless_both_fail, without_alarm,
};
use slipway::strategy::blue_green::retire::{RetireStep, RetireTimes, by_alarm, next_step};

use crate::{Parameters, UpdateContext, UpdateService, done, in_progress};

/// How long the old colour stays after the traffic left it, in minutes, unless the action gives
/// another number.
const DRAIN_MINUTES: u32 = 5;

/// The most rules of clients, and of tests, that a summary names.
const NAMED_RULES: usize = 3;

/// What sends requests to a colour whose record has weight 0, as far as it is known.
const LATE_CLIENTS: &str =
    "clients that keep a connection or a DNS answer, or use its addresses as scanners do";

/// The remark when the metrics may not be read. Later jobs receive it.
const UNREAD: &str = "requests were not looked at before the old colour was stopped: the deploy \
                      role may not call cloudwatch:GetMetricData; update the pipeline's stack";

impl UpdateService {
    /// Stops the old colour's tasks after the drain, once scale-in is enabled again.
    pub(crate) async fn retire(
        &self,
        context: &UpdateContext<'_>,
        target: &PairTarget,
    ) -> StepResult {
        let UpdateContext { job, lease, .. } = context;
        let pair = &target.prior;
        let seen = self.pairs.observe(lease, pair, &[]).await?;
        let names = pair.services(&lease.service);
        let scaling = self.pairs.scaling(&lease.cluster, &names).await?;

        let pair_context = PairContext {
            target,
            view: &seen.view,
        };
        let announced = lease.changed_at.unwrap_or(job.now);
        let times = RetireTimes {
            drain: drain(&job.parameters, pair, seen.route.sticky()),
            grace_left: lease.grace_left(job.now),
            waits_for_tasks: has_time(job) && job.now.since(announced) < OLD_TASKS_DEADLINE,
        };

        let departure = Departure {
            left_at: target.shift.as_ref().map_or(job.now, |shift| shift.at),
            drain: times.drain,
            now: seen.view.observed_at,
            may_wait: has_time(job),
        };
        let step = next_step(&pair_context, scaling, times);
        let (step, missing) = self.unless_alarm(context, &pair_context, step).await?;
        let step = match step {
            // Boxed: the SDK's futures are deep.
            RetireStep::Stop => {
                Box::pin(self.unless_in_use(context, target, &seen, departure)).await?
            }
            step => step,
        };
        // The metrics are looked at first: what fails most requests fails without the alarm, too.
        let step = match (step, missing) {
            (RetireStep::Stop, Some(missing)) => {
                without_alarm(&pair_context, departure, missing.name())
            }
            (step, _) => step,
        };
        let report = self.make(context, pair, &seen, step).await?;
        let remark = job.next_payload();
        let remark = remark.as_ref().and_then(Value::as_str);
        Ok(report.with_warning(remark.map(ToOwned::to_owned)))
    }

    /// The step, unless one of the action's alarms is in ALARM, and an alarm that does not exist:
    /// while there is one, the old colour is not stopped. Once that has no tasks, an alarm has no
    /// effect.
    async fn unless_alarm(
        &self,
        context: &UpdateContext<'_>,
        pair_context: &PairContext<'_>,
        step: RetireStep,
    ) -> Result<(RetireStep, Option<Alarm>), StepError> {
        let old = pair_context.pair().live;
        let is_stopped = pair_context.view.of(old).desired == 0;
        if is_stopped || matches!(step, RetireStep::Fail { .. }) {
            return Ok((step, None));
        }

        let names = context.job.parameters.alarms.as_deref().unwrap_or_default();
        let alarms = self.metrics.alarms(names).await?;
        let (missing, others): (Vec<Alarm>, Vec<Alarm>) =
            alarms.into_iter().partition(Alarm::is_missing);
        let step = match active(&others)? {
            Some(reason) => by_alarm(pair_context, &reason),
            None => step,
        };
        Ok((step, missing.into_iter().next()))
    }

    /// The stop of the old colour, unless the load balancer counts requests to it, or the new one
    /// fails most of its own.
    async fn unless_in_use(
        &self,
        context: &UpdateContext<'_>,
        target: &PairTarget,
        seen: &ObservedPair,
        departure: Departure,
    ) -> Result<RetireStep, StepError> {
        let UpdateContext { job, lease, .. } = context;
        let pair = &target.prior;
        let Some(sides) = self.sides(context, pair).await? else {
            return Ok(RetireStep::Stop);
        };

        let data = self.requests(job, &sides, departure).await?;
        let observed = Observations {
            data: &data,
            now_secs: departure.now.secs(),
        };
        let ways = if late_requests(&observed, departure) == 0 {
            Ways::default()
        } else {
            self.ways_to_old(pair, seen).await?
        };
        let pair_context = PairContext {
            target,
            view: &seen.view,
        };
        let step = stop_or_keep(&pair_context, &observed, departure, &ways);
        if !matches!(step, RetireStep::Fail { .. }) {
            return Ok(step);
        }

        let seen = self.pairs.observe(lease, pair, &[pair.live]).await?;
        let pair_context = PairContext {
            target,
            view: &seen.view,
        };
        Ok(unless_both_fail(step, &pair_context, departure))
    }

    /// What the requests are measured of; none without an Application Load Balancer before each
    /// colour, since no other one counts requests. With records each colour has its own.
    async fn sides(
        &self,
        context: &UpdateContext<'_>,
        pair: &PriorPair,
    ) -> Result<Option<Sides>, StepError> {
        let UpdateContext { job, lease, .. } = context;
        let (name, new) = (&lease.service, &job.parameters.task_definition);
        if let Route::Rule(_) = &pair.route {
            return Ok(Sides::from_pair(pair, name, new));
        }

        let groups = [pair.live, pair.idle()].map(|colour| pair.of(colour).target_group.as_str());
        let used = self.balancers.used_by(&BTreeSet::from(groups)).await?;
        let [live, idle] = groups.map(|group| used.get(group).and_then(|arns| arns.first()));
        Ok(live
            .zip(idle)
            .and_then(|(live, idle)| Sides::behind(pair, name, new, [live, idle])))
    }

    /// The requests to both colours and their answers; none where the deploy role may not read
    /// them.
    async fn requests(
        &self,
        job: &Job<Parameters>,
        sides: &Sides,
        departure: Departure,
    ) -> Result<Data, StepError> {
        let minutes = departure.minutes();
        let queries = answer_queries(sides);
        match self
            .metrics
            .read(&queries, minutes.start, minutes.end)
            .await
        {
            Ok(data) => Ok(data),
            Err(error) if error.is_denied() => {
                job.keep(json!(UNREAD));
                Ok(Data::new())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What may send requests to the old colour beside the weights: other rules and cookies, or
    /// clients that do not follow the records.
    async fn ways_to_old(&self, pair: &PriorPair, seen: &ObservedPair) -> Result<Ways, StepError> {
        let Route::Rule(rule) = &pair.route else {
            return Ok(Ways {
                clients: vec![LATE_CLIENTS.to_owned()],
                ..Ways::default()
            });
        };
        let group = &pair.of(pair.live).target_group;
        let leads = |other: &OtherRule| {
            let mut weights = other.weights.iter();
            weights.any(|(arn, weight)| arn == group && *weight > 0)
        };

        let mut others = self.rules.beside(rule).await?;
        others.retain(leads);
        let (selective, open): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|other| other.is_selective);
        let open: Vec<String> = open.into_iter().map(|other| other.arn).collect();
        let tags = self.rules.tags(TEST_ROUTE, &open).await?;
        let (tagged, mut clients): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|arn| is_for_tests(arn, &tags));

        clients.truncate(NAMED_RULES);
        if seen.route.sticky().is_some() {
            clients.push("clients that the rule binds".to_owned());
        }
        let selective = selective.into_iter().map(|other| other.arn);
        let tests = selective.chain(tagged).take(NAMED_RULES).collect();
        Ok(Ways { clients, tests })
    }

    /// Announces the change of a step and makes it, or reports the step.
    async fn make(
        &self,
        context: &UpdateContext<'_>,
        pair: &PriorPair,
        seen: &ObservedPair,
        step: RetireStep,
    ) -> StepResult {
        let UpdateContext { job, lease, .. } = context;
        match step {
            RetireStep::Stop => {
                let announced = apply(lease, Event::RetirementAnnounced, job.now)?;
                self.ledger.advance(&announced).await?;
                self.services.resize(seen.of(pair.live), 0).await?;

                let summary = format!("stopping the tasks of {}", pair.live);
                Ok(in_progress(job, summary, 75))
            }
            RetireStep::RestoreScaleIn => {
                let announced = apply(lease, Event::ScaleInRestorationAnnounced, job.now)?;
                self.ledger.advance(&announced).await?;
                self.pairs.suspend_scale_in(lease, pair, false).await?;

                let summary = "scale-in re-enabled for both colours".to_owned();
                Ok(in_progress(job, summary, 40))
            }
            RetireStep::Wait { summary, percent } => Ok(in_progress(job, summary, percent)),
            RetireStep::Done { summary } => Ok(done(job, summary)),
            RetireStep::Fail { failure, .. } => {
                // The weights may be those that another invocation set since the lease was read:
                // then this write loses, and the next job observes again.
                let failed = Event::FailureRecorded(failure.clone());
                self.ledger.advance(&apply(lease, failed, job.now)?).await?;
                Err(failure.into())
            }
        }
    }
}

/// Whether the action has time to wait: a release does not fail for what its old colour does.
fn has_time(job: &Job<Parameters>) -> bool {
    job.now.since(job.since) < job.kind.hold()
}

/// How long the old colour stays after the traffic left it. Clients that a rule binds to it keep
/// their sessions until these end; with records the traffic has left when the last DNS answer has
/// expired.
fn drain(parameters: &Parameters, pair: &PriorPair, sticky: Option<Duration>) -> Duration {
    let minutes = parameters.drain_minutes.unwrap_or(DRAIN_MINUTES);
    let drain = Duration::from_secs(u64::from(minutes) * 60);
    let sticky = sticky.unwrap_or_default().min(STICKY_DRAIN);
    drain.max(sticky) + pair.route.ttl().unwrap_or_default()
}
