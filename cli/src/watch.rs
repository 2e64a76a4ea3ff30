//! `slipway status --watch`: one look after the other, until the release has ended.
//!
//! On a terminal each look takes the place of the one before. In a pipe each line that is new is
//! printed with its time, and with `--json` each picture that is new.

use std::io::{Result, Write as _};
use std::time::Duration;

use serde_json::{Value, json};
use slipway::release::RecordState;
use slipway::timestamp::Timestamp;

use crate::{Answer, Failed, Look, Session, Status, wait};

/// Moves the cursor to the beginning of a line so many lines above, and clears all below.
fn up(lines: usize) -> String {
    match lines {
        0 => "\r\u{1b}[J".to_owned(),
        lines => format!("\r\u{1b}[{lines}A\u{1b}[J"),
    }
}

/// How long a release was in its state at the time of a look: it differs in each.
const ELAPSED: &str = "for\t";

/// Lines and columns of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub lines: usize,
    pub columns: usize,
}

/// What was shown by the looks so far.
#[derive(Clone, Debug, Default)]
pub struct Painter {
    lines: Vec<String>,
    json: Value,
}

impl Painter {
    /// The text that replaces the picture of the look before by this one. What does not fit is left
    /// out: the cursor cannot go back over it.
    pub fn repaint(&mut self, answer: &Answer, size: Size) -> String {
        let text = answer.text(Look::Terminal);
        let fit = text.lines().take(size.lines.saturating_sub(1).max(1));
        let fit = fit.map(|line| console::truncate_str(line, size.columns, "…").into_owned());
        let before = self.lines.len();
        self.lines = fit.collect();

        let mut text = up(before);
        for line in &self.lines {
            text += line;
            text.push('\n');
        }
        text
    }

    /// The lines that were not in the look before, each with the time.
    pub fn changes(&mut self, answer: &Answer, at: Timestamp) -> String {
        let text = answer.text(Look::Pipe);
        let lines = text.lines().filter(|line| !line.starts_with(ELAPSED));
        let lines: Vec<String> = lines.map(ToOwned::to_owned).collect();
        let new = lines.iter().filter(|line| !self.lines.contains(line));
        let text = new.map(|line| format!("{at}\t{line}\n")).collect();
        self.lines = lines;
        text
    }

    /// The value of a look, if it differs from the one before.
    pub fn values(&mut self, answer: &Answer) -> String {
        if self.json == answer.json {
            return String::new();
        }
        self.json = answer.json.clone();
        answer.json_text()
    }
}

/// Writes each look to standard output.
#[derive(Debug)]
pub(crate) struct Screen {
    painter: Painter,
    as_json: bool,
    look: Look,
}

impl Screen {
    pub(crate) fn of_stdout(as_json: bool) -> Self {
        Self {
            painter: Painter::default(),
            as_json,
            look: Look::of_stdout(),
        }
    }

    pub(crate) fn show(&mut self, answer: &Answer, at: Timestamp) -> Result<()> {
        let text = match (self.as_json, self.look) {
            (true, _) => self.painter.values(answer),
            (false, Look::Pipe) => self.painter.changes(answer, at),
            (false, Look::Terminal) => {
                let (lines, columns) = console::Term::stdout().size();
                let size = Size {
                    lines: lines.into(),
                    columns: columns.into(),
                };
                self.painter.repaint(answer, size)
            }
        };
        let mut stdout = std::io::stdout();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }
}

/// What a watch looks at.
struct Watch<'a> {
    session: &'a Session,
    status: &'a Status,
    /// The execution of the release of one service that was open at the first look.
    execution: Option<String>,
}

impl Status {
    /// Shows one look after the other, until no release is open, or that of the service has ended.
    /// It ends as the release does.
    ///
    /// # Errors
    /// When a call fails for a cause that may last, or the ledger does not know the service.
    pub async fn watch(
        &self,
        session: &Session,
        show: &mut dyn FnMut(&Answer, Timestamp) -> Result<()>,
    ) -> std::result::Result<Answer, Failed> {
        let pause = Duration::from_secs(self.every.into());
        let mut watch = Watch {
            session,
            status: self,
            execution: None,
        };
        let look = async || watch.look(show).await;
        let answer = wait::until(session, self.limit, pause, look).await?;
        Ok(answer.unwrap_or_else(|| {
            let text = format!("a release is still open after {}", self.limit);
            wait::still_open(text, watch.execution.as_ref())
        }))
    }
}

