//! What a deploy uploads: a zip with the binary, and a zip with the scripts.

use std::fs::File;
use std::io::{Cursor, Seek, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use dayspring_migrate::{Phase, Script, read_folder};
use dayspring_stack::{
    Assets, Digest, Stage, Template, archive_name, asset_key, template_key, zip,
};

use crate::aws::{Aws, Target};
use crate::deploy::{Artifact, Deployment};
use crate::elf::{self, Unfit};
use crate::error::Error;
use crate::project::Loaded;
use crate::render;

/// An archive and the digest that names it: the same for the same content.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    content: Content,
    digest: Digest,
    /// Of what is in it.
    unpacked_bytes: u64,
    /// Whether it holds scripts that run when the new code is live.
    contract: bool,
}

/// What an archive holds: packed, or to be packed once it is known that the other side lacks it.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Packed(Bytes),
    Binary {
        path: PathBuf,
        digest: Digest,
        compression: zip::Compression,
    },
}

impl Content {
    /// The archive's bytes.
    pub(crate) fn packed(&self) -> Result<Bytes, Error> {
        match self {
            Self::Packed(bytes) => Ok(bytes.clone()),
            Self::Binary { .. } => {
                let mut archive = Cursor::new(Vec::new());
                self.pack_to(&mut archive)?;
                Ok(archive.into_inner().into())
            }
        }
    }

    fn pack_to(&self, mut archive: impl Write + Seek) -> Result<(), Error> {
        match self {
            Self::Packed(bytes) => archive.write_all(bytes).map_err(Error::write("an archive")),
            Self::Binary {
                path,
                digest,
                compression,
            } => {
                let file = File::open(path).map_err(Error::read(path))?;
                let found = zip::archive_bootstrap(file, *compression, archive)
                    .map_err(Error::pack(path))?;
                // Another build beside this command: the template already names what was there.
                if found != *digest {
                    let changed = std::io::Error::other("it changed in the meantime");
                    return Err(Error::pack(path)(changed));
                }
                Ok(())
            }
        }
    }
}

impl Archive {
    /// Writes it into an assembly's folder, where it is not there already. It is there whole or not at all.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(archive_name(&self.digest));
        if path.exists() {
            return Ok(());
        }
        let partial = folder.join(format!("{}.{}", self.digest, std::process::id()));
        let file = File::create(&partial).map_err(Error::write(&partial))?;
        let written = self.content.pack_to(std::io::BufWriter::new(file));
        let renamed =
            written.and_then(|()| std::fs::rename(&partial, &path).map_err(Error::write(&path)));
        if renamed.is_err() {
            drop(std::fs::remove_file(&partial));
        }
        renamed
    }

    fn artifact(&self, name: &'static str, stage: &Stage) -> Artifact {
        Artifact {
            name,
            key: asset_key(stage.project(), &self.digest),
            content: self.content.clone(),
        }
    }
}

/// Refuses a binary that does not start in Lambda: CloudFormation would find that out an hour later, by the migrator that
/// never answers.
pub(crate) fn check_binary(binary: &Path, stage: &Stage) -> Result<(), Error> {
    let bytes = std::fs::read(binary).map_err(Error::read(binary))?;
    elf::check(&bytes, stage.architecture()).map_err(|unfit| match unfit {
        Unfit::Kind { found, wanted } => Error::WrongBinary { found, wanted },
        Unfit::Glibc { needs, has } => Error::Glibc { needs, has },
    })
}

/// How archives are packed that go to a target: what goes no further than this machine is not worth the time to deflate it.
pub(crate) fn compression(target: &Target) -> zip::Compression {
    if target.is_local() {
        zip::Compression::Stored
    } else {
        zip::Compression::Deflated
    }
}

/// The functions' binary, to be packed where it is wanted: its digest is known at once, and mostly nothing has changed.
pub(crate) fn pack_code(binary: &Path, compression: zip::Compression) -> Result<Archive, Error> {
    let (unpacked_bytes, digest) = File::open(binary)
        .and_then(|file| Ok((file.metadata()?.len(), zip::bootstrap_digest(file)?)))
        .map_err(Error::read(binary))?;
    Ok(Archive {
        content: Content::Binary {
            path: binary.to_owned(),
            digest: digest.clone(),
            compression,
        },
        digest,
        unpacked_bytes,
        contract: false,
    })
}

