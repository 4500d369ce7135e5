//! `PATCH /posts/{slug}`: changes the members that the body has. A slug stays: it is the post's address.

use dayspring::{Checks, Context, Database, Request, Response, Result, answer, request};
use serde::Deserialize;

use crate::post;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    title: Option<String>,
    body: Option<String>,
    language: Option<String>,
}

pub async fn handler(event: Request, context: Context) -> Result<Response> {
    let slug = request::path(&event, "slug")?;
    let change: Change = request::json(&event)?;
    let mut checks = Checks::default();
    if let Some(title) = &change.title {
        post::check_title(&mut checks, title);
    }
    if let Some(body) = &change.body {
        post::check_body(&mut checks, body);
    }
    if let Some(language) = &change.language {
        post::check_language(&mut checks, language);
    }
    checks.finish()?;

    let database = Database::connect(&context)?;
    database
        .query(
            "UPDATE posts
             SET title = COALESCE(:title, title),
                 body = COALESCE(:body, body),
                 language = COALESCE(:language, language)
             WHERE slug = :slug",
        )
        .bind("title", change.title)
        .bind("body", change.body)
        .bind("language", change.language)
        .bind("slug", &slug)
        .execute()
        .await?;
    let post = post::find(&database, &slug).await?;
    Ok(answer::ok(&post)?)
}
