//! The cloud as a whole, over real connections.
//!
//! The modules are marked as tests so that the lints see their helpers as what they are.

#[cfg(test)]
mod client;
#[cfg(test)]
mod cloudformation;
#[cfg(test)]
mod data_api;
#[cfg(test)]
mod hardship;
#[cfg(test)]
mod inline_code;
#[cfg(test)]
mod judge;
#[cfg(test)]
mod process;
#[cfg(test)]
mod sdk;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod wire;
