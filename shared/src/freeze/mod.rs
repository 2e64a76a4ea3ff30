//! When a release makes no step towards its new revision: in windows of time, and while a
//! transition of its pipeline is disabled.
//!
//! Pure: the time and the state of the transition are given. It never decides about a way back,
//! which is not checked here and so is never frozen.

#[cfg(test)]
mod tests;
mod window;

use std::time::Duration;

use jiff::Timestamp as Instant;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::skip_serializing_none;

use crate::job::ActionKind;
use crate::limits::{FREEZE_WINDOWS, JOINED_WINDOWS, STAGE_CHARS};
use crate::timestamp::{Timestamp, readable};
use window::FreezeWindow;

/// The zone of windows that have none.
const UTC: &str = "UTC";

/// What holds a release back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Guards {
    pub freeze: Option<Freeze>,
    pub line: Option<Line>,
}

/// Windows in which a release makes no step towards its new revision.
#[skip_serializing_none]
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Freeze {
    /// From a begin to an end each: every week `Fri 16:00/Mon 06:00`, every day `22:00/06:00`, or
    /// once `2026-12-23T18:00/2027-01-02T06:00`.
    pub windows: Vec<String>,
    /// IANA name of their time zone, such as `Europe/Berlin`; UTC when not given.
    pub zone: Option<String>,
}

/// The way of releases through the stages of their pipeline, which a disabled transition stops.
#[skip_serializing_none]
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The stage of the release, which makes no step towards its new revision while the transition
    /// into this stage is disabled.
    pub stage: String,
    /// The stage into which the transition is disabled when the release fails after its first
    /// change; `stage` when not given.
    pub next: Option<String>,
}

/// When a step is about to be made.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    pub now: Timestamp,
    /// When its action began.
    pub since: Timestamp,
    /// How long the action works after a freeze, at most.
    pub needs: Duration,
    pub kind: ActionKind,
    /// Why the transition into the stage is disabled; none while it is enabled.
    pub disabled: Option<&'a str>,
}

/// Whether a step towards the new revision may be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateDecision {
    Open,
    /// Not yet: the action waits, and its next job looks again.
    Hold(String),
    /// Not in this action, which would have to wait longer than it can.
    Outlasts(String),
}

/// Windows that were read, with their zone.
struct Schedule<'a> {
    zone: TimeZone,
    name: &'a str,
    windows: Vec<FreezeWindow<'a>>,
}

impl Guards {
    /// Refuses what cannot be meant.
    ///
    /// # Errors
    /// The field, what was found and what is expected.
    pub fn check(&self) -> Result<(), String> {
        if let Some(freeze) = &self.freeze {
            freeze.schedule()?;
        }
        self.line.as_ref().map_or(Ok(()), Line::check)
    }

    /// Decides whether a step towards the new revision may be made.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn gate(&self, moment: &Moment<'_>) -> Result<GateDecision, String> {
        let of_windows = self.frozen(moment.now)?;
        let of_line = self.line.as_ref().zip(moment.disabled);
        if of_windows.is_none() && of_line.is_none() {
            return Ok(GateDecision::Open);
        }

        let until = of_windows.as_ref().map_or(moment.now, |frozen| frozen.0);
        let of_line = of_line.map(|(line, reason)| {
            format!(
                "the transition into stage {} is disabled ({reason}) until an operator enables it",
                line.stage
            )
        });
        let why: Vec<String> = of_windows
            .map(|(_, why)| why)
            .into_iter()
            .chain(of_line)
            .collect();
        let why = format!("frozen: {}", why.join("; "));

        let wait = until.since(moment.since);
        let hold = moment.kind.hold();
        if wait + moment.needs <= hold {
            return Ok(GateDecision::Hold(format!(
                "{why}; then it goes on by itself"
            )));
        }
        Ok(GateDecision::Outlasts(format!(
            "{why}; the action would wait {} and then work up to {}, and can do both for {} at \
             most, since {}",
            readable(wait),
            readable(moment.needs),
            readable(hold),
            moment.kind.end()
        )))
    }

    /// When the windows that freeze an instant are over; the instant itself outside of all.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn end(&self, now: Timestamp) -> Result<Timestamp, String> {
        Ok(self.frozen(now)?.map_or(now, |(until, _)| until))
    }

    fn frozen(&self, now: Timestamp) -> Result<Option<(Timestamp, String)>, String> {
        match &self.freeze {
            Some(freeze) => Ok(freeze.schedule()?.frozen(now)),
            None => Ok(None),
        }
    }
}

impl Freeze {
    fn schedule(&self) -> Result<Schedule<'_>, String> {
        let name = self.zone.as_deref().unwrap_or(UTC);
        let zone = TimeZoneDatabase::bundled().get(name).map_err(|_| {
            format!(
                "`freeze.zone` is `{name}`; expected the IANA name of a time zone such as \
                 Europe/Berlin"
            )
        })?;

        let count = self.windows.len();
        if !(1..=FREEZE_WINDOWS).contains(&count) {
            return Err(format!(
                "`freeze.windows` has {count} windows; expected 1 to {FREEZE_WINDOWS}"
            ));
        }
        let windows = self.windows.iter().map(|text| FreezeWindow::parse(text));
        Ok(Schedule {
            zone,
            name,
            windows: windows.collect::<Result<_, _>>()?,
        })
    }
}

impl Schedule<'_> {
    /// Until when it is frozen at an instant, and by which window; none if it is not.
    fn frozen(&self, now: Timestamp) -> Option<(Timestamp, String)> {
        let now = Instant::from_second(now.secs()).ok()?;
        let (end, window) = self.covering(now)?;
        let local = self.zone.to_datetime(end);
        let until = Timestamp::from_secs(end.as_second()).ok()?;
        let why = format!(
            "until {} {:02}:{:02} {} by {window}",
            local.date(),
            local.hour(),
            local.minute(),
            self.name
        );
        Some((until, why))
    }

    /// The end of the windows that cover an instant: of the last one, if one begins before another
    /// has ended.
    fn covering(&self, at: Instant) -> Option<(Instant, &FreezeWindow<'_>)> {
        let mut last: Option<(Instant, &FreezeWindow<'_>)> = None;
        for _ in 0..JOINED_WINDOWS {
            let from = last.map_or(at, |(end, _)| end);
            let ends = self
                .windows
                .iter()
                .filter_map(|window| Some((window.end_covering(&self.zone, from)?, window)));
            match ends.max_by_key(|(end, _)| *end) {
                Some(later) => last = Some(later),
                None => break,
            }
        }
        last
    }
}

impl Line {
    /// The stage into which a failed release disables the transition.
    #[must_use]
    pub fn next(&self) -> &str {
        self.next.as_deref().unwrap_or(&self.stage)
    }

    fn check(&self) -> Result<(), String> {
        check_stage("line.stage", &self.stage)?;
        check_stage("line.next", self.next())
    }
}

/// Checks the name of a stage (CodePipeline API: StageDeclaration, `name`).
fn check_stage(field: &str, name: &str) -> Result<(), String> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || ".@-_".contains(letter);
    if (1..=STAGE_CHARS).contains(&name.len()) && name.chars().all(is_allowed) {
        return Ok(());
    }
    Err(format!(
        "`{field}` is `{name}`; expected the name of a stage, 1 to {STAGE_CHARS} letters, digits, \
         `.`, `@`, `-` and `_`"
    ))
}
