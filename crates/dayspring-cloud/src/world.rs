//! Time and randomness, handed to the services as values, so that a test decides them.

use std::time::{SystemTime, UNIX_EPOCH};

/// Where a service gets the time and its random ids from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct World {
    now: fn() -> u64,
    fill: fn(&mut [u8]),
}

impl World {
    /// The machine's clock and the operating system's random bytes.
    pub(crate) fn real() -> Self {
        Self {
            now: || {
                SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |since| {
                        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
                    })
            },
            fill: |bytes| {
                getrandom::fill(bytes).expect("the operating system gives random bytes");
            },
        }
    }

    /// Milliseconds since 1970.
    pub(crate) fn now_millis(self) -> u64 {
        (self.now)()
    }

    /// A version 4 UUID.
    pub(crate) fn uuid(self) -> String {
        let mut bytes = [0u8; 16];
        (self.fill)(&mut bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex = hex(&bytes);
        format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }

    /// `length` random characters of the alphabet, which is ASCII and not empty.
    pub(crate) fn characters(self, alphabet: &str, length: usize) -> String {
        let alphabet = alphabet.as_bytes();
        let mut bytes = vec![0u8; length];
        (self.fill)(&mut bytes);
        bytes
            .iter()
            .map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()]))
            .collect()
    }

    /// `length` random lower-case hexadecimal digits, as EC2's ids have 17 of them.
    pub(crate) fn hex_digits(self, length: usize) -> String {
        self.characters("0123456789abcdef", length)
    }

    /// `length` random capital letters and digits, as generated names end in 12 of them.
    pub(crate) fn capitals(self, length: usize) -> String {
        self.characters("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", length)
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_of_version_four() {
        let uuid = World::real().uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"));
        assert_ne!(uuid, World::real().uuid());
    }
}
