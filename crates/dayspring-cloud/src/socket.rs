//! Reading from and writing to a socket, as both of the crate's HTTP servers do it.

use std::io::{ErrorKind, Result};
use std::mem::MaybeUninit;
use std::pin::Pin;

use bytes::BytesMut;
use tokio::io::{AsyncRead, ReadBuf};

/// What a head or a small body is read into first: only what came is kept.
pub(crate) const READ_BYTES: usize = 4096;

/// Reads something into the buffer; the end of the stream is an error. A connection that waits has no room of its own, and
/// a read that takes less than there is room for is known to have taken all, so the next one waits without asking the
/// system first.
pub(crate) async fn fill(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
) -> Result<()> {
    std::future::poll_fn(|context| {
        let mut room = [MaybeUninit::uninit(); READ_BYTES];
        let mut read = ReadBuf::uninit(&mut room);
        Pin::new(&mut *stream)
            .poll_read(context, &mut read)
            .map(|result| match result {
                Ok(()) if read.filled().is_empty() => Err(ErrorKind::UnexpectedEof.into()),
                Ok(()) => {
                    buffer.extend_from_slice(read.filled());
                    Ok(())
                }
                Err(error) => Err(error),
            })
    })
    .await
}

/// Writes what the system takes at once and gives how many bytes that were. `write` must not block.
pub(crate) fn write_now(bytes: &[u8], write: impl Fn(&[u8]) -> Result<usize>) -> Result<usize> {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match write(rest) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(some) => written += some,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}
