//! Makes up traffic: healthy and broken canaries of many kinds, every one from its seed.
//!
//! Shared trouble is drawn once for both sides, groups of errors go to one side as a whole, and the
//! hour before has the same laws as the bake.

use fastrand::Rng;
use slipway::judge::canary::answers::Answers;
use slipway::judge::canary::arrival::Arrived;
use slipway::judge::canary::counts::{Counters, Minute as Counted};
use slipway::judge::canary::hour::ZoneMinute;

use crate::draw::{binomial, log_normal, poisson};
use crate::groups::{Groups, groups};
use crate::latency::{self, Latency};

pub(crate) const HOUR: u32 = 60;

/// 4xx of every service, as a share of requests.
const CLIENT_ERRORS: f64 = 0.02;

/// What is wrong with the canary besides its error rate.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    None,
    /// This share of requests is never answered.
    Unanswered(f64),
    /// No request is ever answered.
    Silent,
    /// Half of the errors are refused connections.
    Refused,
    /// This share of requests is answered 4xx.
    Rejected(f64),
    /// Response times are above their limits this many times as often in the first minutes.
    Cold(f64, u32),
}

/// A kind of deployment. Functions take the minute, from 1; the hour before is minute 0.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) rps: fn(u32) -> f64,
    pub(crate) share: fn(u32) -> f64,
    pub(crate) baseline: fn(u32) -> f64,
    pub(crate) canary: fn(u32) -> f64,
    pub(crate) latency: Latency,
    pub(crate) fault: Fault,
    pub(crate) groups: Groups,
    /// Whether a group is spread over zones, which hides it from the comparison of zones.
    pub(crate) across_zones: bool,
    pub(crate) zones: usize,
    /// Relative deviation of error rates and of latency shares, of both sides alike.
    pub(crate) jitter: (f64, f64),
    /// Whether each side has its own.
    pub(crate) own_jitter: bool,
    /// Chance a minute and side that a tenth of its requests fails.
    pub(crate) task_deaths: f64,
    /// Chance a minute that a client sends many requests that are answered 4xx.
    pub(crate) crawler: f64,
    /// Share of answers that are counted in the minute after their request.
    pub(crate) skew: f64,
    /// Whether answers 2xx of the canary become final 1 to 4 minutes late, or never.
    pub(crate) late: bool,
    /// Whether refused connections and 101s keep the hour from being clean.
    pub(crate) unclean: bool,
}

/// One minute of traffic.
pub(crate) struct Minute {
    pub(crate) counted: Counted,
    /// Requests of the canary that were not answered well.
    pub(crate) harmed: u64,
    /// When the canary's 2xx are final.
    good_seen: u32,
}

impl Minute {
    pub(crate) fn arrived(&self, now: u32) -> Arrived {
        let mut minute = self.counted.clone();
        let is_final = self.good_seen <= now;
        if !is_final {
            minute.canary.good = None;
        }
        Arrived { minute, is_final }
    }
}

/// Factors on rates that hold for a whole minute.
#[derive(Clone, Copy)]
struct Weather {
    errors: f64,
    slow: f64,
}

impl Weather {
    fn draw(kind: &Kind, random: &mut Rng) -> Self {
        let factor = |deviation: f64, random: &mut Rng| {
            if deviation > 0.0 {
                log_normal(deviation, random)
            } else {
                1.0
            }
        };
        Self {
            errors: factor(kind.jitter.0, random),
            slow: factor(kind.jitter.1, random),
        }
    }
}

/// The hour before, with the live version alone.
pub(crate) fn hour_before(kind: &Kind, random: &mut Rng) -> Vec<Vec<ZoneMinute>> {
    (0..HOUR).map(|_| hour_minute(kind, random)).collect()
}

