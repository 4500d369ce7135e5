//! The `aws-chunked` coding, in which the SDKs send a body whose signature or checksum comes after it
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>).

use crate::error::AwsError;

/// The body without its frames: `SIZE[;chunk-signature=...]CRLF DATA CRLF ... 0CRLF trailers CRLF`.
pub(super) fn decode(body: &[u8]) -> Result<Vec<u8>, AwsError> {
    let mut rest = body;
    let mut decoded = Vec::with_capacity(body.len());
    loop {
        let end = find(rest, b"\r\n").ok_or_else(incomplete)?;
        let frame = std::str::from_utf8(&rest[..end]).map_err(|_| incomplete())?;
        let size = frame.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| incomplete())?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Ok(decoded);
        }
        decoded.extend_from_slice(rest.get(..size).ok_or_else(incomplete)?);
        rest = rest[size..].strip_prefix(b"\r\n").ok_or_else(incomplete)?;
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn incomplete() -> AwsError {
    AwsError::bad_request("IncompleteBody", "The request body terminated unexpectedly")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_signatures_and_trailers_are_taken_off() {
        let body = b"5;chunk-signature=ab\r\nhe\r\no\r\n3\r\n wo\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n";
        assert_eq!(decode(body).unwrap(), b"he\r\no wo");
        assert_eq!(decode(b"0\r\n\r\n").unwrap(), b"");
    }

    #[test]
    fn a_body_that_was_cut_is_refused_wherever_it_was_cut() {
        let body = b"5\r\nhello\r\n0\r\n";
        for length in 0..body.len() {
            assert_eq!(
                decode(&body[..length]).unwrap_err().kind,
                "IncompleteBody",
                "{length}"
            );
        }
    }

    #[test]
    fn a_size_that_no_body_has_is_refused() {
        assert!(decode(b"ffffffffffffffff\r\nx\r\n").is_err());
        assert!(decode(b"-1\r\nx\r\n").is_err());
    }
}
