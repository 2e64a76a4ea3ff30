//! What moves traffic: the one module outside `aws` that performs I/O.

pub mod mover;
