//! The name that was probably meant.

use strsim::osa_distance;

/// The candidate within a third of the word's length in edits, of which a swap of neighbours is one; the nearest, and of equals
/// the first.
pub(super) fn nearest<'c>(
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
    fn a_slip_finds_its_name_and_another_word_finds_nothing() {
        let names = ["CidrBlock", "EnableDnsSupport", "Tags"];
        assert_eq!(nearest("CidrBlok", names), Some("CidrBlock"));
        assert_eq!(nearest("enableDNSSupport", names), Some("EnableDnsSupport"));
        assert_eq!(nearest("Tag", names), Some("Tags"));
        assert_eq!(nearest("VpcId", names), None);
    }
}
