//! Releases in place, step by step by hand: what each step writes into the ledger, what it changes
//! and in which order, and what a release leaves behind however it ends.

mod alarms;
mod approval;
mod bases;
mod begin;
mod bench;
mod deadlines;
mod dry_run;
mod dry_run_roles;
mod endings;
mod families;
mod files;
mod finish;
mod leftovers;
mod placement;
mod register;
mod restorable;
mod shapes;
mod sweep;
mod update;
mod whole;
