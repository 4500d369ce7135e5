ALTER TABLE `posts` ADD `slug` varchar(255);
CREATE INDEX `index_posts_on_slug` ON `posts` (`slug`);
ALTER TABLE `posts` ADD `views` int DEFAULT 0 NOT NULL, ALGORITHM=INSTANT;
CREATE INDEX `index_posts_on_published_at` ON `posts` (`published_at` DESC) ALGORITHM=INPLACE LOCK=NONE;
UPDATE `posts` SET `posts`.`slug` = LOWER(`posts`.`title`) WHERE `posts`.`slug` IS NULL;
CREATE TABLE `comments` (`id` bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, `post_id` bigint NOT NULL, `body` text, INDEX `index_comments_on_post_id` (`post_id`), CONSTRAINT `fk_rails_2fd19c0db7` FOREIGN KEY (`post_id`) REFERENCES `posts` (`id`) ON DELETE CASCADE);
INSERT INTO `comments` (`post_id`, `body`) SELECT `id`, 'first' FROM `posts`;
