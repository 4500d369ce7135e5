//! Code and layers on disk: a zip is unpacked once into a folder named by its digest.
//!
//! A folder appears under its name by a rename when it is complete, so one that is there is whole, whatever was killed
//! when; and unpacking the same zip again finds it there.
//!
//! A program cannot be started while any process has it open for writing, and a process that was started in the moment in
//! which it was written has it open until it becomes the program that it is to be. Such a process shares the writer's lock,
//! so a program is there only when its lock is free.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use sha2::{Digest, Sha256};

use crate::error::AwsError;

/// Function and layers, unzipped: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
const UNZIPPED_BYTES_MAX: u64 = 250 * 1024 * 1024;

/// A zip names its entries; this many would be an attack or a mistake.
const ENTRIES_MAX: usize = 100_000;

/// How often, and after how long, a program that is still open for writing is looked at again.
const WRITTEN_LOOKS_MAX: u32 = 1000;
const WRITTEN_LOOK_AFTER: Duration = Duration::from_millis(10);

const UNFINISHED: &str = "unfinished-";

/// The longest path that Linux takes.
const LINK_BYTES_MAX: u64 = 4096;

/// A package's digest, in lower-case hexadecimals: a folder's name.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub(super) struct PackageDigest(String);

impl PackageDigest {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(hex(&Sha256::digest(bytes)))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// `CodeSha256` is the same in base64.
    pub(super) fn base64(&self) -> String {
        use base64::Engine;
        let bytes: Vec<u8> = (0..self.0.len() / 2)
            .filter_map(|index| {
                let digits = self.0.get(index * 2..index * 2 + 2)?;
                u8::from_str_radix(digits, 16).ok()
            })
            .collect();
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }
}

/// Whether a folder is about to become a package.
pub(super) fn is_unfinished(name: &str) -> bool {
    name.starts_with(UNFINISHED)
}

/// The folders of one kind of package.
#[derive(Debug, Clone)]
pub(super) struct PackageStore {
    folder: PathBuf,
}

impl PackageStore {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(super) fn path(&self, digest: &PackageDigest) -> PathBuf {
        self.folder.join(digest.as_str())
    }

    /// Unpacks a zip, unless it is there.
    pub(super) fn unpack(&self, zip: &[u8]) -> Result<PackageDigest, AwsError> {
        let digest = PackageDigest::of(zip);
        self.put(&digest, |folder| unzip(zip, folder))?;
        Ok(digest)
    }

    /// Lays packages over each other, the last on top, into one folder.
    pub(super) fn overlay(
        &self,
        packages: &[PackageDigest],
        from: &Self,
    ) -> Result<PathBuf, AwsError> {
        if let [only] = packages {
            return Ok(from.path(only));
        }
        let names: Vec<&str> = packages.iter().map(PackageDigest::as_str).collect();
        let digest = PackageDigest::of(names.join("+").as_bytes());
        self.put(&digest, |folder| {
            packages
                .iter()
                .try_for_each(|package| lay_over(&from.path(package), folder))
                .map_err(|error| internal(&error))
        })?;
        Ok(self.path(&digest))
    }

    /// A folder with the package in its folder `name`, for a mount: its files have a second name there.
    pub(super) fn nest(
        &self,
        package: &PackageDigest,
        from: &Self,
        name: &str,
    ) -> Result<PathBuf, AwsError> {
        self.put(package, |folder| {
            let nested = folder.join(name);
            fs::create_dir(&nested)
                .and_then(|()| lay_over(&from.path(package), &nested))
                .map_err(|error| internal(&error))
        })?;
        Ok(self.path(package))
    }

    /// Removes what `keep` does not name, and what a killed run left half done.
    pub(super) fn keep_only(&self, keep: impl Fn(&str) -> bool) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        for entry in entries.flatten() {
            if !entry.file_name().to_str().is_some_and(&keep) {
                // What cannot be removed now is tried again at the next start.
                drop(fs::remove_dir_all(entry.path()));
            }
        }
    }

    fn put(
        &self,
        digest: &PackageDigest,
        fill: impl FnOnce(&Path) -> Result<(), AwsError>,
    ) -> Result<(), AwsError> {
        let path = self.path(digest);
        if path.is_dir() {
            return Ok(());
        }
        let unfinished = self
            .folder
            .join(format!("{UNFINISHED}{:016x}", fastrand::u64(..)));
        fs::create_dir_all(&unfinished).map_err(|error| internal(&error))?;
        let filled = fill(&unfinished).and_then(|()| {
            match fs::rename(&unfinished, &path) {
                // Somebody else unpacked the same at the same time.
                Err(_) if path.is_dir() => Ok(()),
                renamed => renamed.map_err(|error| internal(&error)),
            }
        });
        if unfinished.exists() {
            drop(fs::remove_dir_all(&unfinished));
        }
        filled
    }
}

