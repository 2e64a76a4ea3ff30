//! AWS at its worst: services that do not answer for longer than the SDK tries, lists in pages of one, and reads that lag behind.
//! A release must end as it does on a good day.

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod consistent;
mod pages;
mod scenes;
mod stale;
