//! The benches of migrations, at a size that shows no more than that they work. They run where `DAYSPRING_PYTHON` names a
//! Python that has PyMySQL.

use std::process::Command;

#[test]
fn the_benches_of_migrations_work() {
    let Some(python) = std::env::var_os("DAYSPRING_PYTHON") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.md");
    let run = |script: &str, arguments: &[&str]| {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        let output = Command::new(&python)
            .arg(format!("{root}/bench/{script}/run.py"))
            .args(["--as-it-is", "--tools", "dayspring"])
            .args(["--dayspring", env!("CARGO_BIN_EXE_dayspring"), "--folder"])
            .arg(folder.path())
            .args(arguments)
            // What Python compiles is not for the source tree.
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{printed}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        printed
    };
    run(
        "crash",
        &["--points", "4", "--page", page.to_str().unwrap()],
    );
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("| Dayspring | 0.1.0 |"), "{page}");
    assert!(page.contains("Every point converged."), "{page}");

    let sizes = ["--scripts", "3", "--inserts", "5", "--idle-runs", "1"];
    let table = run("migrate", &[&["--rounds", "1"], &sizes[..]].concat());
    assert!(
        table.contains("nothing to do, 3 scripts recorded"),
        "{table}"
    );
}
