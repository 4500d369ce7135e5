//! SHA-256 as the name of a content.

use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;

use sha2::digest::Output;
use sha2::{Digest as _, Sha256};

use crate::error::Invalid;

/// A file is read in pieces of this size: what is packed is in memory nowhere as a whole.
const CHUNK_BYTES: usize = 64 * 1024;

/// The SHA-256 of some bytes, as 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha256_hex(bytes))
    }

    /// Copies all that `reader` gives to `writer`. The digest is that of `title`, a zero byte and the copied bytes.
    ///
    /// # Errors
    /// What the reader or the writer says.
    pub(crate) fn of_copy(
        title: &str,
        reader: &mut dyn Read,
        writer: &mut dyn Write,
    ) -> io::Result<Self> {
        let mut hash = Sha256::new();
        hash.update(title);
        hash.update([0]);
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match reader.read(&mut chunk) {
                Ok(0) => return Ok(Self(hex(&hash.finalize()))),
                Ok(length) => {
                    hash.update(&chunk[..length]);
                    writer.write_all(&chunk[..length])?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Digest {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(hexadecimal) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::expected("64 lower-case hexadecimal digits"))
        }
    }
}

/// The SHA-256 of `bytes` in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(digest: &Output<Sha256>) -> String {
    use std::fmt::Write as _;

    digest
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            write!(text, "{byte:02x}").expect("writing to a string does not fail");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_nothing_is_the_published_one() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").as_str(), empty);
        assert_eq!(empty.parse::<Digest>().unwrap(), Digest::of(b""));
    }

    #[test]
    fn what_is_copied_arrives_and_counts_with_its_title() {
        let bytes: Vec<u8> = (0..=250).cycle().take(3 * CHUNK_BYTES + 1).collect();
        let mut copy = Vec::new();
        let digest = Digest::of_copy("title", &mut bytes.as_slice(), &mut copy).unwrap();
        assert_eq!(copy, bytes);
        assert_eq!(digest, Digest::of(&[b"title\0", bytes.as_slice()].concat()));
    }

    #[test]
    fn anything_but_64_digits_is_refused() {
        assert!("abc".parse::<Digest>().is_err());
        assert!("E".repeat(64).parse::<Digest>().is_err());
    }
}