fn hour_minute(kind: &Kind, random: &mut Rng) -> Vec<ZoneMinute> {
    let weather = Weather::draw(kind, random);
    let mut zones = Vec::new();
    for _ in 0..kind.zones {
        let requests = poisson(60.0 * (kind.rps)(1) / kind.zones as f64, random);
        zones.push(zone_minute(kind, requests, weather, random));
    }

    let expected = 60.0 * (kind.rps)(1) * (kind.baseline)(0) * weather.errors;
    for bad in groups(kind.groups, expected, random) {
        let home = random.usize(0..kind.zones);
        for _ in 0..bad {
            let zone = if kind.across_zones {
                random.usize(0..kind.zones)
            } else {
                home
            };
            fail(&mut zones[zone].answers, 1);
        }
    }
    if random.f64() < kind.task_deaths {
        let zone = random.usize(0..kind.zones);
        let all: u64 = zones.iter().map(|zone| zone.answers.requests).sum();
        fail(&mut zones[zone].answers, all / 10);
    }
    if random.f64() < kind.crawler {
        for zone in &mut zones {
            let crawled = zone.answers.requests / 20;
            zone.answers.requests += crawled;
            zone.answers.client_errors += crawled;
        }
    }
    zones
}

fn zone_minute(kind: &Kind, requests: u64, weather: Weather, random: &mut Rng) -> ZoneMinute {
    let rate = if kind.groups == Groups::Single {
        (kind.baseline)(0)
    } else {
        0.0
    };
    let bad = binomial(requests, (rate * weather.errors).min(1.0), random);
    let client_errors = binomial(requests - bad, CLIENT_ERRORS, random);
    let good = requests - bad - client_errors;
    let slow = latency::slow(requests, Latency::Same, weather.slow, random);
    // WebSockets answer 101, and balancers count what they answered a little later.
    let elsewhere = if kind.unclean || kind.skew > 0.0 {
        good / 50
    } else {
        0
    };
    let swapped = if kind.skew > 0.0 && random.bool() {
        good + elsewhere
    } else {
        good - elsewhere
    };

    ZoneMinute {
        answers: Answers {
            requests,
            good: swapped,
            client_errors,
            server_errors: bad,
            refused: 0,
        },
        slow: slow.iter().map(|slow| slow.above).collect(),
        slow_to_promote: slow.iter().map(|slow| slow.above_to_promote).collect(),
    }
}

fn fail(answers: &mut Answers, bad: u64) {
    let bad = bad.min(answers.good);
    answers.good -= bad;
    answers.server_errors += bad;
}

/// One deployment of this kind over so many minutes.
pub(crate) fn deployment(kind: &Kind, minutes: u32, random: &mut Rng) -> Vec<Minute> {
    let mut sides: Vec<[Side; 2]> = (1..=minutes).map(|t| both(kind, t, random)).collect();
    if kind.skew > 0.0 {
        for t in (0..sides.len()).rev() {
            for side in 0..2 {
                let moved = sides[t][side].split(kind.skew, random);
                if let Some(next) = sides.get_mut(t + 1) {
                    next[side].receive(&moved);
                }
            }
        }
    }
    let finished = (1..).zip(sides);
    finished
        .map(|(t, sides)| finish(kind, t, sides, random))
        .collect()
}

/// One side in one minute.
#[derive(Clone, Default)]
struct Side {
    answers: Answers,
    timed: u64,
    slow: Vec<latency::Slow>,
    harmed: u64,
}

impl Side {
    /// Takes out the answers that are counted in the next minute. Response times stay with them.
    fn split(&mut self, share: f64, random: &mut Rng) -> Answers {
        let good = binomial(self.answers.good, share, random);
        let client_errors = binomial(self.answers.client_errors, share, random);
        let server_errors = binomial(self.answers.server_errors, share, random);
        let moved = Answers {
            requests: 0,
            good,
            client_errors,
            server_errors,
            refused: 0,
        };
        self.answers.good -= good;
        self.answers.client_errors -= client_errors;
        self.answers.server_errors -= server_errors;
        self.timed -= good + client_errors + server_errors;
        moved
    }

    fn receive(&mut self, moved: &Answers) {
        self.answers.good += moved.good;
        self.answers.client_errors += moved.client_errors;
        self.answers.server_errors += moved.server_errors;
        self.timed += moved.good + moved.client_errors + moved.server_errors;
    }
}

