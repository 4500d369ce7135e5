//! `DELETE /posts/{slug}`: a post and its comments go together, or not at all.

use dayspring::{Context, Database, Failure, Request, Response, Result, answer, request};

use crate::post;

pub async fn handler(event: Request, context: Context) -> Result<Response> {
    let slug = request::path(&event, "slug")?;
    let database = Database::connect(&context)?;
    database
        .transaction(async |tx| {
            tx.query(
                "DELETE FROM comments
                 WHERE post_id IN (SELECT id FROM posts WHERE slug = :slug)",
            )
            .bind("slug", &slug)
            .execute()
            .await?;
            let posts = tx
                .query("DELETE FROM posts WHERE slug = :slug")
                .bind("slug", &slug)
                .execute()
                .await?;
            if posts.rows == 0 {
                return Err(post::missing(&slug).into());
            }
            Ok::<_, Failure>(())
        })
        .await?;
    Ok(answer::no_content())
}
