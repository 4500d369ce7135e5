//! A schema as MySQL 9.7.4 tells it, and as MariaDB makes it of the same scripts.
//!
//! `told/v1.sql` has what a schema can have and both servers take, and `told/mysql-9.7.4.txt` what MySQL answered when its
//! schema was read. With `DAYSPRING_UPDATE_TOLD` the answers are asked again of the MySQL with that socket, whose user root
//! has no password, and written down; that is needed after a change of the script or of a query of the reader.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use dayspring_migrate::baseline::{Wording, replay};
use dayspring_migrate::schema::{Schema, diff, read_schema};
use dayspring_migrate::{Row, Session, SessionError, Value};
use mysql_async::OptsBuilder;

use crate::apply::{World, scripts};
use crate::direct::Direct;

const ANSWERS: &str = "tests/it/told/mysql-9.7.4.txt";

const SCRIPT: &str = include_str!("told/v1.sql");

/// What is asked of MySQL, with the answers of today or of then.
enum Told {
    ByMySql { inner: Box<Direct>, said: String },
    Before(BTreeMap<String, Vec<Row>>),
}

impl Session for Told {
    async fn query(
        &mut self,
        sql: &str,
        parameters: &[(&str, Value)],
    ) -> Result<Vec<Row>, SessionError> {
        match self {
            Self::ByMySql { inner, said } => {
                let rows = inner.query(sql, parameters).await?;
                writeln!(said, "? {sql}").unwrap();
                for row in &rows {
                    let cells: Vec<String> = row.iter().map(cell).collect();
                    writeln!(said, "{}", cells.join("\t")).unwrap();
                }
                Ok(rows)
            }
            Self::Before(answers) => Ok(answers
                .get(sql)
                .unwrap_or_else(|| panic!("{ANSWERS} has no answer to {sql}"))
                .clone()),
        }
    }

    async fn execute(&mut self, sql: &str, _: &[(&str, Value)]) -> Result<u64, SessionError> {
        panic!("a reader writes nothing: {sql}")
    }

    async fn begin(&mut self) -> Result<(), SessionError> {
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), SessionError> {
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), SessionError> {
        Ok(())
    }

    async fn run(&mut self, sql: &str) -> Result<u64, SessionError> {
        panic!("a reader writes nothing: {sql}")
    }

    async fn connection(&mut self) -> Result<Option<u64>, SessionError> {
        Ok(None)
    }

    fn remaining(&self) -> Option<std::time::Duration> {
        None
    }

    async fn pause(&mut self, _: std::time::Duration) {}
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => r"\N".to_owned(),
        Value::Long(number) => number.to_string(),
        Value::Text(text) => text
            .replace('\\', r"\\")
            .replace('\n', r"\n")
            .replace('\r', r"\r")
            .replace('\0', r"\0")
            .replace('\t', r"\t"),
    }
}

fn value(cell: &str) -> Value {
    if cell == r"\N" {
        return Value::Null;
    }
    let mut text = String::new();
    let mut chars = cell.chars();
    while let Some(char) = chars.next() {
        text.push(match char {
            '\\' => match chars.next().unwrap() {
                'n' => '\n',
                'r' => '\r',
                '0' => '\0',
                't' => '\t',
                other => other,
            },
            char => char,
        });
    }
    Value::Text(text)
}

fn answers_of_then() -> Told {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(ANSWERS);
    let text = std::fs::read_to_string(path).unwrap();
    let mut answers: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    let mut rows = &mut Vec::new();
    // The lines of a file: other characters that end a line may stand in a text.
    for line in text.split_terminator('\n') {
        match line.strip_prefix("? ") {
            Some(query) => rows = answers.entry(query.to_owned()).or_default(),
            None => rows.push(line.split('\t').map(value).collect()),
        }
    }
    Told::Before(answers)
}

async fn schema_of_mysql() -> Schema {
    let Some(socket) = std::env::var_os("DAYSPRING_UPDATE_TOLD") else {
        return read_schema(&mut answers_of_then()).await.unwrap();
    };
    let opts = OptsBuilder::default()
        .socket(Some(socket.into_string().unwrap()))
        .user(Some("root"))
        .prefer_socket(true);
    let mut direct = Direct::connect(&opts).await;
    for sql in ["DROP DATABASE IF EXISTS told", "CREATE DATABASE told"] {
        direct.execute(sql, &[]).await.unwrap();
    }
    let mut direct = Direct::connect(&opts.db_name(Some("told"))).await;
    make(&mut direct, Wording::AsWritten).await;
    let mut told = Told::ByMySql {
        inner: Box::new(direct),
        said: String::new(),
    };
    let schema = read_schema(&mut told).await.unwrap();
    let Told::ByMySql { said, .. } = told else {
        unreachable!("it was made so")
    };
    std::fs::write(
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(ANSWERS),
        said,
    )
    .unwrap();
    schema
}

