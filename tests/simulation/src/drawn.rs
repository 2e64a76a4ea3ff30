//! What a seed draws, whatever a simulation is about.

use std::fmt;

use super::draw::{About, plan};
use super::plan::Plan;
use super::play::{Played, play};
use super::promotion::Promotion;
use super::shrink::smallest;

/// A run as plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// About one service or pair.
    Plan(Box<Plan>),
    /// About the environments of a promotion.
    Promotion(Promotion),
}

impl Drawn {
    /// What a seed draws.
    #[must_use]
    pub fn of(seed: u64, about: About) -> Self {
        if about == About::Promotions {
            Self::Promotion(Promotion::draw(seed))
        } else {
            Self::Plan(Box::new(plan(seed, about)))
        }
    }

    /// Plays it; with `traces`, what happens is written down.
    #[must_use]
    pub fn play(&self, traces: bool) -> Played {
        match self {
            Self::Plan(plan) => play(plan, traces),
            Self::Promotion(promotion) => promotion.play(traces),
        }
    }

    /// Less of it that still fails, perhaps of another invariant.
    #[must_use]
    pub fn shrink(&self) -> Self {
        match self {
            Self::Plan(plan) => {
                let fails = |plan: &Plan| play(plan, false).failure.is_some();
                Self::Plan(Box::new(smallest(&**plan, fails)))
            }
            Self::Promotion(promotion) => {
                let fails = |promotion: &Promotion| promotion.play(false).failure.is_some();
                Self::Promotion(smallest(promotion, fails))
            }
        }
    }
}

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan(plan) => fmt::Display::fmt(plan, f),
            Self::Promotion(promotion) => fmt::Display::fmt(promotion, f),
        }
    }
}
