//! `GET /posts/{slug}`: one post.

use dayspring::{Context, Database, Request, Response, Result, answer, request};

use crate::post;

pub async fn handler(event: Request, context: Context) -> Result<Response> {
    let slug = request::path(&event, "slug")?;
    let database = Database::connect(&context)?;
    let post = post::find(&database, &slug).await?;
    Ok(answer::ok(&post)?)
}
