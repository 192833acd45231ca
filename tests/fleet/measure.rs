//! What a phase took: rates, latencies, the collector's CPU and memory.

use std::fs;
use std::time::{Duration, Instant};

/// Linux counts CPU time of processes in hundredths of a second.
const TICKS_PER_S: f64 = 100.0;

/// A process's consumption so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Consumption {
    cpu_s: f64,
    /// Memory held now.
    pub(crate) resident_kib: u64,
    /// The most it ever held.
    pub(crate) peak_kib: u64,
}

impl Consumption {
    /// Read from `/proc/PID`; zeros when the process is gone.
    pub(crate) fn of(pid: u32) -> Self {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // Behind the name in parentheses, user and system time are the 12th and 13th field.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|it| it.parse::<f64>().ok()).unwrap_or(0.0);
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let kib = |name: &str| {
            let line = status.lines().find_map(|it| it.strip_prefix(name));
            line.and_then(|it| it.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
        };
        Self {
            cpu_s: (ticks(11) + ticks(12)) / TICKS_PER_S,
            resident_kib: kib("VmRSS:"),
            peak_kib: kib("VmHWM:"),
        }
    }
}

/// A phase under way.
#[derive(Debug)]
pub(crate) struct Phase {
    name: &'static str,
    pid: u32,
    before: Consumption,
    since: Instant,
}

impl Phase {
    pub(crate) fn begin(name: &'static str, pid: u32) -> Self {
        Self { name, pid, before: Consumption::of(pid), since: Instant::now() }
    }

    /// Prints the figures of what was done since the beginning.
    pub(crate) fn end(self, mut latencies: Vec<Duration>, refused: usize) {
        let elapsed_s = self.since.elapsed().as_secs_f64();
        let after = Consumption::of(self.pid);
        let cpu_s = after.cpu_s - self.before.cpu_s;
        latencies.sort_unstable();
        #[expect(clippy::cast_precision_loss, reason = "a count of calls")]
        let count = latencies.len() as f64;
        let at = |share: f64| percentile_ms(&latencies, share);
        println!(
            "{:<12} {count:>8} calls in {elapsed_s:>6.1} s  {:>8.0}/s  {:>8.0} per CPU second of the collector \
             ({cpu_s:.1} s)  p50 {:.1} ms  p95 {:.1} ms  p99 {:.1} ms  refused {refused}  RSS {} MiB (peak {} MiB)",
            self.name,
            count / elapsed_s.max(0.001),
            count / cpu_s.max(0.01),
            at(0.50),
            at(0.95),
            at(0.99),
            after.resident_kib / 1024,
            after.peak_kib / 1024,
        );
    }
}

fn percentile_ms(sorted: &[Duration], share: f64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an index"
    )]
    let at = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(0.0, |it| it.as_secs_f64() * 1000.0)
}
