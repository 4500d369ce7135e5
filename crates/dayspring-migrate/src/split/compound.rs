//! Follows a stored program without DELIMITER to its own END.
//!
//! Only words that stand where a statement may begin open a block: so `IF(a, b)` is a function, `REPEAT('x', 3)` too,
//! and a column may be called `begin`. CASE is a reserved word and opens one anywhere; where it is an expression its
//! END must follow a value, so a column called `end` inside it does no harm.

/// What a `;` means at this point of the statement.
#[derive(Debug)]
pub(super) struct Compound {
    stage: Stage,
    blocks: Vec<Block>,
    parentheses: usize,
    /// Whether a statement of the body may begin with the next word.
    at_start: bool,
    /// Whether the last word stood at a beginning, so that a `:` after it makes it a label.
    maybe_label: bool,
    /// Whether a block of statements has just ended: END IF, END LOOP, END label.
    after_end: bool,
    /// Inside DECLARE ... HANDLER FOR, whose statement begins at no `;`.
    handler: bool,
    /// Whether the last token is a value, as it must be before the END of a CASE expression.
    after_operand: bool,
    /// Whether the last mark was `@` or `.`, or `=` after DEFINER, so that the next word is a name.
    name_follows: bool,
    /// Whether the last word was AS, after which MySQL 9 has the text of a JavaScript routine.
    after_as: bool,
    /// Inside DECLARE.
    declare: bool,
    /// Whether the last word was EACH, or FOLLOWS and PRECEDES, whose next word is not a body's beginning.
    each: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No word yet.
    Start,
    /// After CREATE, until the kind of the object is known.
    Create,
    /// After ALTER.
    Alter,
    /// After BEGIN as the first word: a transaction, or BEGIN NOT ATOMIC.
    Begin,
    /// A procedure or function, before its parameters are closed.
    Parameters,
    /// After them: characteristics, then the body.
    Characteristics,
    /// A trigger before FOR EACH ROW.
    Trigger,
    /// An event before DO.
    Event,
    /// The next word begins the body, or orders a trigger.
    BodyStart,
    /// After the body's first word, which is a label if a `:` follows and else begins a body without blocks.
    Label,
    /// Inside the blocks of a body.
    Body,
    /// No blocks: the first `;` ends the statement.
    Plain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Begin,
    If,
    CaseStatement,
    CaseExpression,
    Loop,
    While,
    Repeat { until: bool },
    For,
}

impl Compound {
    pub(super) fn new() -> Self {
        Self {
            stage: Stage::Start,
            blocks: Vec::new(),
            parentheses: 0,
            at_start: false,
            maybe_label: false,
            after_end: false,
            handler: false,
            after_operand: false,
            name_follows: false,
            after_as: false,
            declare: false,
            each: false,
        }
    }

    /// For a statement that ends at its first delimiter.
    pub(super) fn plain() -> Self {
        Self {
            stage: Stage::Plain,
            ..Self::new()
        }
    }

    pub(super) fn is_plain(&self) -> bool {
        self.stage == Stage::Plain
    }

    /// Whether `$$` begins a literal here; elsewhere `$` belongs to names.
    pub(super) fn expects_dollar_quote(&self) -> bool {
        self.stage == Stage::Characteristics && self.after_as
    }

    /// Takes a `;` and says whether it ends the statement.
    pub(super) fn semicolon(&mut self) -> bool {
        while self.blocks.last() == Some(&Block::CaseExpression) {
            self.blocks.pop();
        }
        self.at_start = true;
        self.maybe_label = false;
        self.after_end = false;
        self.handler = false;
        self.declare = false;
        self.after_operand = false;
        self.name_follows = false;
        self.blocks.is_empty()
    }

    /// Takes a literal or a quoted name.
    pub(super) fn operand(&mut self) {
        if self.stage == Stage::Label {
            self.stage = Stage::Plain;
        }
        self.after_operand = true;
        self.maybe_label = self.at_start;
        self.at_start = false;
        self.name_follows = false;
        self.after_end = false;
        self.after_as = false;
        // The name after FOLLOWS or PRECEDES.
        self.each = false;
    }

