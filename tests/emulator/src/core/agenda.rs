//! What will happen by itself, in order: the only source of change beside calls.

use std::collections::BTreeMap;

use super::{Millis, autoscaling, codepipeline, ecs, eventbridge, lambda};

/// Something that a service does by itself when its time comes.
#[derive(Clone, Debug)]
pub enum Due {
    AutoScaling(autoscaling::Due),
    CodePipeline(codepipeline::Due),
    Ecs(ecs::Due),
    EventBridge(eventbridge::Due),
    Lambda(lambda::Due),
}

/// Entries ordered by time; those of the same instant keep the order in which they were put.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    entries: BTreeMap<(Millis, u64), Due>,
    put: u64,
}

impl Agenda {
    pub fn put(&mut self, at: Millis, due: Due) {
        self.put += 1;
        self.entries.insert((at, self.put), due);
    }

    /// When the next entry is due.
    pub fn next_due(&self) -> Option<Millis> {
        self.entries.keys().next().map(|(at, _)| *at)
    }

    /// Takes the next entry if it is due at `until` or before.
    pub fn take_until(&mut self, until: Millis) -> Option<(Millis, Due)> {
        let (&(at, _), _) = self
            .entries
            .first_key_value()
            .filter(|((at, _), _)| *at <= until)?;
        let (_, due) = self.entries.pop_first()?;
        Some((at, due))
    }
}
