//! Further accounts beside the first, and further regions of an account: each is an `Aws` of its
//! own.
//!
//! All of them have one clock, one chance and one log of calls, and the regions of an account have
//! one IAM and one Route 53. Everything else belongs to a region of an account, also what is on the
//! agenda. A request is served by the account of its credentials, in the region that its signature
//! names: [`Aws::in_account`] and [`Aws::in_region`] put another place in the position of the first
//! for the duration of a call. Functions, pipelines and events are those of the first place only.

use std::mem::swap;

use super::{Aws, Millis, Request};
use crate::iam;

/// The id of an account, and a region.
pub(crate) type AccountRegion = (String, String);

/// Services that an account has once, whichever region a signature names. STS has one endpoint a
/// region, and all of them issue the same credentials. Requests to Route 53 are signed for one
/// region of the partition.
const GLOBAL: [&str; 3] = ["iam", "route53", "sts"];

impl Aws {
    /// Adds an empty account with an id that no other one has, in the same region.
    ///
    /// # Panics
    /// When there is such an account.
    pub fn add_account(&mut self, id: &str) {
        assert!(self.of_account(id).is_none(), "there is an account {id}");
        let region = self.region.clone();
        self.add((id.to_owned(), region), false);
    }

    fn add(&mut self, place: AccountRegion, is_further_region: bool) {
        let (account, region) = place.clone();
        let added = Self {
            now: self.now,
            account,
            region,
            is_further_region,
            ..Self::new(self.seed)
        };
        self.others.insert(place, added);
    }

    /// An account as it is, in its first region: this one, or one of the others.
    #[must_use]
    pub fn of_account(&self, id: &str) -> Option<&Self> {
        if id == self.account {
            return Some(self);
        }
        let is_first = |other: &&Self| other.account == id && !other.is_further_region;
        self.others.values().find(is_first)
    }

    /// A region of an account as it is, if anything was done there.
    #[must_use]
    pub fn of_place(&self, account: &str, region: &str) -> Option<&Self> {
        let place = (account.to_owned(), region.to_owned());
        if place == self.place() {
            return Some(self);
        }
        self.others.get(&place)
    }

    /// Does something in an account, with the others beside it.
    ///
    /// # Panics
    /// When the account does not exist.
    pub fn in_account<T>(&mut self, id: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        let home = self.of_account(id);
        let home = home.unwrap_or_else(|| panic!("there is no account {id}"));
        let place = home.place();
        self.in_place(place, work)
    }

    /// Does something in a region of this account, which is empty at first.
    pub fn in_region<T>(&mut self, region: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        let place = (self.account.clone(), region.to_owned());
        self.in_place(place, work)
    }

    pub(crate) fn in_place<T>(
        &mut self,
        place: AccountRegion,
        work: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let left = self.place();
        if left == place {
            return work(self);
        }

        if !self.others.contains_key(&place) {
            self.add(place.clone(), true);
        }
        self.enter(&place);
        let done = work(self);
        self.enter(&left);
        done
    }

    fn place(&self) -> AccountRegion {
        (self.account.clone(), self.region.clone())
    }

    /// Where a request is served. As long as there is one place, every request is for it.
    pub(crate) fn place_of(&self, request: &Request) -> AccountRegion {
        if self.others.is_empty() {
            return self.place();
        }
        let account = iam::other_account(self, request);
        let account = account.unwrap_or_else(|| self.account.clone());
        let service = request.service().unwrap_or_default();
        let regional = request
            .region()
            .filter(|_| !GLOBAL.contains(&service.as_str()));

        match (regional, self.of_account(&account)) {
            (Some(region), _) => (account, region),
            (None, Some(home)) => home.place(),
            (None, None) => self.place(),
        }
    }

    /// Makes another place the present one. What all places have in common stays.
    fn enter(&mut self, place: &AccountRegion) {
        self.exchange_global();
        let mut entered = self.others.remove(place).expect("it was added");
        swap(self, &mut entered);

        let mut left = entered;
        self.now = left.now;
        self.seed = left.seed;
        self.pages = left.pages;
        self.stale.longest = left.stale.longest;
        self.stale.registrations = left.stale.registrations;
        swap(&mut self.rng, &mut left.rng);
        swap(&mut self.quirks, &mut left.quirks);
        swap(&mut self.calls, &mut left.calls);
        swap(&mut self.others, &mut left.others);
        self.others.insert(left.place(), left);
        self.exchange_global();
    }

    /// A further region takes what its account has once from the first one, or gives it back.
    fn exchange_global(&mut self) {
        if !self.is_further_region {
            return;
        }
        let account = self.account.as_str();
        let is_first = |other: &&mut Self| other.account == account && !other.is_further_region;
        let first = self.others.values_mut().find(is_first);
        let first = first.expect("an account has a first region");
        swap(&mut self.iam, &mut first.iam);
        swap(&mut self.cloudformation.iam, &mut first.cloudformation.iam);
        swap(&mut self.route53, &mut first.route53);
    }

    /// When the next thing happens by itself, in any place.
    #[must_use]
    pub fn next_due(&self) -> Option<Millis> {
        let elsewhere = self.others.values();
        let all = elsewhere.map(|other| &other.agenda).chain([&self.agenda]);
        all.filter_map(super::Agenda::next_due).min()
    }

    /// Runs everything that is due at `self.now` or before, in order of time, then of scheduling;
    /// at one time, what is due in this place comes first. While an entry runs, `self.now` is the
    /// time it was due.
    pub fn run_due(&mut self) {
        let until = self.now;
        while let Some(at) = self.next_due().filter(|at| *at <= until) {
            match self.due_elsewhere(at) {
                Some(place) => self.in_place(place, |other| other.run_next(at)),
                None => self.run_next(at),
            }
        }

        self.now = until;
        for other in self.others.values_mut() {
            other.now = until;
        }
    }

    /// Another place with something that is due at this time, if this one has nothing.
    fn due_elsewhere(&self, at: Millis) -> Option<AccountRegion> {
        if self.agenda.next_due() == Some(at) {
            return None;
        }
        let mut others = self.others.iter();
        let due = others.find(|(_, other)| other.agenda.next_due() == Some(at));
        due.map(|(place, _)| place.clone())
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
