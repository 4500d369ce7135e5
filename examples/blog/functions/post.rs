//! A post: its row, the rules for its members, and how it is found.

use dayspring::{Checks, Database, Problem, Result};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct Post {
    pub id: i64,
    pub slug: String,
    pub title: String,
    pub body: String,
    pub language: String,
    pub author_id: i64,
    /// UTC, as MySQL writes it: `2026-11-22 18:00:00`.
    pub created_at: String,
    pub updated_at: String,
}

/// The post with this slug, or a 404.
pub async fn find(database: &Database, slug: &str) -> Result<Post> {
    let post = database
        .query(
            "SELECT id, slug, title, body, language, author_id, created_at, updated_at
             FROM posts
             WHERE slug = :slug",
        )
        .bind("slug", slug)
        .fetch_optional()
        .await?;
    Ok(post.ok_or_else(|| missing(slug))?)
}

/// The 404 for a slug that no post has.
pub fn missing(slug: &str) -> Problem {
    Problem::not_found(format!("there is no post `{slug}`"))
}

pub fn check_slug(checks: &mut Checks, slug: &str) {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let words = slug
        .split('-')
        .all(|word| !word.is_empty() && word.chars().all(plain));
    checks.require("slug", words, "must be lower-case words, joined by `-`");
    checks.require(
        "slug",
        slug.len() <= 100,
        "must have at most 100 characters",
    );
}

pub fn check_title(checks: &mut Checks, title: &str) {
    checks.require("title", !title.trim().is_empty(), "must not be empty");
    checks.require(
        "title",
        title.chars().count() <= 200,
        "must have at most 200 characters",
    );
}

pub fn check_body(checks: &mut Checks, body: &str) {
    checks.require("body", !body.trim().is_empty(), "must not be empty");
    checks.require(
        "body",
        body.len() <= 65_535,
        "must have at most 65535 bytes",
    );
}

pub fn check_language(checks: &mut Checks, language: &str) {
    let two_letters = language.len() == 2 && language.chars().all(|c| c.is_ascii_lowercase());
    checks.require(
        "language",
        two_letters,
        "must be a code of two letters, such as `en`",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(slug: &str, valid: bool) {
        let mut checks = Checks::default();
        check_slug(&mut checks, slug);
        assert_eq!(checks.finish().is_ok(), valid, "{slug:?}");
    }

    #[test]
    fn a_slug_is_lower_case_words_joined_by_dashes() {
        check("a-serverless-blogpost-with-aurora", true);
        check("2026", true);
        for wrong in ["", "-", "a--b", "a-", "A", "a b", "ä", "a/b"] {
            check(wrong, false);
        }
        check(&"a".repeat(101), false);
    }
}
