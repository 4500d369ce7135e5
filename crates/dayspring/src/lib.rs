//! What a Lambda function imports: dispatch, requests and responses, the database, and the migrator.
//!
//! Knows neither templates, nor the command line, nor the local cloud.
