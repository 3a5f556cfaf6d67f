//! Does Redis answer? Nothing uses it with one gateway, and the finding says so: it is looked at for those who have it
//! set already.

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::finding::Finding;
use super::{PATIENCE, Patient};

const NAME: &str = "redis";
const PORT: u16 = 6379;
const USE: &str = "one gateway needs no Redis, and nothing is kept there";

pub(super) async fn look(patient: &Patient) -> Option<Finding> {
    Some(judge(patient.redis_url.as_deref()?).await)
}

async fn judge(url: &str) -> Finding {
    let Some(place) = Place::of(url) else {
        return Finding::warning(NAME, "REDIS_URL is no redis://[user:password@]host[:port] URL")
            .remedy(format!("correct REDIS_URL, or unset it: {USE}"));
    };
    let address = (place.host.as_str(), place.port);
    match timeout(PATIENCE, ping(address, &place)).await {
        Ok(Ok(())) => Finding::ok(NAME, format!("{}:{} answers; {USE}", place.host, place.port)),
        Ok(Err(reason)) => Finding::warning(NAME, format!("{}:{}: {reason}", place.host, place.port))
            .remedy(format!("correct REDIS_URL, or unset it: {USE}")),
        Err(_) => Finding::warning(NAME, format!("{}:{} does not answer", place.host, place.port))
            .remedy(format!("start it, or unset REDIS_URL: {USE}")),
    }
}

/// Where it is, and who we are there.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    host: String,
    port: u16,
    user: Option<String>,
    password: Option<String>,
}

impl Place {
    fn of(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("redis://")?;
        let rest = rest.split(['/', '?']).next()?;
        let (account, place) = rest
            .rsplit_once('@')
            .map_or((None, rest), |(account, place)| (Some(account), place));
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (place, PORT),
        };
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (user, password) = account
            .and_then(|account| account.split_once(':'))
            .unwrap_or_default();
        Some(Self {
            host: text(host)?,
            port,
            user: text(user),
            password: text(password),
        })
    }
}

/// Logs in and asks for a word, in the protocol's array form.
async fn ping(address: (&str, u16), place: &Place) -> Result<(), String> {
    let stream = TcpStream::connect(address)
        .await
        .map_err(|error| error.kind().to_string())?;
    let mut stream = BufReader::new(stream);
    if let Some(password) = &place.password {
        let words: Vec<&str> = [Some("AUTH"), place.user.as_deref(), Some(password.as_str())]
            .into_iter()
            .flatten()
            .collect();
        if !command(&mut stream, &words).await?.starts_with("+OK") {
            return Err("it does not accept the password".to_owned());
        }
    }
    match command(&mut stream, &["PING"]).await? {
        answer if answer.starts_with("+PONG") => Ok(()),
        answer if answer.starts_with("-NOAUTH") => Err("it wants a password".to_owned()),
        _ => Err("what answers is no Redis".to_owned()),
    }
}

async fn command(stream: &mut BufReader<TcpStream>, words: &[&str]) -> Result<String, String> {
    let mut text = format!("*{}\r\n", words.len());
    for word in words {
        text.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    let failed = |error: std::io::Error| error.kind().to_string();
    stream.write_all(text.as_bytes()).await.map_err(failed)?;
    let mut line = String::new();
    stream.read_line(&mut line).await.map_err(failed)?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::super::finding::Verdict;
    use super::*;

    /// A server that gives these answers, one to each command; its URL's place and what it was told.
    async fn answering(answers: &'static [&'static str]) -> (u16, tokio::task::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let told = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("somebody comes");
            let mut stream = BufReader::new(stream);
            let mut told = String::new();
            for answer in answers {
                let mut head = String::new();
                stream.read_line(&mut head).await.expect("a command");
                let words: usize = head.trim_start_matches('*').trim().parse().expect("a count");
                for _ in 0..2 * words {
                    stream.read_line(&mut told).await.expect("a word");
                }
                stream.write_all(answer.as_bytes()).await.expect("it reads");
            }
            told
        });
        (port, told)
    }

    #[tokio::test]
    async fn an_answer_is_told_from_a_refusal_and_from_silence() {
        let (port, _) = answering(&["+PONG\r\n"]).await;
        assert_eq!(
            judge(&format!("redis://127.0.0.1:{port}/0")).await.verdict,
            Verdict::Ok
        );
        let (port, _) = answering(&["-NOAUTH Authentication required.\r\n"]).await;
        let refused = judge(&format!("redis://127.0.0.1:{port}")).await;
        assert!(refused.message.contains("wants a password"), "{refused}");
        let (port, told) = answering(&["+OK\r\n", "+PONG\r\n"]).await;
        assert_eq!(
            judge(&format!("redis://:sesame@127.0.0.1:{port}")).await.verdict,
            Verdict::Ok
        );
        let told = told.await.expect("no panic");
        assert!(told.contains("AUTH\r\n$6\r\nsesame\r\n"), "{told}");
        let (port, _) = answering(&["-WRONGPASS\r\n"]).await;
        let refused = judge(&format!("redis://u:sesame@127.0.0.1:{port}")).await;
        assert_eq!(refused.verdict, Verdict::Warning);
        assert!(!refused.to_string().contains("sesame"), "{refused}");
        let closed = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port")
            .local_addr()
            .expect("bound");
        assert_eq!(
            judge(&format!("redis://{closed}")).await.verdict,
            Verdict::Warning
        );
        assert_eq!(judge("http://example.org").await.verdict, Verdict::Warning);
    }
}
