//! A thousand random lives of a ticket, measured twice: by the package, and here minute by minute with a calendar, a
//! change of clock and a list of holidays written down by hand.

use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;

use crate::{Calendar, ClockKind, Exceptions, Facts, History, Holidays, Moment, Stage, wanted};

/// 2024-01-01, in days since 1970.
const FIRST_DAY: i64 = 19_723;
const YEARS: [(i64, [i64; 12]); 5] = [
    (2024, [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]),
    (2025, [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]),
    (2026, [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]),
    (2027, [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]),
    (2028, [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]),
];
/// Days on which the clock goes forward and back in France, at 01:00 UTC.
const SUMMERS: [(&str, &str); 4] = [
    ("2024-03-31", "2024-10-27"),
    ("2025-03-30", "2025-10-26"),
    ("2026-03-29", "2026-10-25"),
    ("2027-03-28", "2027-10-31"),
];
const HOLIDAYS: [&str; 45] = [
    "2024-01-01",
    "2024-04-01",
    "2024-05-01",
    "2024-05-08",
    "2024-05-09",
    "2024-05-20",
    "2024-07-14",
    "2024-08-15",
    "2024-11-01",
    "2024-11-11",
    "2024-12-25",
    "2025-01-01",
    "2025-04-21",
    "2025-05-01",
    "2025-05-08",
    "2025-05-29",
    "2025-06-09",
    "2025-07-14",
    "2025-08-15",
    "2025-11-01",
    "2025-11-11",
    "2025-12-25",
    "2026-01-01",
    "2026-04-06",
    "2026-05-01",
    "2026-05-08",
    "2026-05-14",
    "2026-05-25",
    "2026-07-14",
    "2026-08-15",
    "2026-11-01",
    "2026-11-11",
    "2026-12-25",
    "2027-01-01",
    "2027-03-29",
    "2027-05-01",
    "2027-05-06",
    "2027-05-08",
    "2027-05-17",
    "2027-07-14",
    "2027-08-15",
    "2027-11-01",
    "2027-11-11",
    "2027-12-25",
    "2028-01-01",
];
/// Begins of interesting weeks: changes of the clock, ends of years, a May full of holidays.
const STARTS: [&str; 10] = [
    "2024-03-28",
    "2024-10-25",
    "2025-03-28",
    "2025-10-24",
    "2026-03-27",
    "2026-10-23",
    "2026-12-29",
    "2027-10-29",
    "2025-05-06",
    "2027-12-30",
];

/// The three services the lives are measured by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Office,
    Always,
    Night,
}

const SERVICES: [Service; 3] = [Service::Office, Service::Always, Service::Night];

/// What happens in a life.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Active,
    Hold { call_back: bool, resolution: bool },
    Resolved,
    Called,
    AwayFor(i64),
    Service(Service),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        3 => Just(Happening::Active),
        3 => any::<(bool, bool)>().prop_map(|(call_back, resolution)| Happening::Hold { call_back, resolution }),
        2 => Just(Happening::Resolved),
        1 => Just(Happening::Called),
        2 => (1_i64..4_000).prop_map(Happening::AwayFor),
        2 => select(&SERVICES[..]).prop_map(Happening::Service),
    ]
}

fn minute_of(day: &str) -> i64 {
    days().into_iter().zip(FIRST_DAY..).find(|it| it.0 == day).map_or(0, |it| it.1 * 1_440)
}

fn days() -> Vec<String> {
    let mut days = Vec::new();
    for (year, months) in YEARS {
        for (month, length) in months.iter().enumerate() {
            days.extend((1..=*length).map(|day| format!("{year}-{:02}-{day:02}", month + 1)));
        }
    }
    days
}

/// What is open, told by the wall clock alone.
struct Naive {
    summers: Vec<(i64, i64)>,
    holidays: Vec<i64>,
    christmas_eve: i64,
}

impl Naive {
    fn new() -> Self {
        let summers = SUMMERS.iter().map(|it| (minute_of(it.0) + 60, minute_of(it.1) + 60)).collect();
        let holidays = HOLIDAYS.iter().map(|it| minute_of(it) / 1_440).collect();
        Self { summers, holidays, christmas_eve: minute_of("2026-12-24") / 1_440 }
    }

    fn is_open(&self, service: Service, minute: i64) -> bool {
        let summer = self.summers.iter().any(|it| it.0 <= minute && minute < it.1);
        let local = minute + if summer { 120 } else { 60 };
        let (day, clock) = (local / 1_440, local % 1_440);
        let weekday = (day + 3) % 7;
        match service {
            Service::Always => true,
            Service::Office => {
                let morning = (480..720).contains(&clock);
                let afternoon = (780..1_080).contains(&clock) && day != self.christmas_eve;
                weekday < 5 && !self.holidays.contains(&day) && (morning || afternoon)
            }
            Service::Night => weekday != 2 && ((90..210).contains(&clock) || clock >= 1_320),
        }
    }
}

fn calendars() -> [Calendar; 3] {
    let calendar = |week: &str, holidays, exceptions: &str| {
        let exceptions: Exceptions = exceptions.parse().expect("exceptions");
        Calendar::new("Europe/Paris", week.parse().expect("a week"), holidays, exceptions)
            .expect("a calendar")
    };
    [
        calendar("mon-fri 08:00-12:00 13:00-18:00", Holidays::France, "2026-12-24 08:00-12:00 Christmas Eve"),
        calendar("mon-sun 00:00-24:00", Holidays::None, ""),
        calendar("mon-tue 01:30-03:30 22:00-24:00; thu-sun 01:30-03:30 22:00-24:00", Holidays::None, ""),
    ]
}

