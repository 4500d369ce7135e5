CREATE TABLE `users` (`id` bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, `email` varchar(255) NOT NULL, `name` varchar(255), `admin` tinyint(1) DEFAULT FALSE NOT NULL, `settings` json, `created_at` datetime(6) NOT NULL, `updated_at` datetime(6) NOT NULL) CHARSET=utf8mb4;
CREATE TABLE `posts` (`id` bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, `user_id` bigint NOT NULL, `title` varchar(255), `body` text, `published_at` datetime(6), `created_at` datetime(6) NOT NULL, `updated_at` datetime(6) NOT NULL, INDEX `index_posts_on_user_id`  (`user_id`), CONSTRAINT `fk_rails_5b5ddfd518` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`));
CREATE TABLE `schema_migrations` (`version` varchar(255) NOT NULL PRIMARY KEY);
CREATE TABLE `ar_internal_metadata` (`key` varchar(255) NOT NULL PRIMARY KEY, `value` varchar(255), `created_at` datetime(6) NOT NULL, `updated_at` datetime(6) NOT NULL);
CREATE TABLE `posts_tags` (`post_id` bigint NOT NULL, `tag_id` bigint NOT NULL);
CREATE UNIQUE INDEX `index_users_on_email` ON `users` (`email`);
INSERT INTO `schema_migrations` (version) VALUES ('20240101000000'), ('20240101000001');
