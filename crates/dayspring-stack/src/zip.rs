//! Archives whose bytes depend on their content alone, so that a digest names them.

use std::io::{Cursor, Read, Seek, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::digest::Digest;

/// The file with which Lambda starts a function.
const BOOTSTRAP: &str = "bootstrap";

/// Before the binary in its digest. A change of how it is packed changes the number, so that it is uploaded anew.
const BOOTSTRAP_FORMAT: &str = "dayspring bootstrap 1";

/// Whether an archive is made small or made quickly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// As it is: for a cloud on the same machine.
    Stored,
    /// Small: for a way over the network.
    Deflated,
}

/// A file for an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path inside the archive, with slashes.
    pub path: String,
    /// The content.
    pub bytes: Vec<u8>,
}

/// The archive of `entries`: sorted by path, dated to the format's beginning (1980), readable by all, and `bootstrap`
/// executable. Of two entries with one path the later counts.
///
/// # Errors
/// When the format cannot hold the entries: a path over 64 KiB, or a file over 4 GiB.
pub fn archive(entries: Vec<Entry>, compression: Compression) -> std::io::Result<Vec<u8>> {
    let entries: std::collections::BTreeMap<String, Vec<u8>> = entries
        .into_iter()
        .map(|entry| (entry.path, entry.bytes))
        .collect();
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in entries {
        let options = options(&path, compression);
        writer.start_file(path, options)?;
        writer.write_all(&bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}

/// The digest that names the archive of a functions' binary: of the binary, not of the archive, so that it is known before
/// anything is packed.
///
/// # Errors
/// What the reader says.
pub fn bootstrap_digest(mut binary: impl Read) -> std::io::Result<Digest> {
    Digest::of_copy(BOOTSTRAP_FORMAT, &mut binary, &mut std::io::sink())
}

/// Writes the archive of a functions' binary, piece by piece, and gives what [`bootstrap_digest`] gives.
///
/// # Errors
/// What the reader or the writer says, and when the format cannot hold the binary: 4 GiB.
pub fn archive_bootstrap(
    mut binary: impl Read,
    compression: Compression,
    archive: impl Write + Seek,
) -> std::io::Result<Digest> {
    let mut writer = ZipWriter::new(archive);
    writer.start_file(BOOTSTRAP, options(BOOTSTRAP, compression))?;
    let digest = Digest::of_copy(BOOTSTRAP_FORMAT, &mut binary, &mut writer)?;
    writer.finish()?.flush()?;
    Ok(digest)
}

fn options(path: &str, compression: Compression) -> SimpleFileOptions {
    let method = match compression {
        Compression::Stored => CompressionMethod::Stored,
        Compression::Deflated => CompressionMethod::Deflated,
    };
    SimpleFileOptions::default()
        .compression_method(method)
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(if path == BOOTSTRAP { 0o755 } else { 0o644 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::sha256_hex;

    fn entries() -> Vec<Entry> {
        let entry = |path: &str, text: &str| Entry {
            path: path.to_owned(),
            bytes: text.repeat(100).into_bytes(),
        };
        vec![
            entry("scripts/schema/v1.sql", "select 1;"),
            entry("bootstrap", "binary"),
        ]
    }

    #[test]
    fn the_same_files_in_any_order_give_the_same_bytes() {
        let mut reversed = entries();
        reversed.reverse();
        for compression in [Compression::Stored, Compression::Deflated] {
            assert_eq!(
                archive(entries(), compression).unwrap(),
                archive(reversed.clone(), compression).unwrap()
            );
        }
    }

    #[test]
    fn the_bytes_are_those_of_every_other_day() {
        // A change here changes the digest of every unchanged project once.
        let digest = sha256_hex(&archive(entries(), Compression::Stored).unwrap());
        insta::assert_snapshot!(digest, @"7121d03a446b0a9a2fbaaaf9a50ae6d3a893883f9bf369d21a1c1de373e43dff");
    }

    #[test]
    fn a_binary_is_packed_in_pieces_as_it_is_whole() {
        let bytes = "binary".repeat(100).into_bytes();
        for compression in [Compression::Stored, Compression::Deflated] {
            let entry = Entry {
                path: "bootstrap".to_owned(),
                bytes: bytes.clone(),
            };
            let mut pieces = Cursor::new(Vec::new());
            let digest = archive_bootstrap(bytes.as_slice(), compression, &mut pieces).unwrap();
            assert_eq!(
                pieces.into_inner(),
                archive(vec![entry], compression).unwrap()
            );
            assert_eq!(digest, bootstrap_digest(bytes.as_slice()).unwrap());
        }
        assert_ne!(
            bootstrap_digest(b"a".as_slice()).unwrap(),
            bootstrap_digest(b"b".as_slice()).unwrap()
        );
    }

    #[test]
    fn bootstrap_is_executable_and_the_rest_is_not() {
        let bytes = archive(entries(), Compression::Deflated).unwrap();
        let mut archive = ::zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mode = |archive: &mut ::zip::ZipArchive<_>, name| {
            archive.by_name(name).unwrap().unix_mode().unwrap() & 0o777
        };
        assert_eq!(mode(&mut archive, "bootstrap"), 0o755);
        assert_eq!(mode(&mut archive, "scripts/schema/v1.sql"), 0o644);
    }
}
