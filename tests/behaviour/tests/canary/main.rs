//! The canary pipeline on the sandbox: what is healthy is promoted, what is not is rolled back by
//! the invocation that saw it, and neither chance nor a second delivery changes that.

mod cases;
mod crashes;
mod demo;
mod endings;
mod guards;
mod metrics;
mod promotion;
mod wrong_parameters;