fn both(kind: &Kind, t: u32, random: &mut Rng) -> [Side; 2] {
    let all = poisson(60.0 * (kind.rps)(t), random);
    let canary = binomial(all, (kind.share)(t), random);
    let shared = Weather::draw(kind, random);
    let mut sides = [canary, all - canary].map(|requests| (requests, shared));
    if kind.own_jitter {
        sides[0].1 = Weather::draw(kind, random);
        sides[1].1 = Weather::draw(kind, random);
    }
    let mut sides = [
        one(kind, t, true, sides[0], random),
        one(kind, t, false, sides[1], random),
    ];

    let rates = [
        (kind.canary)(t) * (kind.share)(t),
        (kind.baseline)(t) * (1.0 - (kind.share)(t)),
    ];
    for (side, rate) in sides.iter_mut().zip(rates) {
        let expected = 60.0 * (kind.rps)(t) * rate * shared.errors;
        for bad in groups(kind.groups, expected, random) {
            side.fail(bad);
        }
    }
    for side in &mut sides {
        if random.f64() < kind.task_deaths {
            side.fail(side.answers.requests / 10);
        }
    }
    if random.f64() < kind.crawler {
        let crawled = all / 20;
        let canary = binomial(crawled, (kind.share)(t), random);
        for (side, crawled) in sides.iter_mut().zip([canary, crawled - canary]) {
            side.answers.requests += crawled;
            side.answers.client_errors += crawled;
            side.timed += crawled;
        }
    }
    sides
}

impl Side {
    fn fail(&mut self, bad: u64) {
        fail(&mut self.answers, bad);
        self.harmed = self.answers.requests - self.answers.good - self.answers.client_errors;
    }
}

/// The chance of an error that comes by itself.
fn single_rate(kind: &Kind, t: u32, is_canary: bool, weather: Weather) -> f64 {
    let rate = if is_canary {
        (kind.canary)(t)
    } else {
        (kind.baseline)(t)
    };
    if kind.groups != Groups::Single && rate < 1.0 {
        0.0
    } else {
        (rate * weather.errors).min(1.0)
    }
}

fn one(
    kind: &Kind,
    t: u32,
    is_canary: bool,
    (requests, weather): (u64, Weather),
    random: &mut Rng,
) -> Side {
    let rate = single_rate(kind, t, is_canary, weather);
    let fault = if is_canary { kind.fault } else { Fault::None };

    let unanswered = match fault {
        Fault::Unanswered(share) => binomial(requests, share, random),
        Fault::Silent => requests,
        _ => 0,
    };
    let bad = binomial(requests - unanswered, rate, random);
    let refused = if fault == Fault::Refused {
        binomial(bad, 0.5, random)
    } else {
        0
    };
    let rejected = match fault {
        Fault::Rejected(share) => share,
        _ => CLIENT_ERRORS,
    };
    let client_errors = binomial(requests - unanswered - bad, rejected, random);
    let timed = requests - unanswered - refused;
    let (latency, slow) = match fault {
        Fault::Cold(factor, minutes) if t <= minutes => (kind.latency, weather.slow * factor),
        _ if is_canary => (kind.latency, weather.slow),
        _ => (Latency::Same, weather.slow),
    };

    Side {
        answers: Answers {
            requests,
            good: requests - unanswered - bad - client_errors,
            client_errors,
            server_errors: bad - refused,
            refused,
        },
        timed,
        slow: latency::slow(timed, latency, slow, random),
        harmed: unanswered + bad,
    }
}

fn finish(kind: &Kind, t: u32, [canary, baseline]: [Side; 2], random: &mut Rng) -> Minute {
    let good_seen = match (kind.late, random.u8(0..16)) {
        (true, 0) => u32::MAX,
        (true, _) => t + random.u32(1..=4),
        (false, _) => t,
    };
    Minute {
        harmed: canary.harmed,
        counted: Counted {
            canary: counters(&canary, |slow| slow.above_tolerated),
            baseline: counters(&baseline, |slow| slow.above),
        },
        good_seen,
    }
}

/// CloudWatch has no point for a counter that stayed at 0.
fn counters(side: &Side, above: fn(&latency::Slow) -> u64) -> Counters {
    let point = |count: u64| (count > 0).then_some(count);
    let slow = |above: fn(&latency::Slow) -> u64| {
        side.slow
            .iter()
            .map(|slow| (side.timed > 0).then(|| above(slow).min(side.timed)))
            .collect()
    };
    Counters {
        requests: Some(side.answers.requests),
        good: point(side.answers.good),
        client_errors: point(side.answers.client_errors),
        server_errors: point(side.answers.server_errors),
        refused: point(side.answers.refused),
        timed: point(side.timed),
        slow: slow(above),
        slow_to_promote: slow(|slow| slow.above_to_promote),
        own: Vec::new(),
        values: Vec::new(),
    }
}
