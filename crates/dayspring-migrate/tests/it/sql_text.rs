//! Makes scripts whose statements are known, because it puts them together itself.

use std::fmt::Write as _;

/// A script and the statements that are in it.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) text: String,
    pub(crate) statements: Vec<String>,
}

/// Which statements a script may hold besides plain ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bodies {
    /// None, because the client cuts a body without DELIMITER.
    None,
    /// Stored programs that end at their own END.
    WithoutDelimiter,
}

const WORDS: [&str; 13] = [
    "a", "t1", "begin", "end", "case", "if", "loop", "x$y", "grün", "source", "_b", "42", "1e5",
];
const MARKS: [&str; 12] = [
    "(", ")", ",", ".", "=", "+", "-", "*", "@", ":=", "<>", "--1",
];
const IN_TEXT: [&str; 14] = [
    "a", ";", "//", "$$", ";;", "--", "-- ", "#", "/*", "*/", "\n", "é", "🌅", "END",
];
const BODIES: [&str; 4] = [
    "CREATE PROCEDURE p(IN a INT) BEGIN {}; IF a THEN {}; END IF; END",
    "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW BEGIN SET @x = CASE WHEN 1 THEN 2 ELSE 3 END; {}; END",
    "CREATE DEFINER=`r`@`%` FUNCTION f() RETURNS INT l: BEGIN WHILE 1 DO {}; END WHILE; {}; END l",
    "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DECLARE EXIT HANDLER FOR 1062 BEGIN {}; END; {}; END",
];

/// The same script for the same seed.
pub(crate) fn script(seed: u64, length: usize, bodies: Bodies) -> Script {
    let mut maker = Maker {
        random: seed | 1,
        script: Script::default(),
        delimiter: ";",
    };
    for _ in 0..length {
        maker.item(bodies);
    }
    if maker.delimiter != ";" {
        maker.script.text.push_str("\nDELIMITER ;\n");
    }
    maker.script.text.push('\n');
    maker.script
}

struct Maker {
    random: u64,
    script: Script,
    delimiter: &'static str,
}

impl Maker {
    fn below(&mut self, limit: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 11) % limit
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let at = self.below(from.len().try_into().unwrap());
        from[usize::try_from(at).unwrap()]
    }

    fn item(&mut self, bodies: Bodies) {
        match self.below(12) {
            0..=2 => {
                let gap = self.pick(&[" ", "\n", "\r\n", "\t", "\n\n"]);
                self.script.text.push_str(gap);
            }
            3 => {
                let comment = self.comment();
                self.script.text.push_str(&comment);
            }
            4 => {
                self.delimiter = self.pick(&[";", "//", "$$", ";;"]);
                let word = self.pick(&["DELIMITER ", "delimiter\t", "Delimiter  "]);
                let rest = self.pick(&["\n", "\r\n", " # rest; 'of line\n"]);
                write!(self.script.text, "\n{word}{}{rest}", self.delimiter).unwrap();
            }
            5 if bodies == Bodies::WithoutDelimiter && self.delimiter == ";" => {
                let body = self.pick(&BODIES);
                let mut statement = String::new();
                for (index, part) in body.split("{}").enumerate() {
                    if index > 0 {
                        statement.push_str(&self.statement());
                    }
                    statement.push_str(part);
                }
                self.push(statement);
            }
            _ => {
                let statement = self.statement();
                self.push(statement);
            }
        }
    }

    fn push(&mut self, statement: String) {
        self.script.text.push_str(&statement);
        let space = self.pick(&["", " ", "\n", " /* it's; // */ ", " -- it's;\n"]);
        self.script.text.push_str(space);
        if self.script.text.ends_with('/') {
            // In `*///` the client finds the delimiter `//` one byte too early.
            self.script.text.push(' ');
        }
        self.script.text.push_str(self.delimiter);
        self.script.statements.push(statement);
    }

    fn statement(&mut self) -> String {
        let mut text = self
            .pick(&[
                "SELECT",
                "INSERT INTO",
                "update",
                "/*!40101 SET x */ SELECT",
            ])
            .to_owned();
        for _ in 0..1 + self.below(8) {
            let space = self.pick(&[" ", " ", "\n", "\t "]);
            text.push_str(space);
            if self.below(8) == 0 {
                let comment = self.comment();
                text.push_str(&comment);
                text.push(' ');
            }
            let token = self.token();
            text.push_str(&token);
        }
        text
    }

    fn token(&mut self) -> String {
        match self.below(10) {
            0..=3 => self.pick(&WORDS).to_owned(),
            4..=5 => self.pick(&MARKS).to_owned(),
            6 => self
                .pick(&["\\N", "/*!50003 it */", "/*M!100100 is */"])
                .to_owned(),
            _ => {
                let quote = self.pick(&["'", "\"", "`"]);
                let mut text = quote.to_owned();
                for _ in 0..self.below(5) {
                    match self.below(5) {
                        0 => text.push_str(&quote.repeat(2)),
                        1 if quote != "`" => {
                            let escape = self.pick(&["\\\\", "\\'", "\\\"", "\\n", "\\;"]);
                            text.push_str(escape);
                        }
                        1 => text.push('\\'),
                        _ => {
                            let part = self.pick(&IN_TEXT);
                            text.push_str(part);
                        }
                    }
                }
                text + quote
            }
        }
    }

    fn comment(&mut self) -> String {
        let text = self.pick(&[
            "",
            "it's",
            "a; b",
            "\"",
            "// $$ ;;",
            "`",
            "DELIMITER x",
            "\\G",
        ]);
        match self.below(3) {
            0 => format!("-- {text}\n"),
            1 => format!("# {text}\n"),
            _ => format!("/* {text}\n */"),
        }
    }
}
