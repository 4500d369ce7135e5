//! Unguessable names: passwords, transaction ids, resource ids.

use base64::Engine as _;

/// Letters and digits in lower case.
pub(crate) fn lowercase(length: usize) -> String {
    of("abcdefghijklmnopqrstuvwxyz0123456789", length)
}

/// Letters in upper case and digits, as in `cluster-ABC...`.
pub(crate) fn uppercase(length: usize) -> String {
    of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", length)
}

/// Letters and digits.
pub(crate) fn password(length: usize) -> String {
    of(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        length,
    )
}

/// Bytes in base64, as the service's transaction ids look.
pub(crate) fn base64(bytes: usize) -> String {
    base64::engine::general_purpose::STANDARD.encode(fill(bytes))
}

/// A random UUID (version 4).
pub(crate) fn uuid() -> String {
    let mut bytes = fill(16);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 0x0f] {
            text.push(char::from_digit(digit.into(), 16).unwrap_or('0'));
        }
    }
    text
}

fn of(alphabet: &str, length: usize) -> String {
    let alphabet = alphabet.as_bytes();
    fill(length)
        .into_iter()
        .map(|byte| char::from(alphabet[usize::from(byte) % alphabet.len()]))
        .collect()
}

fn fill(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}
