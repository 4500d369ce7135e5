//! Rows of EC2.

use crate::parity::{Row, Warned};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "vpc",
        service: "EC2",
        here: "networks, subnets and security groups are recorded; nothing is routed or blocked",
        aws: "they decide what reaches what",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/vpc/latest/userguide/what-is-amazon-vpc.html",
    },
    Row {
        id: "flow-logs",
        service: "EC2",
        here: "a flow log is recorded, and nothing is written to it",
        aws: "it has a line for each flow",
        warned: Warned::Never,
        source: "https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html",
    },
];
