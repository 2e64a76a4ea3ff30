//! What a command answers, and how the process ends.

use std::process::ExitCode;

use serde_json::Value;
use slipway::aws::{AwsError, Unreadable};
use slipway::release::Outcome;
use thiserror::Error;

use crate::table::{Cell, Look, Table, fields};

/// The answer of a command.
#[derive(Clone, Debug)]
pub struct Answer {
    pub blocks: Vec<Block>,
    /// The same for programs.
    pub json: Value,
    /// What an operator should know besides, on standard error.
    pub warnings: Vec<String>,
    pub exit: Exit,
}

/// A part of an answer.
#[derive(Clone, Debug)]
pub enum Block {
    Line(Cell),
    Fields(Vec<(&'static str, Cell)>),
    Table(Table),
    /// A text of its own form.
    Text(String),
}

/// How the process ends. The codes are documented in `--help`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    /// The release ended otherwise than deployed, or a check is NG.
    NotDeployed = 1,
    /// Nothing was changed.
    Refused = 2,
    /// The answer is not known.
    Failed = 3,
    /// The release has not ended yet.
    Open = 4,
    /// As of sysexits.h.
    Usage = 64,
}

/// Why a command has no answer.
#[derive(Clone, Debug, Error)]
pub enum Failed {
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error("{0}")]
    Unknown(String),
    /// What the offline judge refuses, or finds different.
    #[error("{0}")]
    NotJudged(String),
}

impl Answer {
    #[must_use]
    pub fn new(blocks: Vec<Block>, json: Value) -> Self {
        Self {
            blocks,
            json,
            warnings: Vec::new(),
            exit: Exit::Done,
        }
    }

    #[must_use]
    pub fn line(text: impl Into<Cell>, json: Value) -> Self {
        Self::new(vec![Block::Line(text.into())], json)
    }

    #[must_use]
    pub fn ending(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// The same with further warnings.
    #[must_use]
    pub fn warning(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        self.warnings.extend(warnings);
        self
    }

    /// The same with a warning of each item of the ledger that could not be read.
    #[must_use]
    pub fn warning_of(self, unreadable: &[Unreadable]) -> Self {
        self.warning(unreadable.iter().map(|item| item.error.to_string()))
    }

    /// The same as one JSON value, in whose texts control characters are escaped, those after the
    /// letters of ASCII too.
    #[must_use]
    pub fn json_text(&self) -> String {
        let mut text = String::new();
        for letter in format!("{:#}\n", self.json).chars() {
            if letter.is_control() && letter != '\n' {
                text += &format!("\\u{:04x}", u32::from(letter));
            } else {
                text.push(letter);
            }
        }
        text
    }

    /// The text of the answer.
    #[must_use]
    pub fn text(&self, look: Look) -> String {
        let blocks = self.blocks.iter().map(|block| match block {
            Block::Line(cell) => cell.shown(look) + "\n",
            Block::Fields(named) => fields(named, look),
            Block::Table(table) => table.text(look),
            Block::Text(text) => lines(text),
        });
        let blocks: Vec<String> = blocks.filter(|text| !text.is_empty()).collect();
        match look {
            Look::Terminal => blocks.join("\n"),
            Look::Pipe => blocks.concat(),
        }
    }
}

/// A text without control characters, except for ends of lines and tabs, and with one end of a line
/// at its end: errors and warnings quote what AWS and images have.
#[must_use]
pub fn lines(text: &str) -> String {
    let is_kept = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\t');
    let kept = text.trim_end().chars();
    let kept = kept.map(|letter| if is_kept(letter) { letter } else { ' ' });
    kept.chain(['\n']).collect()
}

impl Exit {
    /// How the process ends after checks.
    #[must_use]
    pub fn of_checks(is_any_ng: bool) -> Self {
        if is_any_ng {
            Self::NotDeployed
        } else {
            Self::Done
        }
    }

    /// How the process ends after a release that ended like this.
    #[must_use]
    pub fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Deployed | Outcome::Unchanged => Self::Done,
            Outcome::RolledBack | Outcome::Superseded | Outcome::Held | Outcome::Failed => {
                Self::NotDeployed
            }
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl Failed {
    /// Refused with this text if AWS answered with one of these codes.
    pub(crate) fn refused_for(
        codes: &[&str],
        error: AwsError,
        text: impl FnOnce(&str) -> String,
    ) -> Self {
        if codes.contains(&error.code.as_str()) {
            Self::Refused(text(&error.message))
        } else {
            Self::Aws(error)
        }
    }

    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Refused(_) => Exit::Refused,
            Self::Aws(_) | Self::Unknown(_) => Exit::Failed,
            Self::NotJudged(_) => Exit::NotDeployed,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_outcome_has_its_code() {
        let codes = Outcome::ALL.iter().map(|outcome| Exit::of(*outcome) as u8);
        assert_eq!(codes.collect::<Vec<_>>(), [0, 0, 1, 1, 1, 1]);
        assert_eq!(Failed::Refused(String::new()).exit() as u8, 2);
        assert_eq!(Failed::Unknown(String::new()).exit() as u8, 3);
        assert_eq!([Exit::Open as u8, Exit::Usage as u8], [4, 64]);
    }

    #[test]
    fn no_text_on_standard_error_or_in_json_controls_the_terminal() {
        let failed = Failed::Refused("no image `\u{1b}[2J\u{9b}1m`".to_owned());
        assert_eq!(
            lines(&format!("error: {failed}")),
            "error: no image ` [2J 1m`\n"
        );

        let answer = Answer::new(Vec::new(), json!({"reason": "a\u{1b}\u{9b}\u{7f}\nb"}));
        let text = answer.json_text();
        assert_eq!(text, "{\n  \"reason\": \"a\\u001b\\u009b\\u007f\\nb\"\n}\n");
        let read: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read, answer.json);
    }

    #[test]
    fn blocks_are_apart_on_a_terminal_and_lines_in_a_pipe() {
        let answer = Answer::new(
            vec![
                Block::Line("web is free".into()),
                Block::Table(Table::new(vec!["empty"])),
                Block::Fields(vec![("digest", "sha256:0a".into()), ("tag", "1.0".into())]),
                Block::Text("OK   web\n  NG\u{1b}rule\n".to_owned()),
            ],
            json!({}),
        );
        assert_eq!(
            answer.text(Look::Pipe),
            "web is free\ndigest\tsha256:0a\ntag\t1.0\nOK   web\n  NG rule\n"
        );
        assert_eq!(
            answer.text(Look::Terminal),
            "web is free\n\ndigest  sha256:0a\ntag     1.0\n\nOK   web\n  NG rule\n"
        );
    }
}
