//! `dayspring dev`: what a stranger does first, and then every day.

use std::process::Command;

use serde_json::json;

use crate::support::{Project, Server, children_of, request};

#[test]
fn the_blog_answers_and_is_developed() {
    let project = Project::blog();
    let mut dev = project.dev();
    assert!(dev.url.ends_with("/prod"), "{}", dev.url);

    // The first post comes from the scripts.
    let posts = dev.get("/posts");
    assert_eq!(posts.status, 200, "{posts:?}");
    assert_eq!(
        posts.json()["items"][0]["title"],
        "A serverless blogpost with Aurora"
    );
    assert_eq!(posts.header("access-control-allow-origin"), Some("*"));

    // A post that is created is there.
    let post = json!({ "slug": "second", "title": "The second", "body": "It was written by a request.", "author_id": 1 });
    let created = dev.post("/posts", &post);
    assert_eq!(created.status, 201, "{created:?}");
    assert_eq!(
        dev.get("/posts").json()["items"].as_array().unwrap().len(),
        2
    );
    let taken = dev.post("/posts", &post);
    assert_eq!(taken.status, 409, "{taken:?}");
    assert_eq!(
        taken.header("content-type"),
        Some("application/problem+json")
    );

    // A browser may ask.
    let options = request(
        "OPTIONS",
        &format!("{}/posts", dev.url),
        &[("Origin", "http://example.com")],
        "",
    );
    assert!(
        options.status == 200 || options.status == 204,
        "{options:?}"
    );
    assert_eq!(options.header("access-control-allow-origin"), Some("*"));
    let methods = options.header("access-control-allow-methods").unwrap();
    assert!(
        ["GET", "POST", "OPTIONS"]
            .iter()
            .all(|method| methods.contains(method)),
        "{methods}"
    );

    // What is no route answers as API Gateway does.
    let unknown = dev.get("/nothing");
    assert_eq!(unknown.status, 403);
    assert_eq!(unknown.json()["message"], "Missing Authentication Token");

    a_statement_that_is_appended_is_applied_once(&project, &mut dev);
    a_script_that_is_begun_is_waited_for(&project, &mut dev);
    scripts_are_applied_in_the_order_of_their_numbers(&project, &mut dev);
    a_failing_script_leaves_the_stack_up_and_is_resumed(&project, &mut dev);
    a_changed_function_is_served(&project, &mut dev);
    a_changed_past_is_refused_until_it_may_cost_the_data(&project, &mut dev);
    another_database_is_refused(&project, &mut dev);

    // Stopped, it leaves no process behind; started again, nothing runs twice and the data is there.
    let children = children_of(dev.process_id());
    assert!(
        !children.is_empty(),
        "MariaDB and the functions are children"
    );
    dev.stop();
    for child in children {
        let alive = Command::new("kill")
            .args(["-0", &child.to_string()])
            .output()
            .unwrap();
        assert!(!alive.status.success(), "process {child} is still there");
    }
    let mut dev = project.dev();
    assert_eq!(dev.get("/posts/second").status, 200);
    assert_eq!(notes(&dev), 3, "{}", dev.printed());
    dev.stop();
}

fn newest_script(project: &Project) -> String {
    let folder = project.folder().join("scripts/schema");
    let mut scripts: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    scripts.sort();
    format!("scripts/schema/{}", scripts.pop().unwrap())
}

/// Rows that only scripts of these tests insert.
fn notes(dev: &Server) -> usize {
    let posts = dev.get("/posts").json();
    let posts = posts["items"].as_array().unwrap().clone();
    posts
        .iter()
        .filter(|post| post["slug"].as_str().unwrap().starts_with("note-"))
        .count()
}

fn insert(slug: &str) -> String {
    format!(
        "\nINSERT INTO posts (author_id, slug, title, body) SELECT id, '{slug}', '{slug}', 'By a script.' FROM users LIMIT 1;\n"
    )
}

fn a_statement_that_is_appended_is_applied_once(project: &Project, dev: &mut Server) {
    project.append(&newest_script(project), &insert("note-1"));
    dev.wait_for("1 statement applied");
    assert_eq!(notes(dev), 1);
}

fn a_script_that_is_begun_is_waited_for(project: &Project, dev: &mut Server) {
    let begun = project.run(&["migrate", "new", "later"]);
    let path = String::from_utf8(begun.stdout).unwrap().trim().to_owned();
    let printed = dev.wait_for(&format!("for a statement in {path}; the stack that was up"));
    assert!(!printed.contains("error"), "{printed}");
    std::fs::remove_file(project.folder().join(path)).unwrap();
    dev.wait_for("nothing changed");
}

