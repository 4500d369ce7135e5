//! A cloud assembly: the folder that the `cdk` CLI deploys from, and Dayspring's own names for what is uploaded.
//!
//! The archives and the template lie in a bucket of Dayspring's own, so that an account needs no CDK bootstrap stack, and
//! no role but the caller's; or, where that is asked for, in the bucket of the account's bootstrap stack, which is then
//! reached and deployed by that stack's roles, as `DefaultStackSynthesizer` of the CDK does it. The format is that of `@aws-cdk/cloud-assembly-schema`; every CLI accepts a version that is
//! not newer than its own, and nothing here is younger than 36.0.0.

use serde_json::{Map, Value, json};

use crate::asset_home::{AssetHome, Qualifier};
use crate::digest::Digest;
use crate::project::{ProjectName, Stage};
use crate::template::Template;

/// The schema's version that the assembly is written in.
const SCHEMA_VERSION: &str = "36.0.0";

/// The versions of the CDK bootstrap stack that a deployment and a look-up need
/// (`MIN_BOOTSTRAP_STACK_VERSION` and `MIN_LOOKUP_ROLE_BOOTSTRAP_STACK_VERSION` of aws-cdk-lib's synthesizer).
const BOOTSTRAP_VERSION: u32 = 6;
const LOOKUP_BOOTSTRAP_VERSION: u32 = 8;

/// What the functions and the migrator run, by digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assets {
    /// The archive with `bootstrap`, by [`crate::zip::bootstrap_digest`].
    pub code: Digest,
    /// The archive with the scripts' folder, by its own bytes.
    pub scripts: Digest,
    /// Whether there are scripts among them that run only when the new code is live (`vN.contract.sql`).
    pub contract: bool,
}

/// A file of the assembly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The name in the assembly's folder, which is flat.
    pub name: String,
    /// The content.
    pub bytes: Vec<u8>,
}

/// The key of an archive in the bucket: `blog/DIGEST.zip`.
#[must_use]
pub fn asset_key(project: &ProjectName, digest: &Digest) -> String {
    format!("{project}/{digest}.zip")
}

/// The key of a template in the bucket: `blog/DIGEST.json`. CloudFormation takes a template of more than 51,200 bytes
/// from a bucket only.
#[must_use]
pub fn template_key(project: &ProjectName, digest: &Digest) -> String {
    format!("{project}/{digest}.json")
}

/// The name of an archive in the assembly's folder.
#[must_use]
pub fn archive_name(digest: &Digest) -> String {
    format!("asset.{digest}.zip")
}

/// The files of the assembly that deploys `template`, which must have been made for `stage` with `assets`,
/// with the caller's credentials to the caller's account and region. The archives, under their [`archive_name`]s, belong
/// to it too and have to be there first: a folder with a manifest is whole.
#[must_use]
pub fn assembly(stage: &Stage, template: &Template, assets: &Assets) -> Vec<File> {
    let stack = stage.stack_name();
    let project = stage.project();
    let template_name = format!("{stack}.template.json");
    let assets_name = format!("{stack}.assets.json");
    let template_bytes = template.to_json().into_bytes();
    let template_digest = Digest::of(&template_bytes);
    let template_key = template_key(project, &template_digest);

    let mut listed = Map::new();
    for (title, digest) in [("code", &assets.code), ("scripts", &assets.scripts)] {
        let key = asset_key(project, digest);
        listed.insert(
            digest.to_string(),
            asset(
                stage,
                &format!("{stack} {title}"),
                &archive_name(digest),
                &key,
            ),
        );
    }
    let template_title = format!("{stack} template");
    listed.insert(
        template_digest.to_string(),
        asset(stage, &template_title, &template_name, &template_key),
    );
    let assets_manifest = json!({ "version": SCHEMA_VERSION, "files": listed, "dockerImages": {} });

    let manifest = manifest(
        stage,
        template,
        &format!("s3://{}/{template_key}", stage.asset_home().bucket()),
    );
    vec![
        File {
            name: assets_name,
            bytes: indented(&assets_manifest),
        },
        File {
            name: template_name,
            bytes: template_bytes,
        },
        // Last, for what is said above.
        File {
            name: "manifest.json".to_owned(),
            bytes: indented(&manifest),
        },
    ]
}

fn asset(stage: &Stage, title: &str, path: &str, key: &str) -> Value {
    let home = stage.asset_home();
    let mut destination = json!({ "bucketName": home.bucket(), "objectKey": key });
    if let AssetHome::Bootstrapped(qualifier) = home {
        destination["assumeRoleArn"] = qualifier.role("file-publishing").into();
    }
    json!({
        "displayName": title,
        "source": { "path": path, "packaging": "file" },
        "destinations": { "current": destination },
    })
}

fn manifest(stage: &Stage, template: &Template, template_url: &str) -> Value {
    let stack = stage.stack_name();
    let assets_artifact = format!("{stack}.assets");
    let mut properties = json!({
        "templateFile": format!("{stack}.template.json"),
        "stackName": stack,
        "stackTemplateAssetObjectUrl": template_url,
        "validateOnSynth": false,
    });
    if !stage.tags().is_empty() {
        properties["tags"] = json!(stage.tags());
    }
    // What the CLI prints beside a resource's event instead of its logical id alone.
    let metadata: Map<String, Value> = template
        .resources()
        .iter()
        .map(|(id, _)| {
            (
                format!("/{stack}/{id}"),
                json!([{ "type": "aws:cdk:logicalId", "data": id.as_str() }]),
            )
        })
        .collect();
    let mut assets_properties = json!({ "file": format!("{stack}.assets.json") });
    if let AssetHome::Bootstrapped(qualifier) = stage.asset_home() {
        require_bootstrap(&mut assets_properties, qualifier, BOOTSTRAP_VERSION);
        require_bootstrap(&mut properties, qualifier, BOOTSTRAP_VERSION);
        properties["assumeRoleArn"] = qualifier.role("deploy").into();
        properties["cloudFormationExecutionRoleArn"] = qualifier.role("cfn-exec").into();
        properties["lookupRole"] = json!({ "arn": qualifier.role("lookup") });
        let lookup = &mut properties["lookupRole"];
        require_bootstrap(lookup, qualifier, LOOKUP_BOOTSTRAP_VERSION);
    }
    let mut artifacts = Map::new();
    artifacts.insert(
        assets_artifact.clone(),
        json!({ "type": "cdk:asset-manifest", "properties": assets_properties }),
    );
    artifacts.insert(
        stack.clone(),
        json!({
            "type": "aws:cloudformation:stack",
            // The CLI's words for 'wherever the caller is'.
            "environment": "aws://unknown-account/unknown-region",
            "properties": properties,
            "dependencies": [assets_artifact],
            "metadata": metadata,
            "displayName": stack,
        }),
    );
    json!({ "version": SCHEMA_VERSION, "artifacts": artifacts })
}

fn require_bootstrap(properties: &mut Value, qualifier: &Qualifier, version: u32) {
    properties["requiresBootstrapStackVersion"] = version.into();
    properties["bootstrapStackVersionSsmParameter"] = qualifier.version_parameter().into();
}

fn indented(value: &Value) -> Vec<u8> {
    format!("{value:#}\n").into_bytes()
}