/// The scripts, packed under the path that they have in the project, so that the migrator names them as the user does. What
/// is wrong with them is said here, before anything is deployed.
pub(crate) fn pack_scripts(loaded: &Loaded, stage: &Stage) -> Result<Archive, Error> {
    let relative = stage.scripts_folder().as_str();
    let folder = loaded.folder.join(relative);
    let scripts = read_folder(&folder, relative).map_err(Error::scripts)?;
    let entry = |script: &Script| zip::Entry {
        path: script.path.clone(),
        bytes: script.text.clone().into_bytes(),
    };
    let entries: Vec<zip::Entry> = scripts.iter().map(entry).collect();
    let bytes = entries.iter().map(|entry| entry.bytes.len() as u64);
    let unpacked_bytes = bytes.sum();
    if entries.is_empty() {
        return Err(Error::NoScripts { folder });
    }
    let content =
        zip::archive(entries, zip::Compression::Deflated).map_err(Error::pack(&folder))?;
    Ok(Archive {
        digest: Digest::of(&content),
        content: Content::Packed(content.into()),
        unpacked_bytes,
        contract: scripts.of_phase(Phase::Contract).next().is_some(),
    })
}

/// What a function's code and its layers may be together, unpacked
/// (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, "Deployment package (.zip file archive) size").
const UNPACKED_BYTES_MAX: u64 = 262_144_000;

/// What the template refers to. What Lambda would refuse for its size is refused here, before it is uploaded.
pub(crate) fn assets(code: &Archive, scripts: &Archive) -> Result<Assets, Error> {
    check_sizes(code.unpacked_bytes, scripts.unpacked_bytes)?;
    Ok(Assets {
        code: code.digest.clone(),
        scripts: scripts.digest.clone(),
        contract: scripts.contract,
    })
}

/// The migrator has both, its scripts as a layer. Of the code alone Lambda says "must be smaller than", of both together
/// that it "exceeds": the stricter of the two is taken.
fn check_sizes(code: u64, scripts: u64) -> Result<(), Error> {
    if code.saturating_add(scripts) < UNPACKED_BYTES_MAX {
        return Ok(());
    }
    let said = |bytes: u64| render::bytes(usize::try_from(bytes).unwrap_or(usize::MAX));
    Err(Error::TooLarge {
        code: said(code),
        scripts: said(scripts),
        limit: said(UNPACKED_BYTES_MAX),
    })
}

/// Everything that a deployment to this account needs.
pub(crate) fn deployment(
    stage: &Stage,
    template: &Template,
    code: &Archive,
    scripts: &Archive,
    aws: &Aws,
) -> Deployment {
    Deployment {
        artifacts: vec![
            code.artifact("functions", stage),
            scripts.artifact("scripts", stage),
        ],
        ..template_alone(stage, template.to_json(), aws)
    }
}

/// A deployment of a template whose archives are there already.
pub(crate) fn template_alone(stage: &Stage, template: String, aws: &Aws) -> Deployment {
    Deployment {
        stack: stage.stack_name(),
        tags: stage.tags().clone(),
        bucket: stage.asset_home().bucket_in(&aws.account, &aws.region),
        artifacts: Vec::new(),
        template_key: template_key(stage.project(), &Digest::of(template.as_bytes())),
        migrator_log: stage.log_group(&stage.migrator_name()),
        template,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lambda_cannot_unpack_is_refused() {
        assert!(check_sizes(UNPACKED_BYTES_MAX - 11, 10).is_ok());
        let refused = check_sizes(UNPACKED_BYTES_MAX - 10, 10).unwrap_err();
        insta::assert_snapshot!(refused, @"the functions are too large for Lambda: 262.1 MB of code and 10 B of scripts, and it takes less than 262.1 MB");
        assert!(check_sizes(u64::MAX, u64::MAX).is_err());
    }
}
