//! What a Linux binary needs to start: read from its own bytes, so that Lambda does not have to find it out.
//!
//! The format is the System V ABI's (chapter 4, "Object Files") with GNU's symbol versions (`.gnu.version_r`, Linux Standard
//! Base, "Symbol Versioning").

use dayspring_stack::Architecture;

/// The GLIBC of Amazon Linux 2023, of which `provided.al2023` is made
/// (<https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html>, read 2026-11-23).
const GLIBC_OF_LAMBDA: Version = Version {
    major: 2,
    minor: 34,
};

/// A version of GLIBC; others of its numbers never change an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    major: u32,
    minor: u32,
}

/// Why a binary does not start in Lambda.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is no Linux binary, or one for another processor.
    Kind { found: String, wanted: &'static str },
    /// It was linked against a newer GLIBC.
    Glibc { needs: String, has: String },
}

/// Checks a binary against what Lambda has.
pub(crate) fn check(binary: &[u8], architecture: Architecture) -> Result<(), Unfit> {
    let wanted = match architecture {
        Architecture::Arm64 => "a Linux binary for arm64",
        Architecture::X86_64 => "a Linux binary for x86_64",
    };
    let kind = |found: &str| Unfit::Kind {
        found: found.to_owned(),
        wanted,
    };
    // A script is started by its interpreter.
    if binary.starts_with(b"#!") {
        return Ok(());
    }
    let Some(elf) = Elf::read(binary) else {
        return Err(kind("no 64-bit Linux binary"));
    };
    // EM_X86_64 and EM_AARCH64.
    match (elf.machine, architecture) {
        (62, Architecture::X86_64) | (183, Architecture::Arm64) => {}
        (62, _) => return Err(kind("for x86_64")),
        (183, _) => return Err(kind("for arm64")),
        _ => return Err(kind("for another processor")),
    }
    match elf.glibc_needed() {
        Some(needs) if needs > GLIBC_OF_LAMBDA => Err(Unfit::Glibc {
            needs: needs.to_string(),
            has: GLIBC_OF_LAMBDA.to_string(),
        }),
        _ => Ok(()),
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A 64-bit little-endian ELF file: both of Lambda's processors are that.
struct Elf<'b> {
    bytes: &'b [u8],
    machine: u16,
    sections: Vec<Section>,
}

#[derive(Clone, Copy)]
struct Section {
    kind: u32,
    offset: usize,
    /// Another section, by its number: for the versions that are needed, that of their names.
    link: usize,
}

/// `SHT_GNU_verneed`
const VERSIONS_NEEDED: u32 = 0x6fff_fffe;

/// No library asks for as many; a damaged file might go in a circle.
const ENTRIES_MAX: usize = 10_000;

impl<'b> Elf<'b> {
    fn read(bytes: &'b [u8]) -> Option<Self> {
        // The magic number, ELFCLASS64, ELFDATA2LSB.
        if !bytes.starts_with(b"\x7fELF\x02\x01") {
            return None;
        }
        let sections_at = usize::try_from(number::<8>(bytes, 40)?).ok()?;
        let section_bytes = usize::try_from(number::<2>(bytes, 58)?).ok()?;
        let count = usize::try_from(number::<2>(bytes, 60)?).ok()?;
        let section = |index: usize| {
            let at = sections_at.checked_add(index.checked_mul(section_bytes)?)?;
            Some(Section {
                kind: u32::try_from(number::<4>(bytes, at.checked_add(4)?)?).ok()?,
                offset: usize::try_from(number::<8>(bytes, at.checked_add(24)?)?).ok()?,
                link: usize::try_from(number::<4>(bytes, at.checked_add(40)?)?).ok()?,
            })
        };
        Some(Self {
            bytes,
            machine: u16::try_from(number::<2>(bytes, 18)?).ok()?,
            sections: (0..count).map_while(section).collect(),
        })
    }

    /// The newest version of GLIBC that a symbol asks for; none for a static binary.
    fn glibc_needed(&self) -> Option<Version> {
        let needed = self
            .sections
            .iter()
            .find(|section| section.kind == VERSIONS_NEEDED)?;
        let names = self.sections.get(needed.link)?;
        let mut newest = None;
        let mut file = needed.offset;
        for _ in 0..ENTRIES_MAX {
            let mut version = file.checked_add(self.at::<4>(file, 8)?)?;
            for _ in 0..ENTRIES_MAX {
                let name = names.offset.checked_add(self.at::<4>(version, 8)?)?;
                newest = newest.max(glibc(self.text(name)?));
                match self.at::<4>(version, 12)? {
                    0 => break,
                    next => version = version.checked_add(next)?,
                }
            }
            match self.at::<4>(file, 12)? {
                0 => break,
                next => file = file.checked_add(next)?,
            }
        }
        newest
    }

    fn at<const BYTES: usize>(&self, base: usize, offset: usize) -> Option<usize> {
        usize::try_from(number::<BYTES>(self.bytes, base.checked_add(offset)?)?).ok()
    }

    fn text(&self, at: usize) -> Option<&'b str> {
        let rest = self.bytes.get(at..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        std::str::from_utf8(&rest[..end]).ok()
    }
}

fn number<const BYTES: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(BYTES)?)?;
    let digits = bytes.iter().rev();
    Some(digits.fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// `GLIBC_2.34`; private ones have no number.
fn glibc(name: &str) -> Option<Version> {
    let mut numbers = name.strip_prefix("GLIBC_")?.split('.');
    Some(Version {
        major: numbers.next()?.parse().ok()?,
        minor: numbers.next()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with one section of needed versions and one of their names, and nothing else that a real one has.
    fn binary(machine: u16, version: &str) -> Vec<u8> {
        let mut file = vec![0; 64];
        file[..6].copy_from_slice(b"\x7fELF\x02\x01");
        file[18..20].copy_from_slice(&machine.to_le_bytes());
        file[40..48].copy_from_slice(&64_u64.to_le_bytes());
        file[58..60].copy_from_slice(&64_u16.to_le_bytes());
        file[60..62].copy_from_slice(&2_u16.to_le_bytes());
        let mut section = |kind: u32, offset: u64, link: u32| {
            let mut header = [0; 64];
            header[4..8].copy_from_slice(&kind.to_le_bytes());
            header[24..32].copy_from_slice(&offset.to_le_bytes());
            header[40..44].copy_from_slice(&link.to_le_bytes());
            file.extend(header);
        };
        section(VERSIONS_NEEDED, 192, 1);
        section(3, 224, 0);
        // A file whose first version is 16 bytes on; the version's name is at 0; neither has a successor.
        for value in [0_u32, 0, 16, 0, 0, 0, 0, 0] {
            file.extend(value.to_le_bytes());
        }
        file.extend(version.as_bytes());
        file.push(0);
        file
    }

    #[test]
    fn a_newer_glibc_than_lambdas_is_refused() {
        let check = |machine, version| check(&binary(machine, version), Architecture::X86_64);
        assert_eq!(check(62, "GLIBC_2.34"), Ok(()));
        assert_eq!(check(62, "GLIBC_2.2.5"), Ok(()));
        assert_eq!(check(62, "GCC_4.2.0"), Ok(()));
        assert_eq!(
            check(62, "GLIBC_2.39"),
            Err(Unfit::Glibc {
                needs: "2.39".to_owned(),
                has: "2.34".to_owned()
            })
        );
        assert!(matches!(check(183, "GLIBC_2.17"), Err(Unfit::Kind { .. })));
    }

    #[test]
    fn a_damaged_file_is_no_reason_to_panic() {
        let whole = binary(62, "GLIBC_2.39");
        for end in 0..whole.len() {
            let _unfit = check(&whole[..end], Architecture::X86_64);
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] = 0xff;
            let _unfit = check(&damaged, Architecture::X86_64);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_real_binary_is_read() {
        let this = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let elf = Elf::read(&this).unwrap();
        // It is linked against the system's library, unless the target is musl.
        assert_eq!(elf.glibc_needed().is_some(), cfg!(target_env = "gnu"));
    }
}
