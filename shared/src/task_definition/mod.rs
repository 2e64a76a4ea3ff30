//! Task definitions as opaque JSON: only images are changed, and only what RegisterTaskDefinition
//! does not accept is removed.
//!
//! Never drops or rewrites a field that this code does not know: a definition may use features that
//! are newer than this version. Messages and `Debug` never quote values, which can be secrets.

mod base;
mod definition;
mod images;
mod mark;
mod refused;
mod roles;
mod secrets;
mod types;

pub use base::{Base, BaseName};
pub use definition::TaskDefinition;
pub use images::{
    check_images, container_images, parse_image_definitions, parse_image_detail, set_images,
};
pub use mark::Mark;
pub use roles::ROLE_PATH;

#[cfg(test)]
mod tests;
