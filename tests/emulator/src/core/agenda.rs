//! What will happen by itself, in order: the only source of change beside calls.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use super::{Aws, Millis};

/// Something that a service does by itself when its time comes.
pub trait Event: Debug + Send + Sync {
    fn run(&self, aws: &mut Aws);
}

/// Events ordered by time; those of the same instant keep the order in which they were put.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    entries: BTreeMap<(Millis, u64), Arc<dyn Event>>,
    put: u64,
}

impl Agenda {
    pub fn put(&mut self, at: Millis, event: impl Event + 'static) {
        self.put += 1;
        self.entries.insert((at, self.put), Arc::new(event));
    }

    /// When the next event is due.
    pub fn next_due(&self) -> Option<Millis> {
        self.entries.keys().next().map(|(at, _)| *at)
    }

    /// Takes the next event if it is due at `until` or before.
    pub fn take_until(&mut self, until: Millis) -> Option<(Millis, Arc<dyn Event>)> {
        let (&(at, _), _) = self
            .entries
            .first_key_value()
            .filter(|((at, _), _)| *at <= until)?;
        let (_, event) = self.entries.pop_first()?;
        Some((at, event))
    }
}
