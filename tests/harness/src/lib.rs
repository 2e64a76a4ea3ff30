//! Package `harness`: the real functions and templates, run on the emulated AWS in virtual time.

pub mod demo;
pub mod driver;
pub mod functions;
