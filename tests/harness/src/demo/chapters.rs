//! The chapters of the demo: what is pushed, what an operator does, and how the release ends.

use slipway::release::Outcome;

use emulator::ecr::{Behaviour, Profile};

use super::stacks::{COUNTER, SHOP, WEB};

/// One push and how its release must end.
#[derive(Clone, Copy, Debug)]
pub struct Chapter {
    pub title: &'static str,
    /// Repository, service and name of the pipeline.
    pub application: &'static str,
    pub tag: &'static str,
    pub image: Image,
    pub operator: Operator,
    pub outcome: Outcome,
    /// What the reason must contain.
    pub reason: &'static str,
}

/// What an operator does while the release goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Watches,
    /// Stops the execution during the bake, once the new colour has traffic.
    StopsInBake,
    /// Enables the transition into the release an hour after the execution has come to it.
    EnablesTransition,
    /// Approves the release once it waits for that.
    Approves,
}

/// What is pushed.
#[derive(Clone, Copy, Debug)]
pub enum Image {
    New(Behaviour),
    /// A healthy one that answers requests in a certain way.
    Answering(Profile),
    /// The image that another tag has already.
    SameAs(&'static str),
    /// A commit that a pipeline builds, whose image behaves so, and the actions that fail on it.
    Commit(Behaviour, &'static [&'static str]),
}

/// The demo, in order.
pub const CHAPTERS: [Chapter; 10] = [
    Chapter {
        title: "first release",
        application: WEB,
        tag: "1.0.0",
        operator: Operator::Watches,
        image: Image::New(Behaviour::Healthy),
        outcome: Outcome::Deployed,
        reason: "2 targets healthy",
    },
    Chapter {
        title: "a new version in place",
        application: WEB,
        tag: "1.1.0",
        operator: Operator::Watches,
        image: Image::New(Behaviour::Healthy),
        outcome: Outcome::Deployed,
        reason: "2 targets healthy",
    },
    Chapter {
        title: "the same image again",
        application: WEB,
        tag: "1.1.0-again",
        operator: Operator::Watches,
        image: Image::SameAs("1.1.0"),
        outcome: Outcome::Unchanged,
        reason: "nothing to do",
    },
    Chapter {
        title: "the counter's first release",
        application: COUNTER,
        tag: "1.0.0",
        operator: Operator::Watches,
        image: Image::New(Behaviour::Healthy),
        outcome: Outcome::Deployed,
        reason: "2 of 2 tasks",
    },
    Chapter {
        title: "the counter makes room",
        application: COUNTER,
        tag: "1.1.0",
        operator: Operator::Watches,
        image: Image::New(Behaviour::Healthy),
        outcome: Outcome::Deployed,
        reason: "2 of 2 tasks",
    },
    Chapter {
        title: "a broken image",
        application: WEB,
        tag: "1.2.0",
        operator: Operator::Watches,
        image: Image::New(Behaviour::NeverHealthy),
        outcome: Outcome::RolledBack,
        reason: "serves again",
    },
    Chapter {
        title: "the shop's first release, blue/green",
        application: SHOP,
        tag: "1.0.0",
        image: Image::New(Behaviour::Healthy),
        operator: Operator::Watches,
        outcome: Outcome::Deployed,
        reason: "2 targets healthy",
    },
    Chapter {
        title: "a new version, in steps of 20 %",
        application: SHOP,
        tag: "1.1.0",
        image: Image::New(Behaviour::Healthy),
        operator: Operator::Watches,
        outcome: Outcome::Deployed,
        reason: "it ran shop-green:",
    },
    Chapter {
        title: "one that fails during its bake",
        application: SHOP,
        tag: "1.2.0",
        image: Image::New(Behaviour::FailsUnderTraffic),
        operator: Operator::Watches,
        outcome: Outcome::RolledBack,
        reason: "traffic restored to blue 100 / green 0",
    },
    Chapter {
        title: "a rollback on demand",
        application: SHOP,
        tag: "1.3.0",
        image: Image::New(Behaviour::Healthy),
        operator: Operator::StopsInBake,
        outcome: Outcome::RolledBack,
        reason: "serves again as blue",
    },
];
