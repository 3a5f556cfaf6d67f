//! What was found, and what to do about it.

use std::fmt;

use serde::Serialize;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// As it should be.
    Ok,
    /// Works, but not for everybody or not for long.
    Warning,
    /// Does not work.
    Problem,
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "PROBLEM",
        })
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// What was looked at: a name that stays the same from release to release.
    pub(crate) name: &'static str,
    /// How it is.
    pub(crate) verdict: Verdict,
    /// What was seen.
    pub(crate) message: String,
    /// What to change, and to what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remedy: Option<String>,
}

impl Finding {
    fn new(name: &'static str, verdict: Verdict, message: impl Into<String>) -> Self {
        Self {
            name,
            verdict,
            message: message.into(),
            remedy: None,
        }
    }

    pub(crate) fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, Verdict::Ok, message)
    }

    pub(crate) fn warning(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, Verdict::Warning, message)
    }

    pub(crate) fn problem(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, Verdict::Problem, message)
    }

    /// With what to change.
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:<8} {:<15} {}",
            self.verdict, self.name, self.message
        )?;
        match &self.remedy {
            Some(remedy) => write!(formatter, "\n{:<24} -> {remedy}", ""),
            None => Ok(()),
        }
    }
}

/// The worst of them.
pub(crate) fn worst(findings: &[Finding]) -> Verdict {
    findings
        .iter()
        .map(|finding| finding.verdict)
        .max()
        .unwrap_or(Verdict::Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_problem_outweighs_everything() {
        let mut findings = vec![Finding::ok("a", "")];
        assert_eq!(worst(&findings), Verdict::Ok);
        findings.push(Finding::problem("b", ""));
        findings.push(Finding::warning("c", ""));
        assert_eq!(worst(&findings), Verdict::Problem);
    }

    #[test]
    fn a_line_says_what_to_change() {
        let finding = Finding::problem("http.port", "taken").remedy("set PORT");
        let text = finding.to_string();
        assert!(text.starts_with("PROBLEM  http.port"), "{text}");
        assert!(text.ends_with("-> set PORT"), "{text}");
    }
}
