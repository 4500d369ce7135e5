//! How much a template may do: in bytes that it reads and makes, and in values that it looks at.
//!
//! Steps alone do not bound it. One step may search a text of megabytes, join two, or write out a list whose parts are the
//! same list many times over.

use std::cell::Cell;

use super::Failure;

/// Some twenty times the largest payload: more than any template needs, and less than a second's work.
const BYTES_MAX: usize = 256 * 1024 * 1024;

/// What a value takes in a list, roughly.
pub(super) const VALUE_BYTES: usize = 64;

/// See the module.
#[derive(Debug)]
pub(super) struct Budget {
    left: Cell<usize>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            left: Cell::new(BYTES_MAX),
        }
    }
}

impl Budget {
    /// Fails when more is asked for than is left.
    pub(super) fn spend(&self, bytes: usize) -> Result<(), Failure> {
        let left = self.left.get().checked_sub(bytes);
        self.left.set(left.unwrap_or_default());
        match left {
            Some(_) => Ok(()),
            None => Err(Failure::Template(
                "the template does not come to an end".to_owned(),
            )),
        }
    }
}
