//! Writes a judgement down: as JSON that can be judged again, and as one page for readers.
//!
//! A [`Judgement`] holds everything a verdict rests on: the settings, what the hour before showed,
//! every minute as it was judged, what was kept between looks, and each look's evidence. [`replay`]
//! judges it again and must reach the same verdict; [`differences`] names what differs. [`html`]
//! shows it: one file without scripts or outside resources, so that it opens years later from a
//! bucket or a mail.
//!
//! The flow is `record` (scenario or live data to judgement), `series` and `interval` (minutes to
//! rates), `chart` (numbers to coordinates) and `page` (everything to text for the templates). Only
//! the templates hold markup, and they escape whatever they print. The bytes depend on nothing but
//! the judgement: there is no clock here either.

pub(crate) mod chart;
mod evidence_chart;
mod interval;
mod judgement;
mod messages;
mod page;
mod quality;
mod rate_chart;
mod record;
mod replay;
mod series;
mod stored;
mod table;
mod text;

pub use judgement::{Fact, Judgement, JudgementEnding, Look, RecordError};
pub use page::html;
pub use quality::Quality;
pub use record::Live;
pub use replay::{VerdictDifference, differences, replay};
pub(crate) use text::visible;

#[cfg(test)]
mod tests;
