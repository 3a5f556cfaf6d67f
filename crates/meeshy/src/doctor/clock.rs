//! Is it as late here as elsewhere? Tokens and TURN credentials carry times.

use std::time::{Duration, SystemTime};

use super::finding::Finding;
use super::{Patient, ask, database};
use crate::ask::Server;

const NAME: &str = "clock";
/// More than this is worth a word; dates of HTTP count whole seconds.
const NOTABLE: Duration = Duration::from_secs(5);
/// More than this breaks calls: tokens for media nodes live for a minute (contract §1.2).
const BROKEN: Duration = Duration::from_secs(30);

pub(super) async fn look(patient: &Patient) -> Vec<Finding> {
    let mut findings = Vec::new();
    let nodes = patient.gateway.iter().flat_map(|gateway| &gateway.nodes.urls);
    let servers: Vec<Server> = patient
        .url
        .iter()
        .cloned()
        .chain(nodes.filter_map(|url| Server::of(url).ok()))
        .collect();
    for server in servers {
        let begun = SystemTime::now();
        // Whether it answers at all is told elsewhere.
        let Ok(answer) = ask(&server, "/health").await else {
            continue;
        };
        let Some(there) = answer.header("date").and_then(date) else {
            continue;
        };
        findings.push(judge(&server.authority(), there, middle(begun)));
    }
    if let Some(gateway) = &patient.gateway {
        let begun = SystemTime::now();
        if let Ok(Some(there)) = store::server_time(&gateway.database.url, database::options()).await {
            findings.push(judge("the database", there, middle(begun)));
        }
    }
    if findings.is_empty() {
        findings.push(Finding::ok(NAME, "no other clock was at hand; --url names one"));
    }
    findings
}

/// The answer was written about half way between question and answer.
fn middle(begun: SystemTime) -> SystemTime {
    begun + begun.elapsed().unwrap_or_default() / 2
}

fn judge(whose: &str, there: SystemTime, here: SystemTime) -> Finding {
    let (apart, how) = match there.duration_since(here) {
        Ok(ahead) => (ahead, "behind"),
        Err(behind) => (behind.duration(), "ahead of"),
    };
    let remedy = "run a time service (systemd-timesyncd, chrony) on both machines";
    if apart < NOTABLE {
        return Finding::ok(NAME, format!("this clock and that of {whose} agree"));
    }
    let message = format!("this clock is {} s {how} that of {whose}", apart.as_secs());
    if apart < BROKEN {
        Finding::warning(NAME, message).remedy(remedy)
    } else {
        Finding::problem(NAME, format!("{message}: tokens are refused")).remedy(remedy)
    }
}

/// A date of HTTP (RFC 9110 §5.6.7), in the form every server writes: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn date(text: &str) -> Option<SystemTime> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let mut words = text.split_once(", ")?.1.split(' ');
    let day: i64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = i64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let year: i64 = words.next()?.parse().ok()?;
    let mut clock = words.next()?.split(':').map(|number| number.parse::<i64>().ok());
    let (hours, minutes, seconds) = (clock.next()??, clock.next()??, clock.next()??);
    // Days since 1970 of a Gregorian date, with years that begin in March.
    let (shifted_year, shifted_month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * shifted_year + shifted_year.div_euclid(4) - shifted_year.div_euclid(100)
        + shifted_year.div_euclid(400)
        + (153 * shifted_month + 2) / 5
        + day
        - 1
        - 719_468;
    let seconds = u64::try_from(days * 86_400 + hours * 3600 + minutes * 60 + seconds).ok()?;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn dates_are_read() {
        let seconds = |text| {
            date(text)
                .and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok())
                .map(|time| time.as_secs())
        };
        // RFC 9110 §5.6.7.
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        assert_eq!(seconds("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(seconds("Thu, 29 Feb 2024 23:59:59 GMT"), Some(1_709_251_199));
        for wrong in ["", "yesterday", "Sun, 06 Nov", "Sun, xx Nov 1994 08:49:37 GMT"] {
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn clocks_that_disagree_are_a_problem() {
        let here = SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
        let verdict = |there| judge("x", there, here).verdict;
        assert_eq!(verdict(here + Duration::from_secs(4)), Verdict::Ok);
        assert_eq!(verdict(here - Duration::from_secs(10)), Verdict::Warning);
        assert_eq!(verdict(here + Duration::from_secs(60)), Verdict::Problem);
        let behind = judge("x", here + Duration::from_secs(60), here);
        assert!(behind.message.contains("60 s behind"), "{behind}");
    }
}
