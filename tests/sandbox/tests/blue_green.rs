//! Blue/green releases of the shop, with what people, images and chance do to them: what was approved is what gets the traffic,
//! a failing bake gives back exactly what was recorded, and no crash between two calls leaves the pair in between.

#[path = "blue_green/approvals.rs"]
mod approvals;
#[path = "blue_green/bake.rs"]
mod bake;
#[path = "blue_green/beginnings.rs"]
mod beginnings;
#[path = "blue_green/crashes.rs"]
mod crashes;
#[path = "blue_green/hands.rs"]
mod hands;
#[path = "blue_green/peak.rs"]
mod peak;
#[path = "blue_green/steps/mod.rs"]
mod steps;
mod support;