async fn make(session: &mut Direct, wording: Wording) {
    let scripts = scripts(&[("v1.sql", SCRIPT)]);
    let all: Vec<_> = scripts
        .iter()
        .flat_map(|script| {
            script
                .statements
                .iter()
                .map(|statement| (script.id, statement.number))
        })
        .collect();
    let passed_over = replay(session, &scripts, &all, wording).await.unwrap();
    assert_eq!(passed_over, []);
}

fn said(live: &Schema, scripts: &Schema) -> String {
    let lines: Vec<String> = diff(live, scripts)
        .iter()
        .map(ToString::to_string)
        .collect();
    lines.join("\n")
}

#[tokio::test]
async fn what_mysql_tells_of_a_schema_is_what_mariadb_makes_of_its_scripts() {
    let mysql = schema_of_mysql().await;
    assert!(!mysql.is_of_mariadb());
    let world = World::new().await;
    let mut session = Direct::connect(&world.opts).await;
    make(&mut session, Wording::OfMariaDb).await;
    let mariadb = read_schema(&mut session).await.unwrap();
    assert!(mysql.objects() > 100, "{}", mysql.objects());
    assert_eq!(mysql.objects(), mariadb.objects());
    assert_eq!(said(&mysql, &mariadb), "");
    assert_eq!(said(&mariadb, &mysql), "");

    // And it is not blind.
    for sql in [
        "ALTER TABLE k1 DROP FOREIGN KEY c",
        "ALTER TABLE k1 ADD CONSTRAINT c FOREIGN KEY (p) REFERENCES p (id)",
        "ALTER TABLE k6 DROP FOREIGN KEY k6_ibfk_1",
        "ALTER TABLE k11 DROP CONSTRAINT CONSTRAINT_1, ADD CONSTRAINT k11_chk_1 CHECK (p > 1)",
        "ALTER TABLE cs5 MODIFY a VARCHAR(10) COLLATE utf8mb4_bin",
        "ALTER TABLE cs7 COLLATE utf8mb4_general_ci",
        "ALTER TABLE i3 ALTER INDEX hidden NOT IGNORED",
        "ALTER TABLE t_json MODIFY b LONGTEXT NOT NULL",
        "ALTER TABLE d4 ALTER a SET DEFAULT 1.6",
        "ALTER TABLE p3 ADD PARTITION PARTITIONS 1",
        "CREATE OR REPLACE VIEW w1 AS SELECT id FROM posts WHERE price > 11",
        "CREATE OR REPLACE VIEW w10 (a, c) AS SELECT id, UPPER(email) FROM users WHERE id > 3",
        "CREATE OR REPLACE VIEW w18 AS SELECT u.id FROM users u, posts p WHERE u.id = p.author AND u.age > 1 OR p.price > 1",
        "CREATE OR REPLACE FUNCTION f4(t TEXT) RETURNS TEXT CHARACTER SET utf8mb4 DETERMINISTIC RETURN t",
    ] {
        world.run(sql).await;
    }
    let mariadb = read_schema(&mut session).await.unwrap();
    insta::assert_snapshot!(said(&mysql, &mariadb), @"
    table cs5: column a: VARCHAR(10) NULL, the scripts say VARCHAR(10) COLLATE utf8mb4_bin NULL
    table cs7: collation: utf8mb4_bin, the scripts say utf8mb4
    table cs7: column a: VARCHAR(10) NULL, the scripts say VARCHAR(10) COLLATE utf8mb4_bin NULL
    table cs7: column b: TEXT NULL, the scripts say TEXT COLLATE utf8mb4_bin NULL
    table d4: column a: FLOAT NULL DEFAULT 1.5, the scripts say FLOAT NULL DEFAULT 1.6
    table i3: index hidden: (a) INVISIBLE, the scripts say (a)
    table k1: foreign key c: (p) REFERENCES p (id) ON DELETE CASCADE, the scripts say (p) REFERENCES p (id)
    table k11: check k11_chk_1: p > 0, the scripts say p > 1
    table k6: foreign key k6_ibfk_1 (p) REFERENCES p (id): the scripts have none
    table p3: partitions: HASH (id): p0, p1, p2, p3, p4, p5, the scripts say HASH (id): p0, p1, p2, p3, p4, p5, p6
    table t_json: column b: JSON NOT NULL, the scripts say LONGTEXT NOT NULL
    view w1: select posts.id AS id from posts where posts.price > 10, the scripts say select posts.id AS id from posts where posts.price > 11
    view w10: select users.id AS a, upper(users.email) AS b from users where users.id > 3, the scripts say select users.id AS a, upper(users.email) AS c from users where users.id > 3
    view w18: select u.id AS id from users u join posts p where u.id = p.author and (u.age > 1 or p.price > 1), the scripts say select u.id AS id from users u join posts p where u.id = p.author and u.age > 1 or p.price > 1
    function f4: (RETURNS TEXT CHARSET latin1, IN t TEXT) DETERMINISTIC RETURN t, the scripts say (RETURNS TEXT, IN t TEXT) DETERMINISTIC RETURN t
    ");
    session.disconnect().await;
}