fn unzip(zip: &[u8], folder: &Path) -> Result<(), AwsError> {
    let mut archive = zip::ZipArchive::new(Cursor::new(zip)).map_err(|_| {
        refused("Could not unzip uploaded file. Please check your file, then try to upload again.")
    })?;
    if archive.len() > ENTRIES_MAX {
        return Err(refused(format!(
            "The zip has more than {ENTRIES_MAX} entries."
        )));
    }
    let mut left = UNZIPPED_BYTES_MAX;
    let mut links = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive
            .by_index(index)
            .map_err(|error| refused(format!("Could not unzip uploaded file: {error}.")))?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let Some(path) = entry.enclosed_name() else {
            return Err(refused(format!(
                "The zip's entry `{name}` lies outside of its folder."
            )));
        };
        let path = folder.join(path);
        if entry.is_symlink() {
            let mut target = String::new();
            (&mut entry)
                .take(LINK_BYTES_MAX)
                .read_to_string(&mut target)
                .map_err(|error| refused(format!("Could not unzip uploaded file: {error}.")))?;
            links.push((path, target));
            continue;
        }
        if entry.is_dir() {
            fs::create_dir_all(&path).map_err(|error| internal(&error))?;
            continue;
        }
        let mode = mode_of(&name, entry.unix_mode());
        left = write_entry(&mut entry, &path, left)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))
            .and_then(|()| await_written(&path, mode))
            .map_err(|error| internal(&error))?;
    }
    make_links(folder, &links).map_err(|error| internal(&error))
}

/// Makes the symbolic links, when every file is there: nothing is written through one. A link within a folder that is a
/// link itself is left out, because it would be made somewhere else.
fn make_links(folder: &Path, links: &[(PathBuf, String)]) -> std::io::Result<()> {
    let folder = fs::canonicalize(folder)?;
    for (path, target) in links {
        let Some(parent) = path.parent() else {
            continue;
        };
        let is_within =
            |place: &Path| fs::canonicalize(place).is_ok_and(|place| place.starts_with(&folder));
        let nearest = parent.ancestors().find(|ancestor| ancestor.exists());
        if !nearest.is_some_and(is_within) {
            continue;
        }
        fs::create_dir_all(parent)?;
        if fs::symlink_metadata(path).is_err() {
            std::os::unix::fs::symlink(target, path)?;
        }
    }
    Ok(())
}

/// Writes one file and gives what is left of the limit. What the zip says about sizes is not believed.
fn write_entry(entry: &mut impl Read, path: &Path, left: u64) -> Result<u64, AwsError> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| internal(&error))?;
    }
    let mut file = create(path).map_err(|error| internal(&error))?;
    let written = std::io::copy(&mut entry.take(left.saturating_add(1)), &mut file)
        .map_err(|error| refused(format!("Could not unzip uploaded file: {error}.")))?;
    file.flush().map_err(|error| internal(&error))?;
    left.checked_sub(written).ok_or_else(|| {
        refused(format!(
            "Unzipped size must be smaller than {UNZIPPED_BYTES_MAX} bytes"
        ))
    })
}

/// A file whose lock is held by everybody who has it open for writing.
fn create(path: &Path) -> std::io::Result<fs::File> {
    let file = fs::File::create(path)?;
    // Some file systems have no locks: there a program may be busy.
    flock(&file, FlockOperation::LockExclusive).unwrap_or_default();
    Ok(file)
}

/// Waits until nobody has a program open for writing.
fn await_written(path: &Path, mode: u32) -> std::io::Result<()> {
    if mode & 0o111 == 0 {
        return Ok(());
    }
    let file = fs::File::open(path)?;
    for _ in 0..WRITTEN_LOOKS_MAX {
        match flock(&file, FlockOperation::NonBlockingLockShared) {
            Err(rustix::io::Errno::WOULDBLOCK) => std::thread::sleep(WRITTEN_LOOK_AFTER),
            Ok(()) | Err(_) => break,
        }
    }
    Ok(())
}

