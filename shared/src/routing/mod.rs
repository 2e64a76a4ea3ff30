//! What moves traffic: weights, the rule that carries them, and the one module that moves them.

pub mod listener_rule;
pub mod mover;
pub mod weights;
