//! The blog: one binary, one module for each function. `dayspring.toml` says which route runs which.

mod comment;
mod post;

dayspring::functions! {
    get_posts,
    create_posts,
    get_post,
    update_post,
    delete_post,
    get_comments,
    create_comments,
}
