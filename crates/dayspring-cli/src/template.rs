//! The project that `dayspring new` writes: the smallest that shows a route, a typed row and a script.

use std::path::Path;

use dayspring_stack::ProjectName;

/// A file of the project.
#[derive(Debug)]
pub(crate) struct File {
    /// Relative to the project's folder.
    pub(crate) path: &'static str,
    pub(crate) text: String,
}

const FILES: [(&str, &str); 6] = [
    ("dayspring.toml", include_str!("template/dayspring.toml")),
    ("functions/main.rs", include_str!("template/main.rs.txt")),
    (
        "functions/get_posts.rs",
        include_str!("template/get_posts.rs.txt"),
    ),
    ("scripts/schema/v1.sql", include_str!("template/v1.sql")),
    (".gitignore", include_str!("template/gitignore.txt")),
    ("Cargo.toml", include_str!("template/manifest.txt")),
];

/// All files, for a project of this name that uses the `dayspring` crate in this folder.
pub(crate) fn files(name: &ProjectName, library: &Path) -> Vec<File> {
    // A JSON string is a TOML basic string.
    let library = serde_json::Value::from(library.to_string_lossy()).to_string();
    FILES
        .into_iter()
        .map(|(path, text)| File {
            path,
            text: text
                .replace("PROJECT_NAME", name.as_str())
                .replace("\"LIBRARY_PATH\"", &library),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_names_the_project_and_quotes_the_librarys_path() {
        let name = "shop".parse().unwrap();
        let files = files(&name, Path::new("/a \"b\"/dayspring"));
        let manifest = &files.iter().find(|file| file.path == "Cargo.toml").unwrap();
        assert!(manifest.text.contains("name = \"shop\""));
        assert!(
            manifest
                .text
                .contains(r#"dayspring = { path = "/a \"b\"/dayspring" }"#)
        );
        assert!(
            files
                .iter()
                .all(|file| !file.text.contains("PROJECT_NAME") && !file.text.contains("LIBRARY"))
        );
    }
}
