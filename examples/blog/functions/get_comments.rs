//! `GET /posts/{slug}/comments?limit=20&after=CURSOR`: the comments on a post, the oldest first, in pages.

use dayspring::paging::Paging;
use dayspring::{Context, Database, Request, Response, Result, answer, request};

use crate::comment::Comment;
use crate::post;

pub async fn handler(event: Request, context: Context) -> Result<Response> {
    let slug = request::path(&event, "slug")?;
    let paging = Paging::of(&event)?;
    let database = Database::connect(&context)?;
    let post = post::find(&database, &slug).await?;
    let comments: Vec<Comment> = database
        .query(
            "SELECT id, post_id, author_id, body, created_at
             FROM comments
             WHERE post_id = :post_id AND id > :after
             ORDER BY id
             LIMIT :rows",
        )
        .bind("post_id", post.id)
        .bind("after", paging.after.unwrap_or(0))
        .bind("rows", paging.rows())
        .fetch_all()
        .await?;
    Ok(answer::ok(&paging.page(comments, |comment| comment.id))?)
}
