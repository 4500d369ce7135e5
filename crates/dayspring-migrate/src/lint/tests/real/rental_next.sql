DROP VIEW actor_info;
CREATE OR REPLACE VIEW actor_info AS SELECT actor_id FROM actor;
DROP TRIGGER ins_film;
DELIMITER $$
CREATE TRIGGER `ins_film` AFTER INSERT ON `film` FOR EACH ROW BEGIN
  INSERT INTO film_text (film_id, title, description) VALUES (new.film_id, new.title, new.description);
  UPDATE film_text SET title = new.title;
END$$
DELIMITER ;
DROP PROCEDURE IF EXISTS film_in_stock;
CREATE EVENT clean ON SCHEDULE EVERY 1 DAY DO DELETE FROM film_text WHERE film_id = 0;
CREATE TABLE rating_log (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT, film_id SMALLINT UNSIGNED NOT NULL, rank TINYINT NOT NULL, PRIMARY KEY (id), KEY by_film (film_id), CONSTRAINT fk_log_film FOREIGN KEY (film_id) REFERENCES film (film_id));
INSERT INTO rating_log (film_id, `rank`) VALUES (1, 3);
UPDATE rating_log r JOIN film f ON f.film_id = r.film_id SET r.`rank` = 1 WHERE f.title = 'X';
