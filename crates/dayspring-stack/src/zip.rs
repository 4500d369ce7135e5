//! Archives whose bytes depend on their content alone, so that their digest names it.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

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
    let method = match compression {
        Compression::Stored => CompressionMethod::Stored,
        Compression::Deflated => CompressionMethod::Deflated,
    };
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in entries {
        let permissions = if path == "bootstrap" { 0o755 } else { 0o644 };
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(permissions);
        writer.start_file(path, options)?;
        writer.write_all(&bytes)?;
    }
    Ok(writer.finish()?.into_inner())
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
