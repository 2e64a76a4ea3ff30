//! Package `harness`: the real functions and templates, run on the emulated AWS in virtual time.

pub mod approvals;
pub mod cores;
pub mod demo;
pub mod driver;
pub mod functions;
pub mod markup;

/// A run allocates a great deal; every program that runs the functions here shares this allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