/// A zip that was made on Windows has no modes: the reader then says 0, nothing, or 664. Its `bootstrap` is meant to be
/// run. One that was packed without the right to be run stays so, because AWS refuses it too. The owner can always read.
fn mode_of(name: &str, mode: Option<u32>) -> u32 {
    match mode.map(|mode| mode & 0o777) {
        None | Some(0 | 0o664) if name == "bootstrap" => 0o755,
        None | Some(0) => 0o644,
        Some(mode) => mode | 0o400,
    }
}

/// Hard links, or copies where the file system has none: layers are large and are never written to. Of a link that a lower
/// layer has only the link is taken away: what it points to may lie anywhere.
fn lay_over(from: &Path, onto: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = onto.join(entry.file_name());
        let is_dir = entry.file_type()?.is_dir();
        match fs::symlink_metadata(&target) {
            Ok(below) if below.is_dir() && is_dir => {}
            Ok(below) if below.is_dir() => fs::remove_dir_all(&target)?,
            Ok(_) => fs::remove_file(&target)?,
            Err(_) => {}
        }
        if is_dir {
            fs::create_dir_all(&target)?;
            lay_over(&entry.path(), &target)?;
        } else if fs::hard_link(entry.path(), &target).is_err() {
            copy(&entry.path(), &target)?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let permissions = fs::metadata(from)?.permissions();
    let mode = permissions.mode();
    std::io::copy(&mut fs::File::open(from)?, &mut create(to)?)?;
    fs::set_permissions(to, permissions)?;
    await_written(to, mode)
}

fn refused(message: impl Into<String>) -> AwsError {
    AwsError::bad_request("InvalidParameterValueException", message)
}

fn internal(error: &std::io::Error) -> AwsError {
    AwsError::new(
        ::http::StatusCode::INTERNAL_SERVER_ERROR,
        "ServiceException",
        format!("cannot write the package: {error}"),
    )
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes what is written to it");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lambda::tests::zip;

    fn store() -> (tempfile::TempDir, PackageStore) {
        let folder = tempfile::tempdir().unwrap();
        let store = PackageStore::new(folder.path().join("code"));
        (folder, store)
    }

    #[test]
    fn a_zip_is_unpacked_once_under_its_digest_with_its_modes() {
        let (_folder, store) = store();
        let zip = zip(&[("bootstrap", 0o711, "#!"), ("lib/data", 0o060, "x")]);
        let digest = store.unpack(&zip).unwrap();
        let path = store.path(&digest);
        let mode = |name: &str| fs::metadata(path.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("bootstrap"), mode("lib/data")), (0o711, 0o460));

        fs::write(path.join("mark"), "").unwrap();
        assert_eq!(store.unpack(&zip).unwrap(), digest);
        assert!(path.join("mark").exists(), "it was not unpacked again");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_bootstrap_without_a_mode_can_be_run() {
        let modes = [None, Some(0), Some(0o100_664), Some(0o100_644)];
        assert_eq!(
            modes.map(|mode| mode_of("bootstrap", mode)),
            [0o755, 0o755, 0o755, 0o644]
        );
        assert_eq!(mode_of("lib/bootstrap", None), 0o644);
    }

    #[test]
    fn a_program_is_there_when_nobody_has_it_open_for_writing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bootstrap");
        let file = create(&path).unwrap();
        // What a process has that is started now.
        let inherited = file.try_clone().unwrap();
        drop(file);
        let (sender, receiver) = std::sync::mpsc::channel();
        let waiting = std::thread::spawn({
            let path = path.clone();
            move || {
                await_written(&path, 0o644).unwrap();
                sender.send("text").unwrap();
                await_written(&path, 0o755).unwrap();
                sender.send("program").unwrap();
            }
        });
        assert_eq!(receiver.recv(), Ok("text"));
        assert!(receiver.try_recv().is_err());
        drop(inherited);
        assert_eq!(receiver.recv(), Ok("program"));
        waiting.join().unwrap();
    }

    #[test]
    fn a_path_out_of_the_folder_is_refused_and_leaves_nothing() {
        let (folder, store) = store();
        let error = store.unpack(&zip(&[("../evil", 0o644, "x")])).unwrap_err();
        assert_eq!(
            error.message,
            "The zip's entry `../evil` lies outside of its folder."
        );
        assert!(!folder.path().join("evil").exists());
        assert_eq!(fs::read_dir(folder.path().join("code")).unwrap().count(), 0);
    }

    #[test]
    fn links_are_made_last_and_never_written_through() {
        let (folder, store) = store();
        let outside = folder.path().join("outside");
        fs::create_dir_all(&outside).unwrap();
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        let outside = outside.to_str().unwrap();
        for (name, target) in [
            ("bin/tool", "../lib/tool"),
            ("away", outside),
            ("away/x", "y"),
        ] {
            writer.add_symlink(name, target, options).unwrap();
        }
        writer.start_file("lib/tool", options).unwrap();
        writer.write_all(b"tool").unwrap();
        let zip = writer.finish().unwrap().into_inner();
        let path = store.path(&store.unpack(&zip).unwrap());
        assert_eq!(fs::read_to_string(path.join("bin/tool")).unwrap(), "tool");
        assert_eq!(fs::read_dir(outside).unwrap().count(), 0);
    }

    #[test]
    fn what_is_no_zip_is_refused_in_the_words_of_aws() {
        let (_folder, store) = store();
        assert_eq!(
            store.unpack(b"no zip").unwrap_err().message,
            "Could not unzip uploaded file. Please check your file, then try to upload again."
        );
    }

    #[test]
    fn more_than_the_limit_is_refused_whatever_the_zip_says() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_entry(&mut &[0_u8; 11][..], &folder.path().join("x"), 10).unwrap_err();
        assert_eq!(
            error.message,
            "Unzipped size must be smaller than 262144000 bytes"
        );
        let left = write_entry(&mut &[0_u8; 10][..], &folder.path().join("y"), 10);
        assert_eq!(left, Ok(0));
    }

    #[test]
    fn the_last_layer_lies_on_top() {
        let (folder, store) = store();
        let below = store
            .unpack(&zip(&[
                ("a", 0o644, "below"),
                ("d/b", 0o644, "below"),
                ("e", 0o644, ""),
            ]))
            .unwrap();
        let above = store
            .unpack(&zip(&[
                ("a", 0o644, "above"),
                ("d/c", 0o644, "above"),
                ("e/f", 0o644, ""),
            ]))
            .unwrap();
        let roots = PackageStore::new(folder.path().join("opt"));
        let root = roots
            .overlay(&[below.clone(), above.clone()], &store)
            .unwrap();
        let read = |path: &str| fs::read_to_string(root.join(path)).unwrap();
        assert_eq!(
            [read("a"), read("d/b"), read("d/c")],
            ["above", "below", "above"]
        );
        assert!(root.join("e/f").is_file());
        assert_eq!(
            fs::read_to_string(store.path(&below).join("a")).unwrap(),
            "below",
            "the layer itself is as it was"
        );
        assert_eq!(
            roots.overlay(std::slice::from_ref(&above), &store).unwrap(),
            store.path(&above),
            "one layer needs no copy"
        );
    }

    #[test]
    fn a_layer_is_not_laid_through_a_link_of_the_one_below() {
        let (folder, store) = store();
        let outside = folder.path().join("outside");
        fs::create_dir_all(&outside).unwrap();
        fs::write(outside.join("mine"), "mine").unwrap();
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default();
        let target = |path: &Path| path.to_str().unwrap().to_owned();
        for (name, target) in [
            ("lib", target(&outside)),
            ("new", target(&outside.join("new"))),
        ] {
            writer.add_symlink(name, target, options).unwrap();
        }
        let below = store
            .unpack(&writer.finish().unwrap().into_inner())
            .unwrap();
        let above = zip(&[("lib/mine", 0o644, "above"), ("new", 0o644, "above")]);
        let above = store.unpack(&above).unwrap();
        let roots = PackageStore::new(folder.path().join("opt"));
        let root = roots.overlay(&[below, above], &store).unwrap();
        assert_eq!(fs::read_to_string(root.join("lib/mine")).unwrap(), "above");
        assert_eq!(fs::read_to_string(root.join("new")).unwrap(), "above");
        assert_eq!(fs::read_to_string(outside.join("mine")).unwrap(), "mine");
        assert_eq!(fs::read_dir(outside).unwrap().count(), 1);
    }

    #[test]
    fn a_digest_is_written_in_base64_for_the_wire() {
        assert_eq!(
            PackageDigest::of(b"").base64(),
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
    }
}
