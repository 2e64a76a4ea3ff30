//! How a judgement ends: promoted, given back, or held until a person decides or time is over.

use std::collections::BTreeMap;

use slipway::job::{Failure, Report, StepError, StepResult};
use slipway::judge;
use slipway::limits::REPORT_DEADLINE;
use slipway::release::{Decision, Judged};
use slipway::routing::mover::WayBack;
use slipway::strategy::canary::Outlook;
use slipway::timestamp::readable;

use super::{EvaluateCanary, Look, Standing};

/// The report of a judgement that ended well.
pub(crate) fn done(judged: &Judged) -> Report {
    Report::Done {
        summary: judged.summary.clone(),
        outputs: judged.outputs.clone(),
        external_id: None,
    }
}

impl EvaluateCanary {
    /// The new colour goes on: the report is written, and the lease knows that this judgement has ended. `undecided` says why it
    /// goes on although nothing was shown.
    pub(crate) async fn conclude(
        &self,
        look: Look<'_>,
        outlook: &Outlook,
        undecided: Option<&str>,
    ) -> StepResult {
        let key = look.key();
        let (verdict, why) = match undecided {
            None => ("promote", outlook.reason.clone()),
            Some(because) => (
                "inconclusive",
                format!("{because}: {}", outlook.undecided()),
            ),
        };
        let report = match self
            .write(&look, outlook, &key, judge::Decision::Promote, &why)
            .await
        {
            Ok(()) => format!("report: {}", self.reports.link(&key)),
            Err(StepError::Busy(busy)) => return Err(StepError::Busy(busy)),
            // The new colour is as healthy without a report.
            Err(error) => format!("its report could not be written: {error}"),
        };
        let summary = format!("{verdict}: {why}; {report}");
        let judged = self.judged(&look, verdict, summary, outlook, &key);
        self.ledger
            .advance(&look.lease.with_judged(judged.clone()))
            .await?;
        Ok(done(&judged))
    }

    /// Decides that the traffic goes back, and gives it back.
    pub(crate) async fn give_up(
        &self,
        look: Look<'_>,
        reason: &str,
        outlook: Option<Outlook>,
    ) -> StepResult {
        let lease = look.lease.with_restoring(reason, look.job.now);
        self.ledger.advance(&lease).await?;
        self.restore(Look { lease, ..look }, outlook).await
    }

    /// Gives the recorded weights back, writes the report, and fails the job with the reason and where the report is.
    pub(crate) async fn restore(&self, look: Look<'_>, outlook: Option<Outlook>) -> StepResult {
        let (job, key) = (look.job, look.key());
        let (reason, lease) = match self
            .traffic
            .give_back(look.lease.clone(), look.pair, job.now)
            .await?
        {
            WayBack::Going(summary) => {
                return Ok(Report::going_with(summary, 50, job.payload.clone()));
            }
            WayBack::Back(reason, lease) => (reason, *lease),
        };
        let look = Look { lease, ..look };
        let said = match self.account_for(&look, outlook, &key, &reason).await {
            Ok(true) => format!("; report: {}", self.reports.link(&key)),
            Ok(false) => String::new(),
            // The traffic is safe. A report that will not be written must not keep the release from its end.
            Err(StepError::Busy(why)) if !look.waited_for_report() => {
                return Ok(Report::going_with(
                    format!("{reason}; its report: {why}"),
                    90,
                    job.payload.clone(),
                ));
            }
            Err(error) => format!("; its report could not be written: {error}"),
        };
        Err(Failure::job(format!("{reason}{said}")).into())
    }

    /// Writes the report of a judgement whose traffic went back; `false` when nothing had been judged.
    async fn account_for(
        &self,
        look: &Look<'_>,
        outlook: Option<Outlook>,
        key: &str,
        reason: &str,
    ) -> Result<bool, StepError> {
        let outlook = match outlook {
            Some(outlook) => Some(outlook),
            None => self.last_outlook(look).await?,
        };
        let Some(outlook) = outlook else {
            return Ok(false);
        };
        self.write(look, &outlook, key, judge::Decision::Rollback, reason)
            .await?;
        let judged = self.judged(look, "rollback", reason.to_owned(), &outlook, key);
        self.ledger.advance(&look.lease.with_judged(judged)).await?;
        Ok(true)
    }

    /// What the judge knows where something else ended the judgement, or an invocation that died had seen it.
    async fn last_outlook(&self, look: &Look<'_>) -> Result<Option<Outlook>, StepError> {
        let Some(memory) = look.memory()? else {
            return Ok(None);
        };
        let minute = look.minute(&memory);
        if minute == 0 {
            return Ok(None);
        }
        let settings = self.settings(look.job).await?;
        self.outlook(look, &settings, &memory, minute)
            .await
            .map(Some)
    }

    async fn write(
        &self,
        look: &Look<'_>,
        outlook: &Outlook,
        key: &str,
        decision: judge::Decision,
        reason: &str,
    ) -> Result<(), StepError> {
        let spec = &look.job.spec;
        let name = format!("{} {}", spec.service, look.sides()?.canary.task_definition);
        let sides = look.sides()?;
        let judgement = outlook.judgement(&name)?;
        let facts = [
            ("Pipeline", spec.pipeline.clone()),
            ("Execution", spec.execution.clone()),
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
            ("Began", look.job.since.to_string()),
            ("Ended", look.job.now.to_string()),
        ];
        let judgement = facts.iter().fold(judgement, |judgement, (name, fact)| {
            judgement.with_fact(name, fact)
        });
        let judgement = judgement.with_ending(decision, reason);
        Ok(self.reports.write(key, &judgement).await?)
    }

