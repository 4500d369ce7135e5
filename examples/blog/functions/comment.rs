//! A comment on a post: its row.

use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub struct Comment {
    pub id: i64,
    pub post_id: i64,
    pub author_id: i64,
    pub body: String,
    /// UTC, as MySQL writes it: `2026-11-22 18:00:00`.
    pub created_at: String,
}
