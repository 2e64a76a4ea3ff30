//! `slipway doctor`: whether the functions work, beside the checks of a release.

mod left;
mod pushes;

use clap::Args;
use serde_json::{Value, json};
use slipway::aws::{Listing, Metrics};
use slipway::observed::alarm::Alarm;

use crate::pipeline::Pipeline;
use crate::{Answer, Block, Cell, Exit, Failed, Plan, Session, Table, Tone};

/// The alarms of the functions' stack by the outputs that name them, and what to do when one is in
/// ALARM.
const ALARMS: [(&str, &str, &str); 2] = [
    (
        "dead letters",
        "DeadLettersAlarmName",
        "events wait in the queue; docs/operate/dead-letters.md explains them",
    ),
    (
        "sweep",
        "SweepAlarmName",
        "rollbacks do not go on; the log of roll-back and its rule in EventBridge have why",
    ),
];

/// Checks whether the functions work: dead letters, the sweep, releases that it left, and whether
/// the ledger can be read.
///
/// Fields: state (OK, NG or SKIP), check, found. With a pipeline also pushes that were missed, and
/// the checks of `plan`. It ends with 1 if a check is NG.
#[derive(Debug, Args)]
pub struct Doctor {
    /// The name of a pipeline, or a service that it has released.
    #[arg(value_name = "SERVICE|PIPELINE")]
    pub target: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ok,
    Ng,
    Skip,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Check {
    state: State,
    name: &'static str,
    found: String,
}

impl Doctor {
    /// # Errors
    /// If a call fails, or there is no such pipeline.
    pub async fn run(&self, session: &Session) -> Result<Answer, Failed> {
        let mut checks = alarms(session).await?;
        let listing = session.ledger().leases().await?;
        checks.extend(left::checks(session, &listing).await?);
        checks.extend(of_ledger(&listing));
        let Some(target) = &self.target else {
            return Ok(answer(&checks));
        };

        let pipeline = Pipeline::find_in(session, &listing, target).await?;
        checks.extend(pushes::checks(session, &pipeline).await?);
        let own = answer(&checks);
        let plan = Plan {
            target: target.clone(),
            image: None,
        };
        let mut both = plan.of(session, &pipeline).await?;
        let mut blocks = own.blocks;
        blocks.append(&mut both.blocks);
        both.blocks = blocks;
        both.json["functions"] = own.json["functions"].clone();
        let is_ng = [own.exit, both.exit].contains(&Exit::NotDeployed);
        Ok(both.ending(Exit::of_checks(is_ng)))
    }
}

/// What the alarms of the functions' stack have, which exist if they have a topic to notify.
async fn alarms(session: &Session) -> Result<Vec<Check>, Failed> {
    let named = ALARMS.map(|(_, output, _)| session.output(output).ok().map(ToOwned::to_owned));
    let names: Vec<String> = named.iter().flatten().cloned().collect();
    let found = Metrics::new(&session.sdk).alarms(&names).await?;
    let checks = ALARMS.iter().zip(&named);
    Ok(checks
        .map(|((name, _, remedy), alarm)| of_alarm(name, alarm.as_deref(), &found, remedy))
        .collect())
}

fn of_alarm(
    name: &'static str,
    alarm: Option<&str>,
    found: &[Alarm],
    remedy: &'static str,
) -> Check {
    let check = |state, found| Check { state, name, found };
    let Some(alarm) = alarm else {
        let why = "the functions' stack has no alarm; expected NotificationTopicArn among its \
                   parameters";
        return check(State::Skip, why.to_owned());
    };
    match found.iter().find(|it| it.name() == alarm) {
        None => check(State::Ok, format!("alarm {alarm} is not in ALARM")),
        Some(Alarm::Active { reason, .. }) => check(
            State::Ng,
            format!("alarm {alarm} is in ALARM ({reason}): {remedy}"),
        ),
        Some(Alarm::Missing { .. }) => check(
            State::Ng,
            format!("alarm {alarm} does not exist; deploy the functions' stack again"),
        ),
    }
}

fn of_ledger(listing: &Listing) -> Vec<Check> {
    let name = "ledger";
    let unreadable = listing.unreadable.iter().map(|item| Check {
        state: State::Ng,
        name,
        found: item.error.to_string(),
    });
    let mut checks: Vec<Check> = unreadable.collect();
    if checks.is_empty() {
        let found = format!("{} leases can be read", listing.leases.len());
        checks.push(Check {
            state: State::Ok,
            name,
            found,
        });
    }
    checks
}

fn answer(checks: &[Check]) -> Answer {
    let mut table = Table::new(vec!["state", "check", "found"]);
    let mut json = Vec::new();
    for check in checks {
        let (word, tone) = check.state.shown();
        table.push(vec![
            Cell::new(word, tone),
            check.name.into(),
            check.found.as_str().into(),
        ]);
        json.push(json!({"state": word, "check": check.name, "found": check.found}));
    }
    let is_ng = checks.iter().any(|check| check.state == State::Ng);
    let json: Value = json!({ "functions": json });
    Answer::new(vec![Block::Table(table)], json).ending(Exit::of_checks(is_ng))
}

impl State {
    fn shown(self) -> (&'static str, Tone) {
        match self {
            Self::Ok => ("OK", Tone::Good),
            Self::Ng => ("NG", Tone::Bad),
            Self::Skip => ("SKIP", Tone::Waiting),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Look;

    #[test]
    fn an_alarm_in_alarm_is_ng_and_none_without_a_topic_is_skipped() {
        let found = [
            Alarm::Active {
                name: "letters".to_owned(),
                reason: "2 messages".to_owned(),
            },
            Alarm::Missing {
                name: "gone".to_owned(),
            },
        ];
        let of = |alarm| of_alarm("dead letters", alarm, &found, "read them");
        let checks = [
            of(Some("letters")),
            of(Some("gone")),
            of(Some("other")),
            of(None),
        ];
        let shown = answer(&checks);
        assert_eq!(
            shown.text(Look::Pipe),
            "NG\tdead letters\talarm letters is in ALARM (2 messages): read them\n\
             NG\tdead letters\talarm gone does not exist; deploy the functions' stack again\n\
             OK\tdead letters\talarm other is not in ALARM\n\
             SKIP\tdead letters\tthe functions' stack has no alarm; expected NotificationTopicArn \
             among its parameters\n"
        );
        assert_eq!(shown.exit, Exit::NotDeployed);
        assert_eq!(answer(&checks[2..]).exit, Exit::Done);
    }
}
