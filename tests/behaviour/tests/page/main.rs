//! The release page and the delivery figures, made of items of the ledger as they are stored: of
//! 200 releases of 30 services, which `reference.py` drew, and of a few to the byte.

mod figures;
mod golden;
mod safety;
mod stored;
