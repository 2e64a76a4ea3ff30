//! AWS at its worst: services that do not respond for longer than the SDK tries, lists in pages of
//! one, and reads that lag behind. A release must end as it does on a good day.

mod calls;
mod consistent;
mod deliveries;
mod pages;
mod scenes;
mod stale;
