//! Turns a project file into a CloudFormation template and a cloud assembly: the same input, the same bytes.
//!
//! Knows neither the network, nor credentials, nor the clock.
