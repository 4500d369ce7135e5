//! Project files on the disk, their templates, and what an independent judge says of them.

#[cfg(test)]
mod assembly;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod security;
#[cfg(test)]
mod templates;
