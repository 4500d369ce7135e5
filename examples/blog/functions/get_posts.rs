//! `GET /posts?limit=20&after=CURSOR`: the posts, the newest first, in pages.

use dayspring::paging::Paging;
use dayspring::{Context, Database, Request, Response, Result, answer};

use crate::post::Post;

pub async fn handler(event: Request, context: Context) -> Result<Response> {
    let paging = Paging::of(&event)?;
    let database = Database::connect(&context)?;
    let posts: Vec<Post> = database
        .query(
            "SELECT id, slug, title, body, language, author_id, created_at, updated_at
             FROM posts
             WHERE id < :after
             ORDER BY id DESC
             LIMIT :rows",
        )
        .bind("after", paging.after.unwrap_or(i64::MAX))
        .bind("rows", paging.rows())
        .fetch_all()
        .await?;
    Ok(answer::ok(&paging.page(posts, |post| post.id))?)
}
