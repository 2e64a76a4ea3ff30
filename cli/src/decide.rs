//! `slipway decide`: the decision about a canary that was inconclusive.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use slipway::aws::{Functions, Returned};
use slipway::release::OperatorDecision;

use crate::words::name_of;
use crate::{Answer, Failed, Session, find};

/// The output with the function that judges canaries.
const FUNCTION: &str = "EvaluateCanaryFunctionArn";

/// Decides about a canary whose judgement is inconclusive and waits for an operator.
///
/// The waiting action obeys at its next look, within a minute.
#[derive(Debug, Args)]
pub struct Decide {
    /// What is decided.
    #[arg(value_enum)]
    pub decision: Decision,
    /// The pair, `SERVICE` or `CLUSTER/SERVICE`.
    pub service: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Decision {
    /// All of the traffic goes to the new colour.
    Promote,
    /// The traffic returns to the old colour.
    RollBack,
}

impl Decide {
    /// # Errors
    /// If no decision is waited for, or a call fails.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        let lease = find::lease(session, &self.service).await?;
        let name = name_of(&lease);
        let waiting = lease
            .release
            .as_ref()
            .filter(|release| release.awaits_decision());
        let Some((release, change)) = waiting.and_then(|it| Some((it, it.change()?))) else {
            return Err(Failed::Refused(format!(
                "no judgement of `{name}` waits for a decision"
            )));
        };

        let decision = match self.decision {
            Decision::Promote => OperatorDecision::Promote,
            Decision::RollBack => OperatorDecision::RollBack,
        };
        let event = json!({"parameters": {
            "pipeline": release.pipeline, "execution": release.execution,
            "cluster": lease.cluster, "service": lease.service,
            "task_definition": change.task_definition, "decision": decision,
        }});
        let report = invoke(session, FUNCTION, &event).await?;
        let text = report["summary"].as_str().unwrap_or("decided").to_owned();
        Ok(Answer::line(text, report))
    }
}

/// Invokes a function of the stack and returns its response.
///
/// # Errors
/// Refused, with its message, if it reports a failure.
pub(crate) async fn invoke(
    session: &Session,
    output: &str,
    event: &Value,
) -> Result<Value, Failed> {
    let report = call(session, output, event).await?;
    if report["status"] == "failed" {
        let message = report["message"].as_str().unwrap_or_default();
        return Err(Failed::Refused(message.to_owned()));
    }
    Ok(report)
}

/// Invokes a function of the stack and returns its response, a report of a failure too.
///
/// # Errors
/// If the call fails, or the function ends with an error.
pub(crate) async fn call(session: &Session, output: &str, event: &Value) -> Result<Value, Failed> {
    let function = session.output(output)?;
    match Functions::new(&session.sdk).call(function, event).await? {
        Returned::Response(report) => Ok(report),
        Returned::Error(error) => Err(Failed::Unknown(format!("{function} failed: {error}"))),
    }
}
