//! Tables and fields: aligned, with heads and colours, on a terminal; in a pipe one line a row with
//! tabs between the fields, and no heads.
//!
//! Never passes a control character on: texts of AWS and of images are shown on terminals.

use console::style;

/// Where a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    Terminal,
    Pipe,
}

/// What a text means to its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Bad,
    Waiting,
}

/// A text without control characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    text: String,
    tone: Tone,
}

/// Rows of cells below their heads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Look {
    #[must_use]
    pub fn of_stdout() -> Self {
        if console::user_attended() {
            Self::Terminal
        } else {
            Self::Pipe
        }
    }
}

impl Cell {
    #[must_use]
    pub fn new(text: &str, tone: Tone) -> Self {
        let text = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        Self {
            text: text.collect(),
            tone,
        }
    }

    /// The text, in its colour on a terminal that has colours.
    #[must_use]
    pub fn shown(&self, look: Look) -> String {
        match (look, self.tone) {
            (Look::Pipe, _) | (_, Tone::Plain) => self.text.clone(),
            (Look::Terminal, Tone::Good) => style(&self.text).green().to_string(),
            (Look::Terminal, Tone::Bad) => style(&self.text).red().to_string(),
            (Look::Terminal, Tone::Waiting) => style(&self.text).yellow().to_string(),
        }
    }

    fn width(&self) -> usize {
        console::measure_text_width(&self.text)
    }

    /// The text with spaces up to a width.
    fn padded(&self, width: usize) -> String {
        let spaces = width.saturating_sub(self.width());
        self.shown(Look::Terminal) + &" ".repeat(spaces)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, Tone::Plain)
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl Table {
    #[must_use]
    pub fn new(heads: Vec<&'static str>) -> Self {
        Self {
            heads,
            rows: Vec::new(),
        }
    }

    pub fn push(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    /// The rows as text; nothing without any.
    #[must_use]
    pub fn text(&self, look: Look) -> String {
        match look {
            _ if self.rows.is_empty() => String::new(),
            Look::Pipe => self.rows.iter().map(|row| line_of(row)).collect(),
            Look::Terminal => self.aligned(),
        }
    }

    fn aligned(&self) -> String {
        let widths: Vec<usize> = (0..self.heads.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                let widest = cells.map(Cell::width).max().unwrap_or_default();
                widest.max(self.heads[column].len())
            })
            .collect();
        let heads = self.heads.iter().zip(&widths).map(|(head, width)| {
            let width = *width;
            let padded = format!("{head:<width$}");
            style(padded).bold().to_string()
        });

        let mut text = joined(heads);
        for row in &self.rows {
            let cells = row.iter().zip(&widths);
            text += &joined(cells.map(|(cell, width)| cell.padded(*width)));
        }
        text
    }
}

fn joined(cells: impl Iterator<Item = String>) -> String {
    let line = cells.collect::<Vec<_>>().join("  ");
    line.trim_end().to_owned() + "\n"
}

fn line_of(row: &[Cell]) -> String {
    let cells: Vec<&str> = row.iter().map(|cell| cell.text.as_str()).collect();
    cells.join("\t") + "\n"
}

/// Named values, a line each.
#[must_use]
pub(crate) fn fields(named: &[(&'static str, Cell)], look: Look) -> String {
    let widest = named.iter().map(|(name, _)| name.len()).max();
    let widest = widest.unwrap_or_default();
    let line = |(name, cell): &(&'static str, Cell)| match look {
        Look::Pipe => format!("{name}\t{}\n", cell.shown(look)),
        Look::Terminal => format!("{name:<widest$}  {}\n", cell.shown(look)),
    };
    named.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(vec!["service", "state"]);
        table.push(vec!["apps/web".into(), Cell::new("free", Tone::Good)]);
        table.push(vec!["apps/é".into(), "open".into()]);
        table
    }

    #[test]
    fn columns_are_aligned_below_their_heads_on_a_terminal() {
        let text = table().text(Look::Terminal);
        let plain = console::strip_ansi_codes(&text);
        assert_eq!(plain, "service   state\napps/web  free\napps/é    open\n");
    }

    #[test]
    fn a_pipe_gets_a_line_a_row_with_tabs_and_no_heads() {
        assert_eq!(table().text(Look::Pipe), "apps/web\tfree\napps/é\topen\n");
        assert_eq!(Table::new(vec!["service"]).text(Look::Terminal), "");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let cell = Cell::from("a\u{1b}[31m\tb\nc");
        assert_eq!(cell.shown(Look::Terminal), "a [31m b c");
        assert_eq!(cell.shown(Look::Pipe), "a [31m b c");
    }
}
