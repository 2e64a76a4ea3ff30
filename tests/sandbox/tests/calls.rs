//! What the functions send to AWS, call by call and value by value, beside what they sent when the files in `tests/golden/calls/`
//! were written. Each file is one scene: releases from the shipped templates, played on the in-memory AWS.

#[path = "calls/blue_green.rs"]
mod blue_green;
#[path = "calls/canary.rs"]
mod canary;
#[path = "calls/golden.rs"]
mod golden;
#[path = "calls/in_place.rs"]
mod in_place;
#[path = "calls/items.rs"]
mod items;
#[path = "calls/layout.rs"]
mod layout;
#[path = "calls/names.rs"]
mod names;
#[path = "canary/shop.rs"]
#[allow(dead_code, reason = "the scenes use a part of it")]
mod shop;
#[path = "calls/start_pipeline.rs"]
mod start_pipeline;
mod support;
#[path = "calls/transcript.rs"]
mod transcript;
#[path = "calls/wire.rs"]
mod wire;
