//! Releases in place, step by step by hand: what each step writes into the ledger, what it changes
//! and in which order, and what a release leaves behind however it ends.

mod alarms;
mod approval;
mod bases;
mod begin;
mod bench;
mod crash_loops;
mod deadlines;
mod deregistrations;
mod differences;
mod dry_run;
mod dry_run_roles;
mod endings;
mod families;
mod files;
mod finish;
mod held_ports;
mod late;
mod late_registrations;
mod leftovers;
mod lost_roles;
mod migrations;
mod no_tasks;
mod passing;
mod placement;
mod ports;
mod rebalancing;
mod register;
mod restorable;
mod scaling;
mod set_ups;
mod shapes;
mod sweep;
mod unread;
mod update;
mod whole;
