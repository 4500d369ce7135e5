-- Posts in more than one language: an ISO 639-1 code.
ALTER TABLE posts ADD COLUMN language CHAR(2) NOT NULL DEFAULT 'en' AFTER body;
