//! The word that was probably meant.

use strsim::osa_distance;

/// The candidate within a third of `word`'s length in edits, of which a swap of neighbours is one; the nearest, and of equals
/// the first.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    let edits_max = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            let edits = osa_distance(&word.to_lowercase(), &candidate.to_lowercase());
            (edits, candidate)
        })
        .filter(|(edits, _)| *edits <= edits_max)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_word() {
        let known = ["capacity", "name", "engine_version"];
        assert_eq!(nearest("capactiy", known), Some("capacity"));
        assert_eq!(nearest("nmae", known), Some("name"));
        assert_eq!(nearest("GTE", ["GET", "PUT"]), Some("GET"));
    }

    #[test]
    fn a_different_word_finds_nothing() {
        assert_eq!(nearest("memory", ["name", "capacity"]), None);
    }
}
