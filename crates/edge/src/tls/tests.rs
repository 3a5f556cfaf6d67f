use std::time::{Duration, SystemTime};

use super::fixture::{Folder, Made};
use tokio::sync::Notify;

use super::*;

const DAY: Duration = Duration::from_secs(86_400);

fn complaint(folder: &Folder) -> String {
    Identity::load(&folder.files())
        .expect_err("it cannot be used")
        .to_string()
}

#[test]
fn complaints_name_the_setting_and_the_file() {
    let folder = Folder::new();
    let missing = complaint(&folder);
    assert!(missing.starts_with("TLS_CERT_FILE: cannot read `"), "{missing}");
    assert!(missing.contains("certificate.pem"), "{missing}");

    let (good, other) = (Made::new("a.test"), Made::new("b.test"));
    folder.put(&good);
    Identity::load(&folder.files()).expect("both are well");

    folder.write("key.pem", &other.key);
    let mismatch = complaint(&folder);
    assert!(mismatch.starts_with("TLS_KEY_FILE: the key in `"), "{mismatch}");
    assert!(
        mismatch.contains("does not belong to the certificate"),
        "{mismatch}"
    );

    folder.write("key.pem", &good.certificate);
    let no_key = complaint(&folder);
    assert!(
        no_key.contains("key.pem` holds no usable private key"),
        "{no_key}"
    );

    folder.put(&Made {
        certificate: good.key.clone(),
        key: good.key.clone(),
    });
    let no_certificate = complaint(&folder);
    assert!(
        no_certificate.contains("certificate.pem` holds no certificate"),
        "{no_certificate}"
    );
    for text in [missing, mismatch, no_key, no_certificate] {
        assert!(!text.contains("BEGIN PRIVATE"), "{text}");
    }
}

#[test]
fn an_identity_knows_when_it_is_good() {
    // Certificates count whole seconds.
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
    let made = Made::between("a.test", now - DAY, now + 90 * DAY).identity();
    let validity = made.validity();
    assert_eq!(validity.at(now), Standing::Good(90 * DAY));
    assert_eq!(validity.at(now - 2 * DAY), Standing::NotYet(DAY));
    assert_eq!(validity.at(now + 80 * DAY), Standing::EndsSoon(10 * DAY));
    assert_eq!(validity.at(now + 91 * DAY), Standing::Ended(DAY));
    assert!(is_for(made.certificate(), "a.test") && !is_for(made.certificate(), "b.test"));
}

#[test]
fn addresses_are_names_too() {
    for (name, other) in [("192.0.2.7", "192.0.2.8"), ("2001:db8::1", "2001:db8::2")] {
        let made = Made::new(name).identity();
        assert!(is_for(made.certificate(), name), "{name}");
        assert!(!is_for(made.certificate(), other), "{other}");
    }
    let bracketed = Made::new("2001:db8::1").identity();
    assert!(is_for(bracketed.certificate(), "[2001:db8::1]"));
    assert!(!is_for(bracketed.certificate(), "not a name"));
}

/// What a look saw, as a word.
fn word(seen: &Seen) -> &'static str {
    match seen {
        Seen::Nothing => "nothing",
        Seen::Half => "half",
        Seen::New(_) => "new",
        Seen::Broken(_) => "broken",
    }
}

#[test]
fn a_change_is_seen_once_and_half_a_change_is_waited_for() {
    use Occasion::{Asked, Interval};
    let folder = Folder::new();
    let (first, second) = (Made::new("first.test"), Made::new("second.test"));
    folder.put(&first);
    let mut watch = Watch::new(folder.files());
    let mut look = |occasion| watch.look(occasion);
    assert_eq!(word(&look(Interval)), "nothing");
    assert_eq!(word(&look(Asked)), "nothing");

    // The certificate comes, then its key.
    folder.write("certificate.pem", &second.certificate);
    assert_eq!(word(&look(Interval)), "half");
    folder.write("key.pem", &second.key);
    let Seen::New(identity) = look(Interval) else {
        panic!("the pair is complete");
    };
    assert!(is_for(identity.certificate(), "second.test"));
    assert_eq!(word(&look(Interval)), "nothing");

    // What stays wrong is told once, by file.
    folder.write("key.pem", "rubbish");
    assert_eq!(word(&look(Interval)), "half");
    let Seen::Broken(error) = look(Interval) else {
        panic!("it is still so");
    };
    assert!(error.to_string().contains("key.pem"), "{error}");
    assert_eq!(word(&look(Interval)), "nothing");
    // Somebody who asks wants to know.
    assert_eq!(word(&look(Asked)), "broken");

    std::fs::remove_file(folder.files().certificate).expect("it was there");
    assert_eq!(word(&look(Asked)), "broken");
    folder.put(&first);
    assert_eq!(word(&look(Interval)), "new");
}

#[tokio::test(start_paused = true)]
async fn a_server_follows_its_files_and_keeps_what_works() {
    let folder = Folder::new();
    folder.put(&Made::new("first.test"));
    let tls = Tls::new(Identity::load(&folder.files()).expect("both are well"));
    let shows = |name: &str| is_for(tls.identity().certificate(), name);
    let ask = Arc::new(Notify::new());
    let keeping = tokio::spawn(keep_fresh(tls.clone(), folder.files(), Arc::clone(&ask)));
    tokio::time::sleep(Duration::from_secs(7)).await;
    assert!(shows("first.test"));
    folder.put(&Made::new("second.test"));
    // Looking takes the time files take, which this clock does not know.
    while !shows("second.test") {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    folder.write("certificate.pem", "rubbish");
    ask.notify_one();
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(shows("second.test"), "what works stays");
    folder.put(&Made::new("third.test"));
    ask.notify_one();
    while !shows("third.test") {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    keeping.abort();
}

#[test]
fn nothing_secret_is_shown() {
    let made = Made::new("a.test");
    let identity = made.identity();
    let shown = format!("{identity:?} {:?}", Tls::new(identity.clone()));
    let key = made.key.lines().nth(1).expect("a key in lines");
    assert!(!shown.contains(key) && !shown.contains("PRIVATE"), "{shown}");
}