fn scripts_are_applied_in_the_order_of_their_numbers(project: &Project, dev: &mut Server) {
    // Sorted as text, v10 would come first and fail. Both are there before either is seen.
    let folder = project.folder().join("scripts/schema");
    let apart = project.folder().join(".apart");
    std::fs::create_dir_all(&apart).unwrap();
    std::fs::write(
        apart.join("v9.sql"),
        "CREATE TABLE ordered (id INT PRIMARY KEY);\n",
    )
    .unwrap();
    std::fs::write(
        apart.join("v10.sql"),
        "ALTER TABLE ordered ADD COLUMN note VARCHAR(20);\n",
    )
    .unwrap();
    std::fs::rename(apart.join("v9.sql"), folder.join("v9.sql")).unwrap();
    std::fs::rename(apart.join("v10.sql"), folder.join("v10.sql")).unwrap();
    dev.wait_for("schema at v10");
}

fn a_failing_script_leaves_the_stack_up_and_is_resumed(project: &Project, dev: &mut Server) {
    let good = insert("note-2");
    project.write(
        "scripts/schema/v11.sql",
        &format!("{good}\nALTER TABLE ordered ADD COLUMN more INT more;\n"),
    );
    let printed = dev.wait_for("still serving");
    assert!(printed.contains("scripts/schema/v11.sql:4:1"), "{printed}");
    assert!(printed.contains("INT more;"), "{printed}");
    assert!(printed.contains("1064"), "{printed}");
    assert_eq!(dev.get("/posts").status, 200);

    // Corrected, it goes on from the failed statement: the first one is not run again.
    project.write(
        "scripts/schema/v11.sql",
        &format!(
            "{good}\nALTER TABLE ordered ADD COLUMN more INT;\n{}",
            insert("note-3")
        ),
    );
    dev.wait_for("2 statements applied, schema at v11");
    assert_eq!(notes(dev), 3);
}

/// `dev` asks at a terminal, which there is none of here; the other command is told.
fn a_changed_past_is_refused_until_it_may_cost_the_data(project: &Project, dev: &mut Server) {
    let before = project.read("scripts/schema/v9.sql");
    project.write(
        "scripts/schema/v9.sql",
        "CREATE TABLE ordered (id INT PRIMARY KEY, at_last INT);\n",
    );
    let printed = dev.wait_for("still serving");
    assert!(
        printed.contains("is applied already, with another text"),
        "{printed}"
    );
    assert!(printed.contains("`--reset`"), "{printed}");
    assert_eq!(dev.get("/posts/second").status, 200);
    project.write("scripts/schema/v9.sql", &before);
    dev.wait_for("nothing changed");
}

fn another_database_is_refused(project: &Project, dev: &mut Server) {
    let before = project.read("dayspring.toml");
    let other = before.replace("[database]\n", "[database]\nusername = \"somebody\"\n");
    assert_ne!(other, before);
    project.write("dayspring.toml", &other);
    let printed = dev.wait_for("still serving");
    assert!(
        printed.contains("this changes what the database cluster cannot change"),
        "{printed}"
    );
    assert!(printed.contains(".dayspring with its data"), "{printed}");
    assert_eq!(dev.get("/posts/second").status, 200);
    project.write("dayspring.toml", &before);
    dev.wait_for("nothing changed");
}

fn a_changed_function_is_served(project: &Project, dev: &mut Server) {
    let source = project.read("functions/get_post.rs");
    project.write(
        "functions/get_post.rs",
        &format!("{source}\nthis does not compile\n"),
    );
    dev.wait_for("still serving");
    assert_eq!(dev.get("/posts/second").status, 200);

    let handler = "pub async fn handler";
    let renamed = source.replace(handler, "pub async fn original");
    assert_ne!(renamed, source);
    project.write(
        "functions/get_post.rs",
        &format!(
            "{renamed}\npub async fn handler(event: Request, context: Context) -> Result<Response> {{\n    \
             let mut response = original(event, context).await?;\n    \
             response.headers_mut().insert(\"x-changed\", \"yes\".parse()?);\n    Ok(response)\n}}\n"
        ),
    );
    dev.wait_for("Deployed");
    assert_eq!(dev.get("/posts/second").header("x-changed"), Some("yes"));
}
