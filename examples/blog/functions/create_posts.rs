//! `POST /posts`: a new post. 409 if its slug is taken, 422 if a member is not acceptable.

use dayspring::{
    Checks, Context, Database, Failure, Problem, Request, Response, Result, answer, request,
};
use serde::Deserialize;

use crate::post;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPost {
    slug: String,
    title: String,
    body: String,
    #[serde(default = "english")]
    language: String,
    author_id: i64,
}

fn english() -> String {
    "en".to_owned()
}

pub async fn handler(event: Request, context: Context) -> Result<Response> {
    let new: NewPost = request::json(&event)?;
    let mut checks = Checks::default();
    post::check_slug(&mut checks, &new.slug);
    post::check_title(&mut checks, &new.title);
    post::check_body(&mut checks, &new.body);
    post::check_language(&mut checks, &new.language);
    checks.finish()?;

    let database = Database::connect(&context)?;
    database
        .query(
            "INSERT INTO posts (slug, title, body, language, author_id)
             VALUES (:slug, :title, :body, :language, :author_id)",
        )
        .bind("slug", &new.slug)
        .bind("title", &new.title)
        .bind("body", &new.body)
        .bind("language", &new.language)
        .bind("author_id", new.author_id)
        .execute()
        .await
        .map_err(|error| refused(error, &new))?;

    let post = post::find(&database, &new.slug).await?;
    dayspring::tracing::info!(slug = post.slug, "post created");
    Ok(answer::created(&event, &post.slug, &post)?)
}

/// The database is the judge of what only it can know.
fn refused(error: dayspring::Error, new: &NewPost) -> Failure {
    if error.is_unique_violation() {
        Problem::conflict(format!("the slug `{}` is taken", new.slug)).into()
    } else if error.is_foreign_key_violation() {
        Problem::unprocessable(format!("there is no user {}", new.author_id)).into()
    } else {
        error.into()
    }
}
