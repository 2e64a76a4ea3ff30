//! Wildcards: `*` stands for any text, `\*` and `\\` for the letters themselves.

use std::collections::{BTreeSet, VecDeque};

use super::Refusal;

/// From how many prefixes at once EventBridge finds wildcards too complex. It refuses
/// `*:*:*:*:*:event-bus/*`, of which a text can match 11 prefixes at once, and four of
/// `*:stack/<name>/*`, which are 12; it takes three of them, which are 9. What it makes of 10 is
/// not known.
const TOO_COMPLEX: usize = 11;

/// Sets of prefixes that are looked at before wildcards are taken for simple enough.
const LOOKED_AT: usize = 10_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wildcard(Vec<Piece>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Byte(u8),
    Any,
}

impl Wildcard {
    /// Reads a wildcard with the quotes around it, which positions in messages count.
    pub(super) fn parse(quoted: &str) -> Result<Self, Refusal> {
        let mut pieces = Vec::new();
        let mut bytes = quoted.bytes().enumerate().peekable();
        while let Some((at, byte)) = bytes.next() {
            let next = bytes.peek().map(|(_, next)| *next);
            pieces.push(match (byte, next) {
                (b'*', Some(b'*')) => {
                    return Err(Refusal(format!(
                        "Consecutive wildcard characters at pos {at}"
                    )));
                }
                (b'*', _) => Piece::Any,
                (b'\\', Some(escaped @ (b'*' | b'\\'))) => {
                    bytes.next();
                    Piece::Byte(escaped)
                }
                (b'\\', _) => {
                    return Err(Refusal(format!("Invalid escape character at pos {at}")));
                }
                _ => Piece::Byte(byte),
            });
        }
        Ok(Self(pieces))
    }

    pub(super) fn matches(&self, value: &str) -> bool {
        let mut lengths = self.start();
        for byte in value.bytes() {
            lengths = self.after(&lengths, byte);
        }
        lengths.contains(&self.0.len())
    }

    /// The lengths of the prefixes that match the empty text.
    fn start(&self) -> BTreeSet<usize> {
        self.with_any([0].into())
    }

    /// The lengths of the prefixes that match a text and one more byte.
    fn after(&self, lengths: &BTreeSet<usize>, byte: u8) -> BTreeSet<usize> {
        let longer = lengths
            .iter()
            .filter(|length| self.0.get(**length) == Some(&Piece::Byte(byte)))
            .map(|length| length + 1);
        let kept = lengths
            .iter()
            .filter(|length| **length > 0 && self.0[**length - 1] == Piece::Any)
            .copied();
        self.with_any(longer.chain(kept).collect())
    }

    fn with_any(&self, lengths: BTreeSet<usize>) -> BTreeSet<usize> {
        let any = lengths
            .iter()
            .filter(|length| self.0.get(**length) == Some(&Piece::Any))
            .map(|length| length + 1)
            .collect::<Vec<_>>();
        lengths.into_iter().chain(any).collect()
    }
}

/// Refuses the wildcards of one field if some text matches too many of their prefixes at once.
pub(super) fn check_complexity(wildcards: &[&Wildcard]) -> Result<(), Refusal> {
    let mut letters: BTreeSet<u8> = wildcards
        .iter()
        .flat_map(|wildcard| &wildcard.0)
        .filter_map(|piece| match piece {
            Piece::Byte(byte) => Some(*byte),
            Piece::Any => None,
        })
        .collect();
    // One that none of them has: it is in no UTF-8 text.
    letters.insert(0xff);

    let start: Vec<BTreeSet<usize>> = wildcards.iter().map(|wildcard| wildcard.start()).collect();
    let mut seen = BTreeSet::from([start.clone()]);
    let mut waiting = VecDeque::from([start]);
    while let Some(state) = waiting.pop_front() {
        for letter in &letters {
            let next: Vec<BTreeSet<usize>> = wildcards
                .iter()
                .zip(&state)
                .map(|(wildcard, lengths)| wildcard.after(lengths, *letter))
                .collect();
            if next.iter().map(BTreeSet::len).sum::<usize>() >= TOO_COMPLEX {
                return Err(Refusal(
                    "Rule is too complex - try using fewer wildcard characters or fewer \
                     repeating character sequences after a wildcard character"
                        .to_owned(),
                ));
            }
            if seen.len() < LOOKED_AT && seen.insert(next.clone()) {
                waiting.push_back(next);
            }
        }
    }
    Ok(())
}
