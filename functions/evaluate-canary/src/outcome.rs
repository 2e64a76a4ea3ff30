//! The outcome of a judgement: promoted, rolled back, or held until an operator decides or time is
//! up.

use slipway::job::{Failure, JobReport, StepError, StepResult};
use slipway::judge;
use slipway::release::{Event, JudgementRecord, OperatorDecision, TrafficReturn, apply};
use slipway::routing::mover::ReturnProgress;
use slipway::strategy::canary::Outlook;
use slipway::timestamp::readable;

use crate::EvaluateCanary;
use crate::context::{CanaryContext, PairHealth};

/// The report of a judgement that has ended.
pub(crate) fn done(judged: &JudgementRecord) -> JobReport {
    JobReport::Done {
        summary: judged.summary.clone(),
        outputs: judged.outputs.clone(),
        external_id: None,
    }
}

fn awaiting_decision(
    context: &CanaryContext<'_>,
    outlook: &Outlook,
    minute: u32,
    health: &PairHealth,
    left: &str,
) -> JobReport {
    let new = context.pair.idle();
    let summary = format!(
        "waiting for a decision: keeping {}% on {new} while healthy; rolls back in {left}; invoke \
         this function with its parameters and `decision` `promote` or `roll-back`, or stop the \
         execution; {}; {}",
        health.weights.percent(new),
        outlook.reason,
        health.health
    );
    let bake_state = outlook.state.clone().with_hold(minute);
    JobReport::in_progress_with(summary, 99, Some(bake_state.payload()))
}

impl EvaluateCanary {
    /// Promotes the new colour: writes the report and records in the lease that this judgement has
    /// ended. `undecided` is the reason to promote without evidence.
    pub(crate) async fn conclude(
        &self,
        context: CanaryContext<'_>,
        outlook: &Outlook,
        undecided: Option<&str>,
    ) -> StepResult {
        let key = context.key();
        let (verdict, why) = match undecided {
            None => ("promote", outlook.reason.clone()),
            Some(because) => ("inconclusive", format!("{because}: {}", outlook.reason)),
        };

        let written = self
            .write(&context, outlook, judge::Decision::Promote, &why)
            .await;
        let report = match written {
            Ok(()) => format!("report: {}", self.reports.link(&key)),
            Err(StepError::Busy(busy)) => return Err(StepError::Busy(busy)),
            // The new colour is as healthy without a report.
            Err(error) => format!("failed to write the report: {error}"),
        };

        let summary = format!("{verdict}: {why}; {report}");
        let judged = self.judged(&context, verdict, summary, outlook);
        let ended = Event::JudgementRecorded(judged.clone());
        self.ledger
            .advance(&apply(&context.lease, ended, context.job.now)?)
            .await?;
        Ok(done(&judged))
    }

    /// Records the decision to restore the traffic, and restores it.
    pub(crate) async fn abort(
        &self,
        context: CanaryContext<'_>,
        reason: &str,
        outlook: Option<Outlook>,
    ) -> StepResult {
        let context = self.decide_return(context, reason, false).await?;
        self.restore(context, outlook).await
    }

