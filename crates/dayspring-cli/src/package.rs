//! What a deploy uploads: a zip with the binary, and a zip with the scripts.

use std::path::Path;

use bytes::Bytes;
use dayspring_migrate::{Phase, Script, read_folder};
use dayspring_stack::{Assets, Digest, Stage, Template, asset_key, template_key, zip};

use crate::aws::{Aws, Target};
use crate::deploy::{Artifact, Deployment};
use crate::elf::{self, Unfit};
use crate::error::Error;
use crate::project::Loaded;

/// An archive and its digest: the same bytes for the same content.
#[derive(Debug, Clone)]
pub(crate) struct Archive {
    pub(crate) content: Bytes,
    digest: Digest,
    /// Whether it holds scripts that run when the new code is live.
    contract: bool,
}

impl Archive {
    fn of(
        entries: Vec<zip::Entry>,
        compression: zip::Compression,
        path: &Path,
    ) -> Result<Self, Error> {
        let content = zip::archive(entries, compression).map_err(Error::pack(path))?;
        let digest = Digest::of(&content);
        Ok(Self {
            content: content.into(),
            digest,
            contract: false,
        })
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

/// The functions' binary, packed.
pub(crate) fn pack_code(binary: &Path, compression: zip::Compression) -> Result<Archive, Error> {
    let bytes = std::fs::read(binary).map_err(Error::read(binary))?;
    let bootstrap = zip::Entry {
        path: "bootstrap".to_owned(),
        bytes,
    };
    Archive::of(vec![bootstrap], compression, binary)
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
    if entries.is_empty() {
        return Err(Error::NoScripts { folder });
    }
    let archive = Archive::of(entries, zip::Compression::Deflated, &folder)?;
    let contract = scripts.of_phase(Phase::Contract).next().is_some();
    Ok(Archive {
        contract,
        ..archive
    })
}

pub(crate) fn assets(code: &Archive, scripts: &Archive) -> Assets {
    Assets {
        code: code.digest.clone(),
        scripts: scripts.digest.clone(),
        contract: scripts.contract,
    }
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
