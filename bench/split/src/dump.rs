//! Makes a text like mysqldump's: the same bytes for the same size.

use std::fmt::Write as _;

/// A dump and the number of statements in it.
pub(crate) struct Dump {
    pub(crate) text: String,
    pub(crate) statements: usize,
}

/// Makes a dump of at least that many bytes: tables with rows of several types, conditional comments, a trigger and a
/// procedure between DELIMITER lines for each table.
pub(crate) fn make(bytes: usize) -> Dump {
    let mut dump = Dump {
        text: String::with_capacity(bytes + (1 << 21)),
        statements: 0,
    };
    dump.add(
        3,
        "-- MySQL dump 10.13  Distrib 8.0.40, for Linux (x86_64)\n--\n-- Host: localhost    Database: shop\n\
         -- ------------------------------------------------------\n\n\
         /*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;\n\
         /*!50503 SET NAMES utf8mb4 */;\n\
         /*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;\n\n",
    );
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut table = 0;
    while dump.text.len() < bytes {
        table += 1;
        dump.table(table, &mut random, bytes);
    }
    dump.add(
        1,
        "/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;\n\n-- Dump completed\n",
    );
    dump
}

impl Dump {
    fn add(&mut self, statements: usize, text: &str) {
        self.statements += statements;
        self.text.push_str(text);
    }

    fn table(&mut self, table: usize, random: &mut Random, bytes: usize) {
        self.add(
            4,
            &format!(
                "--\n-- Table structure for table `customer_{table}`; it's the {table}. of them\n--\n\n\
                 DROP TABLE IF EXISTS `customer_{table}`;\n\
                 /*!40101 SET @saved_cs_client     = @@character_set_client */;\n\
                 CREATE TABLE `customer_{table}` (\n  `id` bigint unsigned NOT NULL AUTO_INCREMENT,\n\
                 \x20 `email` varchar(255) COLLATE utf8mb4_general_ci NOT NULL COMMENT 'what; it''s for',\n\
                 \x20 `balance` decimal(12,2) NOT NULL DEFAULT '0.00',\n  `created` datetime(3) NOT NULL,\n\
                 \x20 `note` text,\n  PRIMARY KEY (`id`),\n  UNIQUE KEY `email` (`email`)\n\
                 ) ENGINE=InnoDB AUTO_INCREMENT=4711 DEFAULT CHARSET=utf8mb4 /* not cached */;\n\
                 /*!40000 ALTER TABLE `customer_{table}` DISABLE KEYS */;\n",
            ),
        );
        // mysqldump fills a packet of one megabyte with one INSERT.
        for _ in 0..4 {
            if self.text.len() >= bytes {
                break;
            }
            self.insert(table, random);
        }
        self.add(
            4,
            &format!(
                "/*!40000 ALTER TABLE `customer_{table}` ENABLE KEYS */;\n\nDELIMITER ;;\n\
                 /*!50003 CREATE*/ /*!50017 DEFINER=`root`@`%`*/ /*!50003 TRIGGER `t_{table}` BEFORE INSERT ON `customer_{table}` \
                 FOR EACH ROW BEGIN\n  SET NEW.email = LOWER(NEW.email); -- it's lower\n  SET NEW.note = 'a;b';\nEND */;;\n\
                 DELIMITER ;\nDELIMITER $$\nCREATE PROCEDURE `p_{table}`(IN n INT)\nBEGIN\n  DECLARE i INT DEFAULT 0; # counts\n\
                 \x20 WHILE i < n DO\n    SET i = i + 1;\n    IF i MOD 2 THEN SELECT \"it's;\"; END IF;\n  END WHILE;\nEND$$\n\
                 DELIMITER ;\nCREATE TRIGGER `u_{table}` AFTER DELETE ON `customer_{table}` FOR EACH ROW BEGIN\n\
                 \x20 SET @gone = CASE WHEN OLD.id > 5 THEN 1 ELSE 2 END;\nEND;\n\n"
            ),
        );
    }

    fn insert(&mut self, table: usize, random: &mut Random) {
        const WORDS: [&str; 8] = [
            "lorem",
            "it\\'s",
            "ipsum; dolor",
            "sit \\\"amet\\\"",
            "grün",
            "line\\nline",
            "-- no comment",
            "C:\\\\dir",
        ];
        let end = self.text.len() + (1 << 20) - 300;
        self.add(1, &format!("INSERT INTO `customer_{table}` VALUES "));
        let mut id = 0;
        while self.text.len() < end {
            id += 1;
            let (a, b) = (random.next(), random.next());
            write!(
                self.text,
                "{}({id},'user{}@example.com',{}.{:02},'20{:02}-0{}-1{} 12:34:5{}.000',",
                if id == 1 { "" } else { "," },
                a % 1_000_000,
                a >> 40,
                b % 100,
                b % 30,
                1 + a % 9,
                b % 10,
                a % 10,
            )
            .expect("a String takes any text");
            if b.is_multiple_of(5) {
                self.text.push_str("NULL)");
                continue;
            }
            self.text.push('\'');
            for word in 0..a % 24 {
                let word = (b >> word) % 16;
                let plain = "consectetur";
                self.text.push_str(
                    usize::try_from(word)
                        .ok()
                        .and_then(|word| WORDS.get(word))
                        .unwrap_or(&plain),
                );
                self.text.push(' ');
            }
            self.text.push_str("')");
        }
        self.text.push_str(";\n");
    }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
