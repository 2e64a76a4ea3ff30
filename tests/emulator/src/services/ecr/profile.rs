//! How an image responds to requests: how often they fail, and how long they take.

use std::fmt;

/// From this part of its capacity on, a task becomes slower …
const SLOW_FROM: f64 = 0.7;
/// … until it is this many times as slow when it is full.
const SLOWEST: f64 = 4.0;

/// How a version answers requests.
#[derive(Clone, Copy, PartialEq)]
pub struct Answers {
    /// Which part of the requests is answered with 5XX.
    pub errors: f64,
    /// How many 5XX come together, as retries of one client do; 1 when each comes by itself.
    pub burst: u32,
    /// Which part of the requests is answered with 4XX.
    pub client_errors: f64,
    /// Which part of the requests the target takes and ends without a response: it crashes, or
    /// resets the connection.
    pub reset: f64,
    /// Which part of the requests the target takes and never answers.
    pub unanswered: f64,
    /// Which part of the requests opens a WebSocket: the target answers 101.
    pub sockets: f64,
    /// Response times are log-normal, with this median …
    pub median_ms: f64,
    /// … and this 99th percentile.
    pub p99_ms: f64,
}

/// The answers of an image over time.
#[derive(Clone, Copy, Default, PartialEq)]
pub struct Profile {
    pub at_first: Answers,
    /// From this many minutes on after its first request in a target group the image answers
    /// otherwise.
    pub later: Option<(u32, Answers)>,
    /// How much slower it is at first: its caches are empty, and its code is not compiled yet.
    pub cold: Option<Cold>,
}

/// A slowness that decays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cold {
    /// What response times are multiplied with at the first request in a target group.
    pub slower: f64,
    /// After this many minutes the excess has fallen to 1/e, about a third.
    pub minutes: f64,
}

impl Cold {
    fn at(self, minute: i64) -> f64 {
        1.0 + (self.slower - 1.0) * (-(minute as f64) / self.minutes).exp()
    }
}

impl Answers {
    /// A healthy application.
    pub const GOOD: Self = Self {
        errors: 0.001,
        burst: 1,
        client_errors: 0.01,
        reset: 0.0,
        unanswered: 0.0,
        sockets: 0.0,
        median_ms: 50.0,
        p99_ms: 300.0,
    };

    /// The same with another part of 5XX.
    #[must_use]
    pub fn failing(self, errors: f64) -> Self {
        Self { errors, ..self }
    }

    /// The same with every response time multiplied.
    #[must_use]
    pub fn slower(self, factor: f64) -> Self {
        Self {
            median_ms: self.median_ms * factor,
            p99_ms: self.p99_ms * factor,
            ..self
        }
    }
}

/// Without unusual ways to fail that are not set: the digest of an image is made of this text, and
/// stays the same when the type gets further ones.
impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Answers");
        shown
            .field("errors", &self.errors)
            .field("burst", &self.burst)
            .field("client_errors", &self.client_errors);
        for (name, part) in [
            ("reset", self.reset),
            ("unanswered", self.unanswered),
            ("sockets", self.sockets),
        ] {
            if part > 0.0 {
                shown.field(name, &part);
            }
        }
        shown
            .field("median_ms", &self.median_ms)
            .field("p99_ms", &self.p99_ms)
            .finish()
    }
}

/// The same.
impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Profile");
        shown
            .field("at_first", &self.at_first)
            .field("later", &self.later);
        if let Some(cold) = &self.cold {
            shown.field("cold", cold);
        }
        shown.finish()
    }
}

impl Answers {
    /// The answers of a task at this multiple of its capacity: when almost full it is slow, and it
    /// refuses the excess with 5XX.
    pub(crate) fn at_load(self, load: f64) -> Self {
        let full = ((load - SLOW_FROM) / (1.0 - SLOW_FROM)).clamp(0.0, 1.0);
        let served = 1.0 / load.max(1.0);
        let answers = self.slower(1.0 + (SLOWEST - 1.0) * full);
        answers.failing(1.0 - (1.0 - self.errors) * served)
    }
}

impl Default for Answers {
    fn default() -> Self {
        Self::GOOD
    }
}

impl Profile {
    /// An image that always answers alike.
    pub fn of(at_first: Answers) -> Self {
        Self {
            at_first,
            ..Self::default()
        }
    }

    /// An image that answers otherwise from a minute on.
    #[must_use]
    pub fn then(self, from_minute: u32, later: Answers) -> Self {
        Self {
            later: Some((from_minute, later)),
            ..self
        }
    }

    /// The same image, slower at first.
    #[must_use]
    pub fn cold(self, slower: f64, minutes: f64) -> Self {
        Self {
            cold: Some(Cold { slower, minutes }),
            ..self
        }
    }

    /// The answers this many minutes after the first request.
    pub fn at(&self, minute: i64) -> Answers {
        let answers = self
            .later
            .filter(|(from, _)| minute >= i64::from(*from))
            .map_or(self.at_first, |(_, answers)| answers);
        match self.cold {
            Some(cold) => answers.slower(cold.at(minute)),
            None => answers,
        }
    }
}