fn calendar_of(calendars: &[Calendar; 3], service: Service) -> &Calendar {
    match service {
        Service::Office => &calendars[0],
        Service::Always => &calendars[1],
        Service::Night => &calendars[2],
    }
}

fn moment(minute: i64) -> Moment {
    Moment(minute * 60_000_000)
}

/// A life: when it begins, what happens how many minutes after what happened before, how long it is watched after that.
#[derive(Clone, Debug)]
struct Life {
    begins: i64,
    steps: Vec<(i64, Happening)>,
    watched: i64,
}

fn life() -> impl Strategy<Value = Life> {
    let begins = prop_oneof![
        3 => select(&STARTS[..]).prop_map(minute_of),
        1 => minute_of("2024-01-01")..minute_of("2027-12-01"),
    ];
    let steps = prop::collection::vec((0_i64..3_000, happening()), 0..12);
    (begins, 0_i64..1_440, steps, 1_i64..6_000).prop_map(|(day, minute, steps, watched)| Life {
        begins: day + minute,
        steps,
        watched,
    })
}

fn apply(facts: &mut Facts, service: &mut Service, at: i64, happening: Happening) {
    match happening {
        Happening::Active => facts.stage = Stage::Active,
        Happening::Hold { call_back, resolution } => {
            facts.stage = Stage::Waiting { pauses_call_back: call_back, pauses_resolution: resolution };
        }
        Happening::Resolved => facts.stage = Stage::Ended,
        Happening::Called => facts.called = true,
        Happening::AwayFor(minutes) => facts.unavailable_until = Some(moment(at + minutes)),
        Happening::Service(next) => *service = next,
    }
}

const FRESH: Facts = Facts { stage: Stage::Active, called: false, unavailable_until: None };

/// The life as the package keeps it, and the minute at which watching ends.
fn kept(life: &Life, clock: ClockKind) -> (History<Service>, i64) {
    let (mut facts, mut service, mut at) = (FRESH, Service::Office, life.begins);
    let mut history = History::begin(moment(at), wanted(clock, &facts, moment(at)), &service);
    for (gap, happening) in &life.steps {
        at += gap;
        apply(&mut facts, &mut service, at, *happening);
        history.follow(moment(at), wanted(clock, &facts, moment(at)), &service);
    }
    (history, at + life.watched)
}

/// Counted minutes of the life, each by the minute after it.
fn counted(life: &Life, clock: ClockKind, naive: &Naive) -> Vec<i64> {
    let (mut facts, mut service) = (FRESH, Service::Office);
    let mut steps = life.steps.iter();
    let mut next = steps.next().map(|it| (life.begins + it.0, it.1));
    let end = life.begins + life.steps.iter().map(|it| it.0).sum::<i64>() + life.watched;
    let mut minutes = Vec::new();
    for minute in life.begins..end {
        while let Some((at, happening)) = next.filter(|it| it.0 == minute) {
            apply(&mut facts, &mut service, at, happening);
            next = steps.next().map(|it| (at + it.0, it.1));
        }
        let stopped = match (clock, facts.stage) {
            (_, Stage::Ended) => true,
            (_, Stage::Active) => false,
            (ClockKind::CallBack, Stage::Waiting { pauses_call_back, .. }) => pauses_call_back,
            (ClockKind::Resolution, Stage::Waiting { pauses_resolution, .. }) => pauses_resolution,
        };
        let away = facts.unavailable_until.is_some_and(|until| moment(minute) < until);
        let runs = !stopped && !(clock == ClockKind::CallBack && (facts.called || away));
        if runs && naive.is_open(service, minute) {
            minutes.push(minute + 1);
        }
    }
    minutes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_life_is_measured_as_by_hand(life in life(), target in 1_usize..3_000) {
        static NAIVE: LazyLock<Naive> = LazyLock::new(Naive::new);
        let (calendars, naive) = (calendars(), &*NAIVE);
        let of = |service: &Service| calendar_of(&calendars, *service);
        for clock in ClockKind::ALL {
            let (history, end) = kept(&life, clock);
            let minutes = counted(&life, clock, naive);
            let spent = history.spent(moment(end), of);
            prop_assert_eq!(spent, Duration::from_mins(u64::try_from(minutes.len()).expect("fits")), "{:?}", clock);
            let due = history.due(Duration::from_mins(u64::try_from(target).expect("fits")), of);
            match minutes.get(target - 1) {
                Some(minute) => prop_assert_eq!(due, Some(moment(*minute)), "{:?}", clock),
                None => prop_assert!(due.is_none_or(|it| it > moment(end)), "{:?}", clock),
            }
            prop_assert!(History::from_intervals(history.intervals().to_vec()).is_some());
        }
    }

    #[test]
    fn a_deadline_is_the_first_moment_at_which_the_time_is_spent(
        start in select(&STARTS[..]), second in 0_i64..400_000, micros in 0_i64..1_000_000, span_s in 1_u64..200_000,
    ) {
        let from = Moment(moment(minute_of(start)).0 + second * 1_000_000 + micros);
        let span = Duration::from_secs(span_s);
        for calendar in calendars() {
            let due = calendar.after(from, span).expect("open again");
            prop_assert_eq!(calendar.open_between(from, due), span);
            prop_assert!(calendar.open_between(from, Moment(due.0 - 1)) < span);
        }
    }
}