    /// Records the decision to restore the traffic. `held`: no operator decided in time.
    async fn decide_return<'a>(
        &self,
        context: CanaryContext<'a>,
        reason: &str,
        held: bool,
    ) -> Result<CanaryContext<'a>, StepError> {
        let decision = TrafficReturn {
            reason: reason.to_owned(),
            since: context.job.now,
            held,
        };
        let decided = Event::ReturnDecided(decision);
        let lease = apply(&context.lease, decided, context.job.now)?;
        self.ledger.advance(&lease).await?;
        Ok(CanaryContext { lease, ..context })
    }

    /// Restores the recorded weights, writes the report, and fails the job with the reason and the
    /// link to the report.
    pub(crate) async fn restore(
        &self,
        context: CanaryContext<'_>,
        outlook: Option<Outlook>,
    ) -> StepResult {
        let returned = self
            .traffic
            .return_traffic(context.lease.clone(), context.pair, context.job.now)
            .await?;
        let (reason, lease) = match returned {
            ReturnProgress::Returning(summary) => {
                return Ok(context.in_progress(summary, 50));
            }
            ReturnProgress::Returned(reason, lease) => (reason, *lease),
        };

        let key = context.key();
        let context = CanaryContext { lease, ..context };
        let written = match self.report_rollback(&context, outlook, &reason).await {
            Ok(true) => format!("; report: {}", self.reports.link(&key)),
            Ok(false) => String::new(),
            // The traffic is safe: a report that cannot be written must not delay the end of the
            // release.
            Err(StepError::Busy(why)) if !context.waited_for_report() => {
                return Ok(context.in_progress(format!("{reason}; its report: {why}"), 90));
            }
            Err(error) => format!("; failed to write the report: {error}"),
        };
        Err(Failure::job(format!("{reason}{written}")).into())
    }

    /// Writes the report of a judgement whose traffic was restored; `false` when nothing was
    /// judged.
    async fn report_rollback(
        &self,
        context: &CanaryContext<'_>,
        outlook: Option<Outlook>,
        reason: &str,
    ) -> Result<bool, StepError> {
        let outlook = match outlook {
            Some(outlook) => Some(outlook),
            None => self.last_outlook(context).await?,
        };
        let Some(outlook) = outlook else {
            return Ok(false);
        };

        self.write(context, &outlook, judge::Decision::Rollback, reason)
            .await?;

        let judged = self.judged(context, "rollback", reason.to_owned(), &outlook);
        let ended = Event::JudgementRecorded(judged);
        self.ledger
            .advance(&apply(&context.lease, ended, context.job.now)?)
            .await?;
        Ok(true)
    }

    /// The judge's view, when something else or an earlier invocation ended the judgement.
    async fn last_outlook(
        &self,
        context: &CanaryContext<'_>,
    ) -> Result<Option<Outlook>, StepError> {
        let Some(bake_state) = context.bake_state()? else {
            return Ok(None);
        };

        let minute = context.minute(&bake_state);
        if minute == 0 {
            return Ok(None);
        }

        let settings = self.settings(context.job).await?;
        let weights = context.target.shift.as_ref().map(|shift| shift.to);
        let health = PairHealth {
            weights: weights.unwrap_or(context.pair.weights()),
            health: String::new(),
            sticky: bake_state.sticky,
        };
        self.outlook(context, &settings, &bake_state, minute, &health)
            .await
            .map(Some)
    }

    async fn write(
        &self,
        context: &CanaryContext<'_>,
        outlook: &Outlook,
        decision: judge::Decision,
        reason: &str,
    ) -> Result<(), StepError> {
        let release = &context.job.release;
        let sides = context.sides()?;
        let name = format!("{} {}", release.service, sides.canary.task_definition);
        let judgement = outlook.judgement(&name);

        let facts = [
            ("Pipeline", release.pipeline.clone()),
            ("Execution", release.execution.clone()),
            (
                "Canary",
                format!(
                    "{} in {}",
                    sides.canary.task_definition, sides.canary.service
                ),
            ),
            (
                "Baseline",
                format!(
                    "{} in {}",
                    sides.baseline.task_definition, sides.baseline.service
                ),
            ),
            ("Began", context.job.since.to_string()),
            ("Ended", context.job.now.to_string()),
        ];

        let judgement = facts.iter().fold(judgement, |judgement, (name, fact)| {
            judgement.with_fact(name, fact)
        });
        let judgement = judgement.with_ending(decision, reason);
        Ok(self.reports.write(&context.key(), &judgement).await?)
    }

    fn judged(
        &self,
        context: &CanaryContext<'_>,
        verdict: &str,
        summary: String,
        outlook: &Outlook,
    ) -> JudgementRecord {
        let judge = &outlook.verdict;
        let evidence = |log_e: f64| format!("{:.3}", log_e.exp().min(1e9));
        let report = self.reports.location(&context.key());

        let outputs = [
            ("Verdict", verdict.to_owned()),
            ("Minutes", judge.minute.to_string()),
            ("EvidenceOfHarm", evidence(judge.log_e)),
            ("EvidenceOfHealth", evidence(judge.log_e_promote)),
            ("CanaryRequests", outlook.requests.0.to_string()),
            ("Report", report.clone()),
        ];

        JudgementRecord {
            since: context.job.since,
            verdict: verdict.to_owned(),
            summary,
            outputs: outputs.map(|(name, value)| (name.to_owned(), value)).into(),
            report,
        }
    }

    /// Inconclusive: the weights stay until an operator decides, and are restored when the time is
    /// up.
    pub(crate) async fn await_decision(
        &self,
        context: CanaryContext<'_>,
        outlook: Outlook,
        minute: u32,
        health: &PairHealth,
    ) -> StepResult {
        let job = context.job;
        let now = job.now;
        let known = context.awaiting();
        let since = known.map_or(now, |awaiting| awaiting.since);
        if known.is_none() {
            let awaited = Event::DecisionAwaited { action: job.since };
            self.ledger
                .advance(&apply(&context.lease, awaited, now)?)
                .await?;
        }

        let waited = now.since(since);
        let hold = job.parameters.hold();
        match known.and_then(|awaiting| awaiting.decision) {
            Some(OperatorDecision::Promote) => {
                return self
                    .conclude(context, &outlook, Some("promoted by an operator"))
                    .await;
            }
            Some(OperatorDecision::RollBack) => {
                let reason = format!("rolled back by an operator: {}", outlook.reason);
                return self.abort(context, &reason, Some(outlook)).await;
            }
            None if waited >= hold => {
                let reason = format!("no decision within {}: {}", readable(hold), outlook.reason);
                let context = self.decide_return(context, &reason, true).await?;
                return self.restore(context, Some(outlook)).await;
            }
            None => {}
        }

        let left = readable(hold.saturating_sub(waited));
        Ok(awaiting_decision(&context, &outlook, minute, health, &left))
    }

    /// Without metrics, a hold still ends when its time is up or when an operator rolls back.
    pub(crate) async fn wait_without_metrics(
        &self,
        context: CanaryContext<'_>,
        busy: String,
    ) -> StepResult {
        let Some(awaiting) = context.awaiting() else {
            return Err(StepError::Busy(busy));
        };

        let waited = context.job.now.since(awaiting.since);
        let hold = context.job.parameters.hold();
        match awaiting.decision {
            Some(OperatorDecision::RollBack) => {
                let reason = format!("rolled back by an operator; {busy}");
                self.abort(context, &reason, None).await
            }
            None if waited >= hold => {
                let reason = format!("no decision within {}; {busy}", readable(hold));
                let context = self.decide_return(context, &reason, true).await?;
                self.restore(context, None).await
            }
            // The hold has its own end.
            None => Ok(context.in_progress(busy, 99)),
            Some(OperatorDecision::Promote) => Err(StepError::Busy(busy)),
        }
    }

    /// Records the operator's decision; the waiting job applies it.
    pub(crate) async fn record_decision(
        &self,
        context: CanaryContext<'_>,
        decision: OperatorDecision,
    ) -> StepResult {
        if context.target.awaiting.is_none() {
            return Err(Failure::configuration(
                "`decision` is given, but no judgement of this release is waiting for one; remove \
                 it from the action's parameters",
            )
            .into());
        }

        let decided = Event::OperatorDecided(decision);
        self.ledger
            .advance(&apply(&context.lease, decided, context.job.now)?)
            .await?;

        let (word, what) = match decision {
            OperatorDecision::Promote => ("promote", "the next job promotes"),
            OperatorDecision::RollBack => ("roll-back", "the next job restores the traffic"),
        };

        Ok(JobReport::done(
            format!("decision recorded: {what}"),
            [("Decision", word.to_owned())],
        ))
    }
}