    /// Takes a character that is neither of a word nor white space nor a quote.
    pub(super) fn mark(&mut self, mark: u8) {
        let definer = matches!(self.stage, Stage::Create | Stage::Alter);
        self.name_follows = matches!(mark, b'@' | b'.') || mark == b'=' && definer;
        self.after_as = false;
        if self.stage == Stage::Characteristics && matches!(mark, b'=' | b'@') {
            // Neither is in a characteristic: a body like `SET @a = IF(b, 1, 2)` has begun.
            self.stage = Stage::Plain;
        }
        self.after_operand = mark == b')';
        match mark {
            b'(' => self.parentheses += 1,
            b')' => {
                self.parentheses = self.parentheses.saturating_sub(1);
                if self.parentheses == 0 && self.stage == Stage::Parameters {
                    self.stage = Stage::Characteristics;
                }
            }
            b':' if self.maybe_label => self.at_start = true,
            _ => {}
        }
        if self.stage == Stage::Label {
            self.stage = if mark == b':' {
                Stage::BodyStart
            } else {
                Stage::Plain
            };
        }
        self.maybe_label = false;
        if mark != b':' {
            self.at_start = false;
        }
    }

    /// Takes a word that is not quoted.
    pub(super) fn word(&mut self, word: &[u8]) {
        if std::mem::take(&mut self.name_follows) {
            self.after_operand = true;
            self.at_start = false;
            return;
        }
        let mut buffer = [0; 16];
        let word = upper_case(word, &mut buffer);
        match self.stage {
            Stage::Start => {
                self.stage = match word {
                    b"CREATE" => Stage::Create,
                    b"ALTER" => Stage::Alter,
                    b"BEGIN" => Stage::Begin,
                    _ => Stage::Plain,
                }
            }
            Stage::Begin => {
                self.stage = if word == b"NOT" {
                    Stage::Body
                } else {
                    Stage::Plain
                };
                if word == b"NOT" {
                    self.blocks.push(Block::Begin);
                }
            }
            Stage::Create => self.create(word),
            Stage::Alter => {
                self.stage = match word {
                    b"EVENT" => Stage::Event,
                    b"DEFINER" => Stage::Alter,
                    _ => Stage::Plain,
                }
            }
            Stage::Label => self.stage = Stage::Plain,
            Stage::Parameters | Stage::Plain => {}
            Stage::Characteristics => self.characteristics(word),
            Stage::Trigger => {
                if word == b"ROW" && self.each {
                    self.stage = Stage::BodyStart;
                }
                self.each = word == b"EACH";
            }
            Stage::Event => {
                if word == b"DO" && self.parentheses == 0 {
                    self.stage = Stage::BodyStart;
                }
            }
            Stage::BodyStart => self.body_start(word),
            Stage::Body => self.body(word),
        }
    }

    fn create(&mut self, word: &[u8]) {
        self.stage = match word {
            b"PROCEDURE" | b"FUNCTION" => Stage::Parameters,
            b"TRIGGER" => Stage::Trigger,
            b"EVENT" => Stage::Event,
            b"OR" | b"REPLACE" | b"DEFINER" | b"AGGREGATE" | b"CURRENT_USER" | b"CURRENT_ROLE" => {
                Stage::Create
            }
            _ => Stage::Plain,
        }
    }

    /// Between the parameters and the body: the body's first word is known by itself.
    fn characteristics(&mut self, word: &[u8]) {
        if self.parentheses > 0 {
            return;
        }
        match word {
            b"BEGIN" | b"IF" | b"CASE" | b"LOOP" | b"WHILE" | b"REPEAT" | b"FOR" => {
                self.body_start(word)
            }
            _ if begins_plain_statement(word) => self.stage = Stage::Plain,
            _ => {
                self.maybe_label = true;
                self.after_as = word == b"AS";
            }
        }
    }

    fn body_start(&mut self, word: &[u8]) {
        if std::mem::take(&mut self.each) {
            return;
        }
        if matches!(word, b"FOLLOWS" | b"PRECEDES") {
            self.each = true;
            return;
        }
        self.stage = Stage::Body;
        self.at_start = true;
        self.body(word);
        if self.blocks.is_empty() {
            self.stage = Stage::Label;
        }
    }

