//! Task definitions as opaque JSON: only images are changed, and only what RegisterTaskDefinition
//! does not accept is removed.
//!
//! Never drops or rewrites a field that this code does not know: a definition may use features that
//! are newer than this version. Messages and `Debug` never quote values, which can be secrets; a
//! [`Difference`] has them without what is secret.

mod base;
mod definition;
mod difference;
mod file;
mod images;
mod inspect;
mod leaves;
mod mark;
mod one_off;
mod read_members;
mod refused;
mod registrant;
mod registration;
mod roles;
mod secrets;
mod types;

pub use base::{Base, BaseName};
pub use definition::TaskDefinition;
pub use difference::{Difference, MemberChange};
pub use file::BaseFile;
pub use images::{
    check_images, container_images, parse_image_definitions, parse_image_detail, set_images,
    with_images,
};
pub use inspect::LeftOut;
pub use mark::Mark;
pub(crate) use registrant::{Marked, own};
pub use registration::Registration;

#[cfg(test)]
mod tests;
