CREATE TABLE accounts (
  id CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT (UUID()),
  kind VARCHAR(20) NOT NULL,
  balance DECIMAL(19,4) NOT NULL DEFAULT 0,
  meta JSON NOT NULL DEFAULT (JSON_OBJECT()),
  kind_key VARCHAR(20) AS (meta->>'$.kind') STORED,
  PRIMARY KEY (id),
  UNIQUE KEY accounts_kind (kind, id),
  KEY accounts_meta ((CAST(meta->>'$.n' AS UNSIGNED))),
  CONSTRAINT balance_ok CHECK (balance >= 0)
) ENGINE=InnoDB;
CREATE TABLE events (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  at DATETIME NOT NULL,
  year SMALLINT NOT NULL,
  `key` VARCHAR(30), value TEXT, status INT, date DATE, name VARCHAR(9), type VARCHAR(9), user VARCHAR(9), password VARCHAR(9), role VARCHAR(9), position INT, count INT, text TEXT, timestamp TIMESTAMP NULL, level INT, description TEXT, location POINT, language CHAR(2), action VARCHAR(8), result VARCHAR(8), comment TEXT, code VARCHAR(8), data JSON, url VARCHAR(9), offset INT, duration INT, start DATETIME, end DATETIME, active BOOL,
  PRIMARY KEY (id, at)
) ENGINE=InnoDB PARTITION BY RANGE (YEAR(at)) (PARTITION p2023 VALUES LESS THAN (2024), PARTITION pmax VALUES LESS THAN MAXVALUE);
CREATE TABLE IF NOT EXISTS tags (id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, label VARCHAR(50) NOT NULL UNIQUE, lat DOUBLE, price FLOAT);
CREATE TEMPORARY TABLE tmp AS SELECT id FROM tags;
GRANT SELECT ON blog.* TO 'reader'@'%';
CREATE USER IF NOT EXISTS 'reader'@'%' IDENTIFIED BY 'x';
