//! What moves traffic.

pub mod mover;