    fn judged(
        &self,
        look: &Look<'_>,
        verdict: &str,
        summary: String,
        outlook: &Outlook,
        key: &str,
    ) -> Judged {
        let judge = &outlook.verdict;
        let outputs = [
            ("Verdict", verdict.to_owned()),
            ("Minutes", judge.minute.to_string()),
            (
                "EvidenceOfHarm",
                format!("{:.3}", judge.log_e.exp().min(1e9)),
            ),
            (
                "EvidenceOfHealth",
                format!("{:.3}", judge.log_e_promote.exp().min(1e9)),
            ),
            ("CanaryRequests", judge.comparison.canary.0.to_string()),
            ("Report", self.reports.location(key)),
        ];
        let outputs: BTreeMap<String, String> =
            outputs.map(|(name, value)| (name.to_owned(), value)).into();
        let report = self.reports.location(key);
        Judged {
            since: look.job.since,
            verdict: verdict.to_owned(),
            summary,
            outputs,
            report,
        }
    }

    /// Nothing was shown: the traffic stays as it is until a person decides, and goes back when nobody does.
    pub(crate) async fn hold(
        &self,
        look: Look<'_>,
        outlook: Outlook,
        minute: u32,
        standing: &Standing,
    ) -> StepResult {
        let (job, now) = (look.job, look.job.now);
        let known = look
            .release
            .holding
            .as_ref()
            .filter(|holding| holding.action == job.since);
        let since = known.map_or(now, |holding| holding.since);
        if known.is_none() {
            self.ledger
                .advance(&look.lease.with_holding(job.since, now))
                .await?;
        }
        let (waited, hold) = (now.since(since), job.spec.hold());
        match known.and_then(|holding| holding.decision) {
            Some(Decision::Promote) => {
                return self
                    .conclude(look, &outlook, Some("a person decided to promote"))
                    .await;
            }
            Some(Decision::RollBack) => {
                let reason = format!("a person decided to roll back: {}", outlook.undecided());
                return self.give_up(look, &reason, Some(outlook)).await;
            }
            None if waited >= hold => {
                let reason = format!(
                    "held for {} and nobody decided: {}",
                    readable(hold),
                    outlook.undecided()
                );
                let lease = look.lease.with_held(&reason, now);
                self.ledger.advance(&lease).await?;
                return self.restore(Look { lease, ..look }, Some(outlook)).await;
            }
            None => {}
        }
        let memory = outlook.memory.clone().with_hold(minute);
        let new = look.pair.idle();
        let summary = format!(
            "holds for a person: {}% to {new} stays while it is healthy, and goes back in {}; invoke this function with its parameters and `decision` `promote` or `roll-back`, or stop the execution; {}; {}",
            standing.weights.percent(new),
            readable(hold.saturating_sub(waited)),
            outlook.undecided(),
            standing.health
        );
        Ok(Report::going_with(summary, 99, Some(memory.payload())))
    }

    /// The metrics cannot be read now. A hold that is over, or that a person ended, is over all the same.
    pub(crate) async fn wait_blind(&self, look: Look<'_>, busy: String) -> StepResult {
        let holding = look
            .release
            .holding
            .as_ref()
            .filter(|holding| holding.action == look.job.since);
        let Some(holding) = holding else {
            return Err(StepError::Busy(busy));
        };
        let (waited, hold) = (look.job.now.since(holding.since), look.job.spec.hold());
        match holding.decision {
            Some(Decision::RollBack) => {
                self.give_up(
                    look,
                    &format!("a person decided to roll back; {busy}"),
                    None,
                )
                .await
            }
            None if waited >= hold => {
                let reason = format!("held for {} and nobody decided; {busy}", readable(hold));
                let lease = look.lease.with_held(&reason, look.job.now);
                self.ledger.advance(&lease).await?;
                self.restore(Look { lease, ..look }, None).await
            }
            Some(Decision::Promote) | None => Err(StepError::Busy(busy)),
        }
    }

    /// Writes down what a person decided; the job that holds obeys at its next look.
    pub(crate) async fn decide(&self, look: Look<'_>, decision: Decision) -> StepResult {
        if look.release.holding.is_none() {
            return Err(Failure::configuration(
                "`decision` is given, but no judgement of this release holds; legal: while evaluate-canary holds; remove it from the action's parameters",
            )
            .into());
        }
        self.ledger
            .advance(&look.lease.with_decision(decision))
            .await?;
        let (word, what) = match decision {
            Decision::Promote => ("promote", "the release goes on"),
            Decision::RollBack => ("roll-back", "the traffic goes back"),
        };
        Ok(Report::done(
            format!("decided: {what} at the next look"),
            [("Decision", word.to_owned())],
        ))
    }
}

impl Look<'_> {
    fn waited_for_report(&self) -> bool {
        let restoring = self
            .lease
            .release
            .as_ref()
            .and_then(|release| release.restoring.as_ref());
        restoring.is_some_and(|restoring| self.job.now.since(restoring.since) >= REPORT_DEADLINE)
    }
}
