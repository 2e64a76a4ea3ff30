//! Mutation testing: each mutation of `mutations/` removes one promise of Slipway, and a test or a
//! simulation must then fail.
//!
//! All mutations stand in one copy of the workspace, each behind a switch that is read at run time,
//! so that one build serves them all. A first run of a target's tests without any mutation records
//! which test reaches which switch; after that, a mutation is run against the tests that reach it,
//! the quickest first, until one of them fails. Targets that take long, simulations, and at last
//! slow tests are run for the mutations that are left. The project itself is never changed.

pub mod copy;
pub mod mutation;
pub mod outcome;
pub mod suite;
pub mod trial;
pub mod weave;
