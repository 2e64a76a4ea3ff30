//! What a user sees while the sandbox serves: one line a request, one for every pipeline execution
//! that begins or ends, and one for what was requested and is missing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use console::style;
use emulator::client::Exchange;
use emulator::codepipeline::Execution;
use emulator::{Aws, Call, Millis};
use invariants::ledger_reader::{record, text};
use slipway::timestamp::Timestamp;

/// The codes of services for an operation that they do not know.
const UNKNOWN: [&str; 3] = [
    "InvalidAction",
    "NotImplemented",
    "UnknownOperationException",
];

/// How long after its end the record of an execution may still change.
const SETTLED_AFTER_MS: Millis = 10 * 60 * 1000;

/// What was printed so far.
#[derive(Debug, Default)]
pub(super) struct Console {
    requests: usize,
    missing: BTreeSet<String>,
    /// What was last printed about every execution, by id.
    executions: BTreeMap<String, String>,
}

impl Console {
    /// A console that does not print the executions so far.
    pub(super) fn starting_at(aws: &Aws) -> Self {
        let mut console = Self::default();
        console.news(aws);
        console
    }

    pub(super) fn tell(&mut self, exchange: &Exchange) {
        self.requests += 1;
        println!(
            "{}",
            request_line(
                &exchange.call,
                exchange.response.status,
                &exchange.response.body
            )
        );

        if let Some(missing) = missing(&exchange.call) {
            println!("          {} {missing}", style("missing:").yellow());
            self.missing.insert(missing);
        }
    }

    /// Prints which executions began or ended.
    pub(super) fn watch(&mut self, aws: &Aws) {
        self.news(aws).iter().for_each(|line| println!("{line}"));
    }

    fn news(&mut self, aws: &Aws) -> Vec<String> {
        let mut lines = Vec::new();
        for execution in &aws.codepipeline.executions {
            let settles = execution.is_over() && aws.now - execution.updated < SETTLED_AFTER_MS;
            if self.executions.contains_key(&execution.id) && execution.is_over() && !settles {
                continue;
            }

            let status = status(aws, execution, settles);
            if self.executions.get(&execution.id) != Some(&status) {
                let (time, pipeline) = (clock(aws.now), style(&execution.pipeline).bold());
                lines.push(format!("{time}  {pipeline} {} {status}", execution.id));
                self.executions.insert(execution.id.clone(), status);
            }
        }
        lines
    }

    /// How it was, for the end.
    pub(super) fn summary(&self) -> String {
        let mut summary = format!("{} requests served", self.requests);
        if !self.missing.is_empty() {
            let missing: Vec<&str> = self.missing.iter().map(String::as_str).collect();
            summary.push_str(&format!("; requested and missing: {}", missing.join(", ")));
        }
        summary
    }
}

/// The status of an execution, and how its release ended once the ledger has it.
fn status(aws: &Aws, execution: &Execution, settles: bool) -> String {
    let record = if settles {
        record(aws, &execution.id)
    } else {
        None
    };
    let outcome = record
        .as_ref()
        .and_then(|record| Some((text(record, "outcome")?, text(record, "reason")?)));

    match outcome {
        Some((outcome, reason)) => format!("{}: {outcome}, {reason}", execution.status.as_str()),
        None => execution.status.as_str().to_owned(),
    }
}

fn request_line(call: &Call, status: u16, body: &[u8]) -> String {
    let mut line = format!(
        "{}  {} {} {status}",
        clock(call.at),
        call.service,
        call.operation
    );
    if let Some(error) = &call.error {
        line.push_str(&format!(" {error}"));
        if let Some(message) = message(body) {
            line.push_str(&format!(": {message}"));
        }
    }
    line
}

/// The message of an error response, whether it is JSON or XML.
fn message(body: &[u8]) -> Option<String> {
    let body = std::str::from_utf8(body).ok()?;
    if let Ok(answer) = serde_json::from_str::<serde_json::Value>(body) {
        let message = answer.get("message").or(answer.get("Message"))?;
        return message.as_str().map(str::to_owned);
    }
    let (_, rest) = body.split_once("<Message>")?;
    Some(rest.split_once("</Message>")?.0.to_owned())
}

/// What was requested and is not served.
fn missing(call: &Call) -> Option<String> {
    call.error
        .as_deref()
        .filter(|error| UNKNOWN.contains(error))?;
    Some(format!("{} {}", call.service, call.operation))
}

fn clock(at: Millis) -> String {
    let time = std::time::UNIX_EPOCH + Duration::from_millis(at.unsigned_abs());
    Timestamp::from(time)
        .to_string()
        .chars()
        .skip(11)
        .take(8)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(service: &str, operation: &str, error: Option<&str>) -> Call {
        Call {
            at: 1_767_603_600_000,
            caller: "operator".to_owned(),
            service: service.to_owned(),
            operation: operation.to_owned(),
            error: error.map(str::to_owned),
            attempt: None,
            cut_off: false,
        }
    }

    #[test]
    fn a_request_is_one_line_with_its_error() {
        assert_eq!(
            request_line(&call("ecs", "ListTasks", None), 200, b"{}"),
            "09:00:00  ecs ListTasks 200"
        );

        let refused = call("ecs", "ListTasks", Some("ClusterNotFoundException"));
        assert_eq!(
            request_line(&refused, 400, br#"{"message": "Cluster not found."}"#),
            "09:00:00  ecs ListTasks 400 ClusterNotFoundException: Cluster not found."
        );

        let xml = b"<ErrorResponse><Error><Code>RuleNotFound</Code><Message>none</Message></Error></ErrorResponse>";
        assert!(
            request_line(
                &call("elb", "DescribeRules", Some("RuleNotFound")),
                400,
                xml
            )
            .ends_with("RuleNotFound: none")
        );
    }

    #[test]
    fn only_unknown_operations_are_missing() {
        assert_eq!(
            missing(&call("ecs", "ListTasks", Some("ClusterNotFoundException"))),
            None
        );
        for code in UNKNOWN {
            assert_eq!(
                missing(&call("ecs", "ListAttributes", Some(code))).as_deref(),
                Some("ecs ListAttributes")
            );
        }
    }
}
