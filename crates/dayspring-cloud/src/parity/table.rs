//! The rows, a file a service.

mod api_gateway;
mod cloudformation;
mod cloudwatch;
mod ec2;
mod ecr;
mod every_service;
mod kms;
mod lambda;
mod rds;
mod s3;
mod secrets_manager;
mod ssm;
mod sts;

use super::{Property, Row, When};

/// Every known difference, in the order of the page.
pub(crate) fn rows() -> impl Iterator<Item = &'static Row> {
    SERVICES.iter().copied().flatten()
}

const SERVICES: [&[Row]; 13] = [
    every_service::ROWS,
    cloudformation::ROWS,
    ec2::ROWS,
    lambda::ROWS,
    api_gateway::ROWS,
    rds::ROWS,
    s3::ROWS,
    secrets_manager::ROWS,
    ssm::ROWS,
    cloudwatch::ROWS,
    sts::ROWS,
    kms::ROWS,
    ecr::ROWS,
];

const fn property(resource_type: &'static str, path: &'static str, when: When) -> Property {
    Property {
        resource_type,
        path,
        when,
    }
}
