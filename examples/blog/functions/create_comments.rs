//! `POST /posts/{slug}/comments`: a new comment on a post.

use dayspring::{
    Checks, Context, Database, Failure, Problem, Request, Response, Result, StatusCode, answer,
    request,
};
use serde::Deserialize;

use crate::comment::Comment;
use crate::post;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewComment {
    author_id: i64,
    body: String,
}

pub async fn handler(event: Request, context: Context) -> Result<Response> {
    let slug = request::path(&event, "slug")?;
    let new: NewComment = request::json(&event)?;
    let mut checks = Checks::default();
    post::check_body(&mut checks, &new.body);
    checks.finish()?;

    let database = Database::connect(&context)?;
    let post = post::find(&database, &slug).await?;
    let created = database
        .query(
            "INSERT INTO comments (post_id, author_id, body) VALUES (:post_id, :author_id, :body)",
        )
        .bind("post_id", post.id)
        .bind("author_id", new.author_id)
        .bind("body", &new.body)
        .execute()
        .await
        .map_err(|error| refused(error, new.author_id))?;
    let comment: Comment = database
        .query("SELECT id, post_id, author_id, body, created_at FROM comments WHERE id = :id")
        .bind("id", created.id)
        .fetch_one()
        .await?;
    Ok(answer::json(StatusCode::CREATED, &comment)?)
}

fn refused(error: dayspring::Error, author_id: i64) -> Failure {
    if error.is_foreign_key_violation() {
        Problem::unprocessable(format!("there is no user {author_id}")).into()
    } else {
        error.into()
    }
}
