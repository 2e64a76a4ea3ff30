//! Reads that lag behind changes: an API that is eventually consistent may show the state before a
//! change for a few seconds.
//!
//! Off unless a scenario sets [`Stale::longest`]. Then it is drawn for each change how long it may
//! stay unseen, and for each read until then whether it sees it. The change itself, what follows
//! from it and its own response are not late.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::autoscaling::AutoScaling;
use super::ecs::Ecs;
use super::elb::Elb;
use super::{Aws, Millis, Quirk};

/// For how long reads may lag behind, and what was there before.
#[derive(Clone, Debug, Default)]
pub struct Stale {
    /// The longest time for which a change may stay unseen; nothing means that every read is
    /// current.
    pub longest: Option<Duration>,
    /// For how long a registered revision cannot be deployed; none means that it can be at once.
    pub registrations: Option<Duration>,
    before: BTreeMap<StaleChange, Before>,
}

impl Stale {
    /// Whether what was registered then is found now.
    pub(crate) fn finds(&self, registered_at: Millis, now: Millis) -> bool {
        let unseen = self.registrations.unwrap_or_default();
        now - registered_at >= unseen.as_millis() as Millis
    }
}

/// A kind of change that a read may not see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StaleChange {
    /// UpdateService.
    Service,
    /// ModifyRule and ModifyListener.
    Routing,
    /// RegisterScalableTarget.
    Scaling,
}

/// What reads see that lag behind a change.
#[derive(Clone, Debug)]
struct Before {
    at: Millis,
    /// From here on every read sees the change.
    until: Millis,
    ecs: Arc<Ecs>,
    elb: Arc<Elb>,
    autoscaling: Arc<AutoScaling>,
}

impl Aws {
    /// Keeps how everything is, right before a change that reads may not see.
    pub(crate) fn keep_before(&mut self, change: StaleChange) {
        let Some(longest) = self.stale.longest else {
            return;
        };

        let lasts = self.rng.u64(0..=longest.as_millis() as u64) as Millis;
        let before = Before {
            at: self.now,
            until: self.now + lasts,
            ecs: Arc::new(self.ecs.clone()),
            elb: Arc::new(self.elb.clone()),
            autoscaling: Arc::new(self.autoscaling.clone()),
        };
        self.stale.before.insert(change, before);
    }

    /// Answers a read, which may lag behind changes of these kinds. What it does to the account is
    /// lost if it does.
    pub(crate) fn behind<T>(
        &mut self,
        changes: &[StaleChange],
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let now = self.now;
        self.stale.before.retain(|_, before| now < before.until);
        let kept = changes
            .iter()
            .filter_map(|change| self.stale.before.get(change));
        let Some(before) = kept.max_by_key(|before| before.at).cloned() else {
            return read(self);
        };
        if !self.draw_quirk(Quirk::StaleRead) {
            return read(self);
        }

        let ecs = std::mem::replace(&mut self.ecs, Ecs::clone(&before.ecs));
        let elb = std::mem::replace(&mut self.elb, Elb::clone(&before.elb));
        let autoscaling = std::mem::replace(
            &mut self.autoscaling,
            AutoScaling::clone(&before.autoscaling),
        );

        self.now = before.at;
        let answer = read(self);
        self.now = now;
        self.ecs = ecs;
        self.elb = elb;
        self.autoscaling = autoscaling;
        answer
    }
}
