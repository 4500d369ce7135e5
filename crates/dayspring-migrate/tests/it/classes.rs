//! Statements that are not what their first word says, that lean on what a session remembers, or whose effect no
//! transaction holds.

use crate::apply::World;

const LOG: (&str, &str) = ("v1.sql", "CREATE TABLE log (n INT);");

async fn log(world: &World) -> Vec<String> {
    world.ask("SELECT n FROM log ORDER BY n").await
}

/// The first line of what a run says.
async fn first_line(world: &World, files: &[(&str, &str)]) -> String {
    let shown = world.apply(files).await;
    shown.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_statement_in_the_dress_of_another_is_not_said_again() {
    let world = World::new().await;
    let script = "INSERT INTO log VALUES (1);\nANALYZE UPDATE log SET n = n + 1;\n\
                  SET STATEMENT max_statement_time = 9 FOR UPDATE log SET n = n + 10;\nALTER TABLE log ADD m INT;\n\
                  INSERT INTO nowhere VALUES (1);";
    let shown = first_line(&world, &[LOG, ("v2.sql", script)]).await;
    assert!(shown.contains("statement 5 of 5 failed"), "{shown}");
    let mended = script.replace("nowhere VALUES (1)", "log (n) VALUES (99)");
    assert_eq!(
        world.apply(&[LOG, ("v2.sql", &mended)]).await,
        "1 statement applied, schema at v2"
    );
    assert_eq!(log(&world).await, ["12", "99"]);
}

#[tokio::test]
async fn what_a_statement_before_it_did_is_recalled_or_nothing_is_done() {
    let world = World::new().await;
    let base = (
        "v1.sql",
        "CREATE TABLE parent (id INT PRIMARY KEY AUTO_INCREMENT);\nCREATE TABLE child (parent INT, n INT);",
    );
    let script =
        "INSERT INTO parent VALUES ();\nINSERT INTO child VALUES (LAST_INSERT_ID(), nowhere);";
    let shown = world.apply(&[base, ("v2.sql", script)]).await;
    assert!(shown.ends_with("it starts at 1"), "{shown}");
    assert_eq!(world.ask("SELECT COUNT(*) FROM parent").await, ["0"]);
    let mended = script.replace("nowhere", "5");
    assert_eq!(
        world.apply(&[base, ("v2.sql", &mended)]).await,
        "2 statements applied, schema at v2"
    );
    assert_eq!(
        world
            .ask("SELECT n FROM child JOIN parent ON parent.id = child.parent")
            .await,
        ["5"]
    );
    let appended = format!("{mended}\nINSERT INTO child VALUES (LAST_INSERT_ID(), 6);");
    assert_eq!(
        first_line(&world, &[base, ("v2.sql", &appended)]).await,
        "error: the value of a variable that this statement uses would be lost in a crash"
    );
}

#[tokio::test]
async fn a_variable_that_a_data_statement_fills_binds_those_after_it() {
    let world = World::new().await;
    let script = "INSERT INTO log VALUES (4);\nSELECT @n := MAX(n) FROM log;\nINSERT INTO log VALUES (@n + nowhere);";
    let shown = world.apply(&[LOG, ("v2.sql", script)]).await;
    assert!(shown.ends_with("it starts at 1"), "{shown}");
    let mended = script.replace("nowhere", "1");
    world.apply(&[LOG, ("v2.sql", &mended)]).await;
    assert_eq!(log(&world).await, ["4", "5"]);
}
