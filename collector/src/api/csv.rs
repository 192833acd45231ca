//! Cells of exported lists.

/// A cell that a spreadsheet will not run: text that begins like a formula gets an apostrophe before it.
pub fn csv_cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_name_that_is_a_formula_is_only_text() {
        for text in ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(csv_cell(text), format!("'{text}"));
        }
        assert_eq!(csv_cell("PC-01 = mine"), "PC-01 = mine");
    }
}