    fn body(&mut self, word: &[u8]) {
        let at_start = std::mem::take(&mut self.at_start);
        let after_end = std::mem::take(&mut self.after_end);
        let after_operand = std::mem::replace(&mut self.after_operand, !is_operator(word));
        self.maybe_label = false;
        let top = self.blocks.last().copied();
        // The statement of a handler begins after a condition, and that ends with a word or a literal.
        let at_start = at_start || self.handler && after_operand && word != b"FOR";
        if begins_plain_statement(word) || word == b"SET" {
            self.handler = false;
        }
        if after_end
            && matches!(
                word,
                b"IF" | b"CASE" | b"LOOP" | b"WHILE" | b"REPEAT" | b"FOR"
            )
        {
            return;
        }
        match word {
            b"BEGIN" if at_start => self.open(Block::Begin, true),
            b"IF" if at_start => self.open(Block::If, false),
            b"CASE" if at_start => self.open(Block::CaseStatement, false),
            b"CASE" => self.blocks.push(Block::CaseExpression),
            b"LOOP" if at_start => self.open(Block::Loop, true),
            b"WHILE" if at_start => self.open(Block::While, false),
            b"REPEAT" if at_start => self.open(Block::Repeat { until: false }, true),
            b"FOR" if at_start => self.open(Block::For, false),
            b"END" if at_start || top == Some(Block::Repeat { until: true }) => {
                self.blocks.pop();
                self.after_end = true;
            }
            b"END" if top == Some(Block::CaseExpression) && after_operand => {
                self.blocks.pop();
            }
            b"UNTIL" if at_start && top == Some(Block::Repeat { until: false }) => {
                self.blocks.pop();
                self.blocks.push(Block::Repeat { until: true });
            }
            b"THEN" => self.at_start = matches!(top, Some(Block::If | Block::CaseStatement)),
            b"ELSE" if at_start => self.at_start = true,
            b"DO" => self.at_start = matches!(top, Some(Block::While | Block::For)),
            b"ATOMIC" if self.blocks == [Block::Begin] => self.at_start = true,
            b"DECLARE" => self.declare = at_start,
            b"HANDLER" => self.handler = self.declare,
            _ => self.maybe_label = at_start,
        }
    }

    fn open(&mut self, block: Block, statement_follows: bool) {
        self.blocks.push(block);
        self.at_start = statement_follows;
        self.handler = false;
    }
}

/// The word in upper case, or nothing where it is longer than any keyword of interest.
fn upper_case<'b>(word: &[u8], buffer: &'b mut [u8; 16]) -> &'b [u8] {
    match buffer.get_mut(..word.len()) {
        Some(upper) => {
            upper.copy_from_slice(word);
            upper.make_ascii_uppercase();
            upper
        }
        None => &[],
    }
}

/// Words that begin a statement without blocks and stand in no characteristic of a routine and no handler's condition.
fn begins_plain_statement(word: &[u8]) -> bool {
    matches!(
        word,
        b"RETURN"
            | b"SELECT"
            | b"INSERT"
            | b"UPDATE"
            | b"DELETE"
            | b"REPLACE"
            | b"CALL"
            | b"WITH"
            | b"VALUES"
            | b"DO"
            | b"SIGNAL"
            | b"RESIGNAL"
            | b"GET"
            | b"TRUNCATE"
            | b"DROP"
            | b"ALTER"
            | b"CREATE"
            | b"RENAME"
            | b"EXECUTE"
            | b"PREPARE"
            | b"DEALLOCATE"
            | b"START"
            | b"COMMIT"
            | b"ROLLBACK"
            | b"SAVEPOINT"
            | b"SHOW"
            | b"KILL"
            | b"FLUSH"
            | b"GRANT"
            | b"REVOKE"
            | b"ANALYZE"
            | b"OPTIMIZE"
            | b"LEAVE"
            | b"ITERATE"
    )
}

/// Words after which an expression goes on.
fn is_operator(word: &[u8]) -> bool {
    matches!(
        word,
        b"CASE"
            | b"WHEN"
            | b"THEN"
            | b"ELSE"
            | b"AND"
            | b"OR"
            | b"XOR"
            | b"NOT"
            | b"DIV"
            | b"MOD"
            | b"LIKE"
            | b"IN"
            | b"IS"
            | b"BETWEEN"
            | b"REGEXP"
            | b"RLIKE"
            | b"SELECT"
            | b"WHERE"
            | b"FROM"
            | b"BINARY"
            | b"BY"
    )
}
