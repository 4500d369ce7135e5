//! CloudFormation: templates, change sets, stacks, events, and the engine that provisions.
