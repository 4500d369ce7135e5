//! What a template is made of.

/// A piece of a template.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Text(String),
    Reference(Reference),
    Set {
        target: Reference,
        value: Expression,
    },
    If {
        /// Conditions with what follows each, in their order.
        branches: Vec<(Expression, Vec<Self>)>,
        otherwise: Vec<Self>,
    },
    Foreach {
        name: String,
        list: Expression,
        body: Vec<Self>,
    },
    Break,
    Stop,
}

/// `$name`, with what is asked of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) steps: Vec<Step>,
    /// `$!name`: nothing is written where it has no value.
    pub(super) quiet: bool,
    /// Where it begins, in bytes.
    pub(super) at: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Step {
    Property(String),
    Call {
        method: String,
        arguments: Vec<Expression>,
        at: usize,
    },
    Index(Expression),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    /// A text in double quotes: a template.
    Template(Vec<Node>),
    List(Vec<Self>),
    Range(Box<Self>, Box<Self>),
    Map(Vec<(Self, Self)>),
    Reference(Reference),
    Not(Box<Self>),
    /// What follows binds as tightly; it is computed from the left. Flat, because a template may join thousands.
    Chain(Box<Self>, Vec<(Operator, Self)>),
    /// Joined by `&&`.
    All(Vec<Self>),
    /// Joined by `||`.
    Any(Vec<Self>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
    Over,
    Modulo,
}

/// Why a text is no template here. It carries its place as bytes; who has the text makes line and column of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) at: usize,
    pub(super) reason: String,
}
