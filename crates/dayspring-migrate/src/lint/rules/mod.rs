//! The rules, a file each.

mod account;
mod add_check;
mod add_column_copies;
mod add_foreign_key;
mod add_unique;
mod allow_without_reason;
mod blocking_index;
mod change_type;
mod column_position;
mod convert_charset;
mod copies_table;
mod definer;
mod display_width;
mod drop_and_add_column;
mod drop_column;
mod drop_constraint;
mod drop_database;
mod drop_index;
mod drop_partition;
mod drop_table;
mod enum_members;
mod float_money;
mod forbidden_statement;
mod foreign_key_mismatch;
mod inline_references;
mod long_change;
mod long_statement;
mod mariadb_collation;
mod mariadb_comment;
mod mariadb_compound;
mod mariadb_default;
mod mariadb_if_exists;
mod mariadb_ignored_index;
mod mariadb_only;
mod mariadb_or_replace;
mod mariadb_persistent;
mod mariadb_returning;
mod mariadb_sequence;
mod mariadb_set_statement;
mod mariadb_type;
mod mariadb_versioning;
mod mariadb_wait;
mod mixed_alter;
mod mixed_script;
mod modify_forgets;
mod narrow_type;
mod no_algorithm;
mod no_primary_key;
mod not_innodb;
mod not_null_without_default;
mod prelude;
mod redundant_index;
mod rename_column;
mod rename_table;
mod reserved_word;
mod row_versions;
mod server_setting;
mod session_state;
mod set_not_null;
mod small_id;
mod transaction_control;
mod truncate;
mod unbounded_rows;
mod undecidable;
mod unknown_rule;
mod unnamed_constraint;
mod unused_allow;
mod utf8mb3;
mod varchar_over_255_bytes;
mod zero_date;

use super::rule::Rule;

pub(super) use allow_without_reason::RULE as ALLOW_WITHOUT_REASON;
pub(super) use unknown_rule::RULE as UNKNOWN_RULE;
pub(super) use unused_allow::RULE as UNUSED_ALLOW;

/// All rules, by their codes.
pub(super) static ALL: &[&Rule] = &[
    &drop_table::RULE,
    &drop_column::RULE,
    &truncate::RULE,
    &drop_database::RULE,
    &rename_table::RULE,
    &narrow_type::RULE,
    &change_type::RULE,
    &varchar_over_255_bytes::RULE,
    &set_not_null::RULE,
    &not_null_without_default::RULE,
    &add_column_copies::RULE,
    &column_position::RULE,
    &row_versions::RULE,
    &no_algorithm::RULE,
    &mixed_alter::RULE,
    &add_unique::RULE,
    &add_foreign_key::RULE,
    &drop_constraint::RULE,
    &add_check::RULE,
    &inline_references::RULE,
    &unnamed_constraint::RULE,
    &convert_charset::RULE,
    &not_innodb::RULE,
    &no_primary_key::RULE,
    &small_id::RULE,
    &drop_index::RULE,
    &redundant_index::RULE,
    &enum_members::RULE,
    &session_state::RULE,
    &mixed_script::RULE,
    &unbounded_rows::RULE,
    &long_statement::RULE,
    &undecidable::RULE,
    &drop_and_add_column::RULE,
    &server_setting::RULE,
    &zero_date::RULE,
    &transaction_control::RULE,
    &long_change::RULE,
    &rename_column::RULE,
    &definer::RULE,
    &account::RULE,
    &foreign_key_mismatch::RULE,
    &forbidden_statement::RULE,
    &modify_forgets::RULE,
    &float_money::RULE,
    &utf8mb3::RULE,
    &display_width::RULE,
    &blocking_index::RULE,
    &drop_partition::RULE,
    &copies_table::RULE,
    &mariadb_returning::RULE,
    &mariadb_sequence::RULE,
    &mariadb_or_replace::RULE,
    &mariadb_if_exists::RULE,
    &mariadb_type::RULE,
    &mariadb_default::RULE,
    &mariadb_ignored_index::RULE,
    &mariadb_set_statement::RULE,
    &reserved_word::RULE,
    &mariadb_comment::RULE,
    &mariadb_wait::RULE,
    &mariadb_versioning::RULE,
    &mariadb_collation::RULE,
    &mariadb_compound::RULE,
    &mariadb_persistent::RULE,
    &mariadb_only::RULE,
    &allow_without_reason::RULE,
    &unknown_rule::RULE,
    &unused_allow::RULE,
];
