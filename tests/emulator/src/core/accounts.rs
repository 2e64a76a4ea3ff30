//! Further accounts beside the first: each is an `Aws` of its own in the same region.
//!
//! All of them have one clock, one chance and one log of calls. Everything else belongs to an
//! account, also what is on the agenda. A request is served by the account of its credentials:
//! [`Aws::in_account`] lets a further account take the place of the first for as long. Functions,
//! pipelines and events are those of the first account only.

use std::mem::swap;

use super::{Aws, Millis};

impl Aws {
    /// Adds an empty account with an id that no other one has.
    ///
    /// # Panics
    /// When there is such an account.
    pub fn add_account(&mut self, id: &str) {
        assert!(self.of_account(id).is_none(), "there is an account {id}");
        let added = Self {
            now: self.now,
            account: id.to_owned(),
            region: self.region.clone(),
            ..Self::new(self.seed)
        };
        self.others.insert(id.to_owned(), added);
    }

    /// An account as it is: this one, or one of the others.
    #[must_use]
    pub fn of_account(&self, id: &str) -> Option<&Self> {
        if id == self.account {
            return Some(self);
        }
        self.others.get(id)
    }

    /// Does something in an account, with the others beside it.
    ///
    /// # Panics
    /// When there is no such account.
    pub fn in_account<T>(&mut self, id: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        if id == self.account {
            return work(self);
        }

        let left = self.account.clone();
        self.enter(id);
        let done = work(self);
        self.enter(&left);
        done
    }

    /// Makes another account the present one. What all accounts have in common stays.
    fn enter(&mut self, id: &str) {
        let mut entered = self
            .others
            .remove(id)
            .unwrap_or_else(|| panic!("there is no account {id}"));
        swap(self, &mut entered);

        let mut left = entered;
        self.now = left.now;
        self.seed = left.seed;
        self.pages = left.pages;
        self.stale.longest = left.stale.longest;
        swap(&mut self.rng, &mut left.rng);
        swap(&mut self.quirks, &mut left.quirks);
        swap(&mut self.calls, &mut left.calls);
        swap(&mut self.others, &mut left.others);
        self.others.insert(left.account.clone(), left);
    }

    /// When the next thing happens by itself, in any account.
    #[must_use]
    pub fn next_due(&self) -> Option<Millis> {
        let elsewhere = self.others.values();
        let all = elsewhere.map(|other| &other.agenda).chain([&self.agenda]);
        all.filter_map(super::Agenda::next_due).min()
    }

    /// Runs everything that is due at `self.now` or before, in order of time, then of scheduling;
    /// at one time, what is due in this account comes first. While an entry runs, `self.now` is the
    /// time it was due.
    pub fn run_due(&mut self) {
        let until = self.now;
        while let Some(at) = self.next_due().filter(|at| *at <= until) {
            match self.due_elsewhere(at) {
                Some(id) => self.in_account(&id, |other| other.run_next(at)),
                None => self.run_next(at),
            }
        }

        self.now = until;
        for other in self.others.values_mut() {
            other.now = until;
        }
    }

    /// Another account with something that is due at this time, if this one has nothing.
    fn due_elsewhere(&self, at: Millis) -> Option<String> {
        if self.agenda.next_due() == Some(at) {
            return None;
        }
        let mut others = self.others.iter();
        let due = others.find(|(_, other)| other.agenda.next_due() == Some(at));
        due.map(|(id, _)| id.clone())
    }

    fn run_next(&mut self, at: Millis) {
        if let Some((at, event)) = self.agenda.take_until(at) {
            self.now = at;
            self.s3.at(at);
            event.run(self);
        }
    }
}

/// The account that an ARN names; empty if it names none.
pub(crate) fn account_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

#[cfg(test)]
mod tests;
