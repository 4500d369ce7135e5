//! AWS's wire protocols: how a request names its operation and its input, and how answers and errors are written.
