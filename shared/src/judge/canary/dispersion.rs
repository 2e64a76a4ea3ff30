//! Measures whether bad events come one by one.
//!
//! Retries, sticky sessions and jitter turn one cause into several bad requests. Counted one by one
//! they look like more evidence than they are.

use serde::{Deserialize, Serialize};

/// The largest φ; beyond it the measurement means no more than "many at once". Ours.
const PHI_MAX: f64 = 100.0;

/// Bad events that a measurement must rest on before they are taken to come one by one.
const EVENTS_MIN: u64 = 30;

/// Requests of one part of a unit, and the bad ones among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Part {
    pub requests: u64,
    pub bad: u64,
}

/// Whether parts are compared with their own rates or with the common one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PartRates {
    /// Each part has a rate of its own, in proportion to the others.
    Own,
    /// All parts have the same rate.
    Common,
}

/// The overdispersion of bad events.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Dispersion {
    /// φ from 1 to 100: 1 for independent events, else about how many come at once.
    pub phi: f64,
    /// Bad events it was measured from.
    pub events: u64,
}

impl Dispersion {
    /// From the sums over all units: of the statistic, of its variance at φ = 1, of events.
    fn of(statistic: f64, variance: f64, events: u64) -> Self {
        let measured = statistic / events as f64;
        let deviation = variance.sqrt() / events as f64;
        let phi = if events == 0 || measured <= 1.0 + 2.0 * deviation {
            1.0
        } else {
            measured.min(PHI_MAX)
        };
        Self { phi, events }
    }

    /// Whether it shows that events come one by one.
    pub fn is_one_by_one(&self) -> bool {
        self.phi <= 1.0 && self.events >= EVENTS_MIN
    }
}

/// Measures φ from units with parts, the same places in each: `φ̂ = Σ_t Σ_k (x_k − m·u_k)²/u_k /
/// (K−1) / Σ_t m` with `u_k = ρ_k·n_k/Σρ_k·n_k`, Pearson's statistic by size \[MN\]. It is 1 for
/// independent events, with the standard error `σ = √(Σ_t 2m(m−1)/(K−1))/Σ_t m`, and taken as 1 up
/// to `1 + 2σ`. Units with requests in fewer than two parts, or without bad events, are left out.
pub fn dispersion(units: &[Vec<Part>], rates: PartRates) -> Dispersion {
    let compared: Vec<&Vec<Part>> = units.iter().filter(|unit| is_compared(unit)).collect();
    let rates = match rates {
        PartRates::Own => own_rates(&compared),
        PartRates::Common => Vec::new(),
    };

    let (mut statistic, mut variance, mut events) = (0.0, 0.0, 0_u64);
    for unit in compared {
        let bad = bad_of(unit);
        let freedom = (present(unit).count() - 1) as f64;
        statistic += pearson(unit, &rates) / freedom;
        variance += 2.0 * bad as f64 * (bad as f64 - 1.0) / freedom;
        events += bad;
    }

    Dispersion::of(statistic, variance, events)
}

fn present(unit: &[Part]) -> impl Iterator<Item = (usize, &Part)> {
    unit.iter()
        .enumerate()
        .filter(|(_, part)| part.requests > 0)
}

fn bad_of(unit: &[Part]) -> u64 {
    present(unit).map(|(_, part)| part.bad).sum()
}

fn is_compared(unit: &[Part]) -> bool {
    present(unit).count() >= 2 && bad_of(unit) > 0
}

/// `ρ_k = (Σ_t x_k + ½)/(Σ_t n_k·m/n + ½)`: how a part's rate stands to the common one.
fn own_rates(units: &[&Vec<Part>]) -> Vec<f64> {
    let parts = units.iter().map(|unit| unit.len()).max().unwrap_or(0);
    let (mut found, mut expected) = (vec![0.5; parts], vec![0.5; parts]);

    for unit in units {
        let requests: u64 = unit.iter().map(|part| part.requests).sum();
        let rate = bad_of(unit) as f64 / requests as f64;
        for (k, part) in present(unit) {
            found[k] += part.bad as f64;
            expected[k] += part.requests as f64 * rate;
        }
    }
    found.iter().zip(expected).map(|(x, e)| x / e).collect()
}

/// `Σ_k (x_k − m·u_k)²/u_k` of one unit.
fn pearson(unit: &[Part], rates: &[f64]) -> f64 {
    let size = |k: usize, part: &Part| rates.get(k).copied().unwrap_or(1.0) * part.requests as f64;
    let all: f64 = present(unit).map(|(k, part)| size(k, part)).sum();
    let bad = bad_of(unit) as f64;
    present(unit)
        .map(|(k, part)| {
            let share = size(k, part) / all;
            (part.bad as f64 - bad * share).powi(2) / share
        })
        .sum()
}

/// The same for units of two parts that have rates of their own, unit by unit: a bake is
/// measured at each look, and only the rates change between looks.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoParts {
    units: Vec<PairedUnit>,
    found: [f64; 2],
    expected: [f64; 2],
    variance: f64,
    events: u64,
}

/// A unit of two parts that both have requests.
#[derive(Debug, Clone, Copy, PartialEq)]
struct PairedUnit {
    requests: [f64; 2],
    first_bad: f64,
    bad: f64,
}

impl Default for TwoParts {
    fn default() -> Self {
        Self {
            units: Vec::new(),
            found: [0.5; 2],
            expected: [0.5; 2],
            variance: 0.0,
            events: 0,
        }
    }
}

impl TwoParts {
    /// Adds a unit.
    pub fn absorb(&mut self, parts: [Part; 2]) {
        if !is_compared(&parts) {
            return;
        }
        let requests = parts.map(|part| part.requests as f64);
        let bad = bad_of(&parts);
        let rate = bad as f64 / (requests[0] + requests[1]);
        for k in 0..2 {
            self.found[k] += parts[k].bad as f64;
            self.expected[k] += requests[k] * rate;
        }
        self.variance += 2.0 * bad as f64 * (bad as f64 - 1.0);
        self.events += bad;
        self.units.push(PairedUnit {
            requests,
            first_bad: parts[0].bad as f64,
            bad: bad as f64,
        });
    }

    /// φ of all units so far. With two parts of sizes v and w the statistic of a unit is
    /// `(x·(v+w) − m·v)²/(v·w)`.
    pub fn dispersion(&self) -> Dispersion {
        let ratio = self.found[0] / self.expected[0] / (self.found[1] / self.expected[1]);
        let statistic = self.units.iter().map(|unit| {
            let (first, second) = (ratio * unit.requests[0], unit.requests[1]);
            let excess = unit.first_bad * (first + second) - unit.bad * first;
            excess * excess / (first * second)
        });
        Dispersion::of(statistic.sum(), self.variance, self.events)
    }
}

#[cfg(test)]
mod tests;
