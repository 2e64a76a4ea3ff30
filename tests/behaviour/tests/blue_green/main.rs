//! Blue/green releases of the shop, with what operators, images and chance do to them: what was
//! approved is what gets the traffic, a failing bake gives back exactly what was recorded, and no
//! crash between two calls leaves the pair in between.

mod approvals;
mod authentication;
mod bake;
mod capacity;
mod check_url;
mod crashes;
mod drift;
mod dry_run;
mod external_changes;
mod named;
mod other_rules;
mod overlap;
mod preflight;
mod restorable;
mod set_ups;
mod steps;
mod undo;
