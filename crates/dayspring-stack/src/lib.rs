//! Turns a project file into a CloudFormation template and a cloud assembly: the same input, the same bytes.
//!
//! Knows neither the network, nor credentials, nor the clock.
//!
//! ```
//! use dayspring_stack::{Assets, Digest, Overrides, Project, synthesize};
//!
//! let text = r#"
//! name = "blog"
//!
//! [routes]
//! posts = [{ method = "GET", function = "get_posts" }]
//! "#;
//! let project = Project::parse("dayspring.toml", text, &["get_posts"])?;
//! let stage = project.stage("dev", &Overrides::default())?;
//! let assets = Assets { code: Digest::of(b"code.zip"), scripts: Digest::of(b"scripts.zip"), contract: false };
//! let template = synthesize(&stage, &assets);
//! assert!(template.to_json().contains("AWS::RDS::DBCluster"));
//! # Ok::<(), dayspring_stack::ProjectErrors>(())
//! ```

#![warn(missing_docs)]

mod assembly;
mod asset_home;
mod digest;
mod error;
mod excerpt;
mod logical_id;
mod nearest;
mod project;
mod resources;
mod template;
pub mod zip;

pub use assembly::{Assets, File, archive_name, assembly, asset_key, template_key};
pub use asset_home::{AssetHome, Qualifier};
pub use digest::{Digest, sha256_hex};
pub use error::{Error, Invalid, ProjectErrors, Related};
pub use excerpt::{Place, Span};
pub use logical_id::LogicalId;
pub use project::{
    Acu, Architecture, Build, Capacity, DatabaseName, EngineVersion, FunctionName, HttpMethod,
    LintLevel, LintSetting, MIGRATOR_HANDLER, Overrides, Project, ProjectName, Retention, Route,
    RoutePath, ScriptsFolder, Segment, Stage, StageName,
};
pub use resources::synthesize;
pub use template::{DeletionPolicy, Output, Resource, Template};
