//! Settled free space: ordinary use of a volume is no change, running full is. Pure.
//!
//! A volume's free space moves with every file. Reported as it is, each contact of each machine would
//! carry a change that nobody reads. So the reported value stays while the true one is inside a band
//! around it; the band is narrow where it matters, on a volume that is nearly full.

/// Half width of the band, percent of the volume.
const BAND_PERCENT: u64 = 5;
/// Below this much free space a volume counts as nearly full, percent.
const NEARLY_FULL_PERCENT: u64 = 10;
/// Half width of the band of a volume that is nearly full, percent.
const NEARLY_FULL_BAND_PERCENT: u64 = 1;

/// The value to report for a volume of `size_mib` with `free_mib` free, after `reported_mib` was
/// reported for the same size before.
pub fn free_mib(reported_mib: u64, free_mib: u64, size_mib: u64) -> u64 {
    let least = reported_mib.min(free_mib);
    let nearly_full = percent(size_mib, NEARLY_FULL_PERCENT) > least;
    let band = percent(size_mib, if nearly_full { NEARLY_FULL_BAND_PERCENT } else { BAND_PERCENT });
    if reported_mib.abs_diff(free_mib) > band { free_mib } else { reported_mib }
}

fn percent(size_mib: u64, percent: u64) -> u64 {
    size_mib / 100 * percent + size_mib % 100 * percent / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_use_is_no_change() {
        assert_eq!(free_mib(500, 549, 1000), 500);
        assert_eq!(free_mib(500, 450, 1000), 500);
    }

    #[test]
    fn leaving_the_band_reports_the_true_value() {
        assert_eq!(free_mib(500, 551, 1000), 551);
        assert_eq!(free_mib(500, 449, 1000), 449);
    }

    #[test]
    fn a_volume_that_runs_full_is_told_in_finer_steps() {
        assert_eq!(free_mib(120, 98, 1000), 98, "crossing into nearly full");
        assert_eq!(free_mib(98, 90, 1000), 98);
        assert_eq!(free_mib(98, 87, 1000), 87);
        assert_eq!(free_mib(90, 130, 1000), 130, "space was freed");
    }

    #[test]
    fn sizes_at_the_edge_do_not_overflow() {
        assert_eq!(free_mib(0, 0, 0), 0);
        assert_eq!(free_mib(0, u64::MAX, u64::MAX), u64::MAX);
    }
}