impl Watch<'_> {
    /// Shows one look; the answer once there is nothing more to watch.
    async fn look(
        &mut self,
        show: &mut dyn FnMut(&Answer, Timestamp) -> Result<()>,
    ) -> std::result::Result<Option<Answer>, Failed> {
        let (picture, open) = self.status.look(self.session).await?;
        if show(&picture, self.session.sdk.now()).is_err() {
            // Its reader has gone.
            return Ok(Some(picture));
        }
        if let Some(execution) = &self.execution {
            if open.contains(execution) {
                return Ok(None);
            }
            return self.end_of(execution).await.map(Some);
        }
        if open.is_empty() {
            let json = json!({"execution": null, "outcome": null});
            return Ok(Some(Answer::line("no release is open", json)));
        }
        if self.status.service.is_some() {
            self.execution = open.into_iter().next();
        }
        Ok(None)
    }

    async fn end_of(&self, execution: &str) -> std::result::Result<Answer, Failed> {
        let record = self.session.ledger().record(execution).await?;
        let closed = record.filter(|record| record.state == RecordState::Closed);
        Ok(match closed {
            Some(record) => wait::answer(&record, None),
            // A promotion releases the next service.
            None => Answer::line(
                format!(
                    "the release has ended and its execution goes on: slipway wait {execution}"
                ),
                json!({"execution": execution, "outcome": null}),
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Block;

    const SIZE: Size = Size {
        lines: 4,
        columns: 12,
    };

    fn picture(step: &str, passed: &str) -> Answer {
        let fields = vec![
            ("state", "open".into()),
            ("for", passed.into()),
            ("step", step.into()),
        ];
        Answer::new(vec![Block::Fields(fields)], json!({"step": step}))
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_767_603_600 + secs).expect("a time")
    }

    #[test]
    fn a_terminal_gets_each_picture_in_place_of_the_one_before() {
        let mut painter = Painter::default();
        assert_eq!(
            painter.repaint(&picture("fill", "5s"), SIZE),
            "\r\u{1b}[Jstate  open\nfor    5s\nstep   fill\n"
        );
        // Without its end: a line that wrapped would be two.
        assert_eq!(
            painter.repaint(&picture("fill 50%: 1 of 2", "10s"), SIZE),
            "\r\u{1b}[3A\u{1b}[Jstate  open\nfor    10s\nstep   fill…\n"
        );
        let low = Size { lines: 3, ..SIZE };
        assert_eq!(
            painter.repaint(&picture("done", "15s"), low),
            "\r\u{1b}[3A\u{1b}[Jstate  open\nfor    15s\n"
        );
        assert!(
            painter
                .repaint(&picture("done", "20s"), low)
                .starts_with("\r\u{1b}[2A")
        );
    }

    #[test]
    fn a_pipe_gets_a_line_for_each_change_and_none_for_the_time_that_passes() {
        let mut painter = Painter::default();
        assert_eq!(
            painter.changes(&picture("fill", "5s"), at(0)),
            "2026-01-05T09:00:00Z\tstate\topen\n2026-01-05T09:00:00Z\tstep\tfill\n"
        );
        assert_eq!(painter.changes(&picture("fill", "10s"), at(5)), "");
        assert_eq!(
            painter.changes(&picture("fill 50%", "15s"), at(10)),
            "2026-01-05T09:00:10Z\tstep\tfill 50%\n"
        );
        assert_eq!(
            painter.changes(&picture("fill", "20s"), at(15)),
            "2026-01-05T09:00:15Z\tstep\tfill\n"
        );
    }

    #[test]
    fn programs_get_each_value_once() {
        let mut painter = Painter::default();
        let first = painter.values(&picture("fill", "5s"));
        assert_eq!(first, "{\n  \"step\": \"fill\"\n}\n");
        assert_eq!(painter.values(&picture("fill", "10s")), "");
        let second = painter.values(&picture("done", "15s"));
        assert_eq!(second, "{\n  \"step\": \"done\"\n}\n");
    }
}
