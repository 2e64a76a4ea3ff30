//! Blue/green releases of the shop, with what people, images and chance do to them: what was approved is what gets the traffic,
//! a failing bake gives back exactly what was recorded, and no crash between two calls leaves the pair in between.

mod approvals;
mod bake;
mod beginnings;
mod crashes;
mod hands;
mod peak;
mod steps;
