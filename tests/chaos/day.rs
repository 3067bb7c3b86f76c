//! A dealer's day: what holds of a batch while whoever works through it is killed again and again, and of those who write beside it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::client::client;
use crate::cluster::Server;
use crate::dice::Dice;
use crate::instance::{self, Instance, Settings};
use crate::lines::Day;
use crate::load::Callers;
use crate::rows::Rows;
use crate::{count, dealer, is_wanted, pause};

/// As many as a batch may have.
const LINES: usize = 10_000;
/// After how many chunks whoever works is killed.
const CHUNKS: i64 = 5;
/// The partner's events.
const OF_DEALER: &str = "events WHERE stream = 'ptn_0000000000007000800000000000012c'";

/// Instances on a database of their own: two on PostgreSQL, one on SQLite.
struct Shop {
    instances: Vec<Instance>,
    database: String,
    rows: Rows,
    callers: Callers,
    is_postgres: bool,
    _server: Option<Server>,
}

/// The URL of a user of the database's, by whom the transactions of one instance are found.
fn as_user(server: &Server, n: usize) -> String {
    let user = format!("instance_{n}");
    Rows::open(&server.url()).run(&format!("CREATE ROLE {user} SUPERUSER LOGIN"));
    server.url().replacen("postgres@", &format!("{user}@"), 1)
}

impl Shop {
    async fn open() -> Self {
        let settings = Settings::shared();
        let server = is_wanted().then(Server::create);
        let urls = match &server {
            Some(server) => (0..2).map(|n| as_user(server, n)).collect(),
            None => vec![format!("sqlite://{}", settings.path("day.db").display())],
        };
        let instances: Vec<Instance> = urls
            .iter()
            .map(|url| Instance::start(&settings, url))
            .collect();
        for instance in &instances {
            instance.ready(instance::START).await;
        }
        let callers = Callers::of(instances.iter().map(Instance::url));
        dealer::prepare(&callers).await;
        Self {
            rows: Rows::open(&urls[0]),
            database: urls[0].clone(),
            instances,
            callers,
            is_postgres: server.is_some(),
            _server: server,
        }
    }

    /// The instance that is in the middle of a chunk: it holds the batch.
    fn at_work(&mut self) -> Option<usize> {
        if !self.is_postgres {
            return Some(0);
        }
        let holders = self.rows.lines(
            "SELECT substr(a.usename, 10) AS line FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
             WHERE l.relation = 'registration_batches'::regclass AND l.mode = 'RowShareLock' AND l.granted",
        );
        holders.iter().find_map(|number| number.parse().ok())
    }

    /// Kills whoever works at every fifth chunk of what is sent, until all of it is done; how often.
    async fn kill_at_every_fifth_chunk(&mut self) -> usize {
        let from = "registration_batches WHERE status IN ('queued', 'running')";
        let (mut killed, begun) = (0, Instant::now());
        let mut next = self.rows.number("max(version)", from) + CHUNKS;
        loop {
            if self.rows.number("count(*)", from) == 0 {
                return killed;
            }
            if self.rows.number("max(version)", from) >= next
                && let Some(n) = self.at_work()
            {
                self.instances[n].kill();
                killed += 1;
                // Its lease ends at once, where else it takes a minute, and the pauses of a job that has killed many do not count.
                self.rows.run(
                    "UPDATE jobs SET leased_until = '2020-01-01T00:00:00.000000Z', attempts = 1 WHERE state = 'running' AND queue = 'batches'",
                );
                self.instances[n].start_again();
                self.instances[n].ready(instance::START).await;
                next = self.rows.number("max(version)", from) + CHUNKS;
            }
            assert!(begun.elapsed() < Duration::from_secs(900), "no end");
            pause(5).await;
        }
    }

    /// Everything that counts: products, entries, registrations and what was told of them.
    fn tallies(&mut self) -> Vec<i64> {
        let mut tallies: Vec<i64> = ["products", "points_entries", "registrations", "mails"]
            .iter()
            .map(|table| self.rows.number("count(*)", table))
            .collect();
        for kind in ["product.%", "points.%", "registration.%"] {
            let from = format!("events WHERE type LIKE '{kind}'");
            tallies.push(self.rows.number("count(*)", &from));
        }
        tallies
    }

    async fn all_is_numbered(&mut self) {
        for _ in 0..1800 {
            if self.rows.number("count(*)", "event_inbox") == 0 {
                return;
            }
            pause(100).await;
        }
        panic!("events wait for their numbers");
    }

    /// Points and products of a customer.
    fn customer(&mut self, email: &str) -> (i64, BTreeMap<String, i64>) {
        let of = format!("JOIN accounts a ON a.id = x.account_id AND a.contact_email = '{email}'");
        let points = self
            .rows
            .number("sum(amount)", &format!("points_entries x {of}"));
        let statuses = self.rows.lines(&format!(
            "SELECT x.status || ' ' || CAST(count(*) AS TEXT) AS line FROM products x {of} GROUP BY x.status"
        ));
        let statuses = statuses.iter().map(|line| line.split_once(' ').unwrap());
        let statuses = statuses.map(|(status, count)| (status.to_owned(), count.parse().unwrap()));
        (points, statuses.collect())
    }

    /// Every number that somebody has is somebody's alone, and each award stands once.
    fn nothing_is_doubled(&mut self) {
        for twice in [
            "SELECT serial_key AS line FROM products WHERE holds_serial AND ended_at IS NULL AND serial_key IS NOT NULL
             GROUP BY model_id, serial_key HAVING count(*) > 1",
            "SELECT external_id AS line FROM registrations GROUP BY partner_id, external_id HAVING count(*) > 1",
            "SELECT CAST(product_id AS TEXT) AS line FROM points_entries WHERE kind = 'award' GROUP BY product_id HAVING count(*) > 1",
        ] {
            assert_eq!(self.rows.lines(twice), [""; 0], "{twice}");
        }
        if !self.is_postgres {
            // SQLite is one process's at a time.
            self.instances[0].kill();
        }
        for (command, right) in [
            ("verify-ledger", "Every balance is right"),
            ("verify-events", "Every event is as it was written"),
        ] {
            let (is_right, said) = self.instances[0].command(&[command]);
            assert!(is_right && said.contains(right), "{said}");
        }
    }

    /// The dealer's feed has no gap, and tells of every line in its order.
    async fn feed_tells(&mut self, day: &Day) {
        let feed = dealer::feed(&self.callers).await;
        let sequences: Vec<i64> = feed
            .iter()
            .map(|event| event["sequence"].as_i64().unwrap())
            .collect();
        let all = self.rows.number("count(*)", OF_DEALER);
        assert_eq!(sequences, (1..=all).collect::<Vec<i64>>());
        // What the sandbox begins with comes before the first batch.
        let of_day = feed
            .iter()
            .skip_while(|event| event["type"] != "batch.queued");
        let of_lines = of_day.filter_map(|event| {
            let kind = event["type"].as_str().unwrap();
            let id = event["data"]["external_id"].as_str();
            id.map(|id| (kind.to_owned(), id.to_owned()))
        });
        let of_lines: Vec<(String, String)> = of_lines.collect();
        assert!(of_lines == day.events, "the feed tells something else");
        for kind in ["batch.queued", "batch.completed"] {
            let of_batches = feed.iter().filter(|event| event["type"] == kind);
            assert_eq!(of_batches.count(), 2, "{kind}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dealers_day_comes_out_as_if_nobody_had_been_killed() {
    for seed in 0..count(1, 10) {
        a_day_comes_out(Dice::of(u64::try_from(seed).unwrap())).await;
    }
}

async fn a_day_comes_out(mut dice: Dice) {
    let mut shop = Shop::open().await;
    // SQLite does less at a time, and whoever works on it is killed more often.
    let lines = match shop.is_postgres {
        true => LINES,
        false => count(LINES / 2, LINES),
    };
    let day = Day::of(lines, &mut dice);
    let emails = day.customers();
    let before: Vec<_> = emails
        .iter()
        .map(|(email, ..)| shop.customer(email))
        .collect();
    let first = dealer::send(&shop.callers, &day.file(), "day-1").await;
    let killed = shop.kill_at_every_fifth_chunk().await;
    eprintln!("killed {killed} times");
    assert!(killed >= 1, "killed {killed} times");
    let batch = dealer::completed(&shop.callers, &first).await;
    let lines = i64::try_from(day.lines.len()).unwrap();
    assert_eq!(
        (&batch["lines"], &batch["done"]),
        (&lines.into(), &lines.into())
    );
    assert_eq!(batch["counts"], serde_json::json!(day.counts()));
    let came = dealer::results(&shop.callers, &first).await;
    assert_eq!(came.len(), day.lines.len());
    for (n, (result, wanted)) in came.iter().zip(&day.wanted).enumerate() {
        let number = i64::try_from(n + 1).unwrap();
        assert_eq!(
            (result.line, &result.came),
            (number, wanted),
            "{}",
            day.lines[n]
        );
    }
    for ((email, points, products), (points_before, products_before)) in emails.iter().zip(before) {
        let mut wanted = products_before;
        for (status, count) in products {
            *wanted.entry((*status).to_owned()).or_default() += count;
        }
        assert_eq!(
            shop.customer(email),
            (points_before + points, wanted),
            "{email}"
        );
    }
    shop.all_is_numbered().await;
    let tallies = shop.tallies();

    let second = dealer::send(&shop.callers, &day.file(), "day-2").await;
    dealer::completed(&shop.callers, &second).await;
    let again = dealer::results(&shop.callers, &second).await;
    assert_eq!(again.len(), came.len());
    for (again, before) in again.iter().zip(&came) {
        let wanted = dealer::LineResult {
            came: before.came.again(),
            ..before.clone()
        };
        assert_eq!(again, &wanted);
    }
    shop.all_is_numbered().await;
    assert_eq!(shop.tallies(), tallies);
    shop.feed_tells(&day).await;
    shop.callers.is_well();
    shop.nothing_is_doubled();
    for instance in &shop.instances {
        assert!(!instance.has_panicked(), "{}", instance.log());
    }
}

/// How many write beside a batch on SQLite, and how much longer they may wait than alone, on a machine of its own.
const WRITERS: usize = 20;
const LONGER: Duration = Duration::from_millis(100);

/// How long each of some registrations took, by `WRITERS` clients at once until `until` says so. None is told to come later.
async fn write_until(shop: &Shop, round: usize, until: impl AsyncFn() -> bool) -> Vec<Duration> {
    let token = dealer::customer(&shop.callers).await;
    let model = dealer::model(&shop.callers, &token).await;
    let client = client();
    let (mut taken, mut n) = (Vec::new(), 0);
    while !until().await {
        let writes = (0..WRITERS).map(|writer| {
            let serial = format!(
                "{}",
                600_000_000_000 + round * 1_000_000 + n * WRITERS + writer
            );
            let (path, body) = dealer::own(&model, &serial);
            let request = client.post(format!("{}{path}", shop.instances[0].url()));
            let request = request
                .bearer_auth(&token)
                .header("idempotency-key", serial);
            async move {
                let begun = Instant::now();
                let answer = request.json(&body).send().await.unwrap();
                let status = answer.status().as_u16();
                assert_eq!(status, 201, "{}", answer.text().await.unwrap());
                begun.elapsed()
            }
        });
        taken.extend(futures_util::future::join_all(writes).await);
        n += 1;
    }
    taken.sort();
    taken
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_write_beside_a_batch_on_sqlite_are_served() {
    if is_wanted() {
        return;
    }
    let mut shop = Shop::open().await;
    let rounds = std::sync::atomic::AtomicUsize::new(0);
    let enough =
        async || rounds.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= count(10, 100);
    let alone = write_until(&shop, 0, enough).await;
    let day = Day::of(count(LINES / 5, LINES), &mut Dice::of(10));
    let batch = dealer::send(&shop.callers, &day.file(), "beside").await;
    // Somebody reads for 5 seconds on one snapshot.
    shop.rows.run("BEGIN");
    shop.rows.number("count(*)", "products");
    let begun = Instant::now();
    let other = Rows::open(&shop.database);
    let rows = std::sync::Mutex::new(Some(std::mem::replace(&mut shop.rows, other)));
    let over = async || {
        if begun.elapsed() > Duration::from_secs(5) {
            // The snapshot ends with its connection.
            rows.lock().unwrap().take();
        }
        dealer::batch(&shop.callers, &batch).await["status"] == "completed"
    };
    let beside = write_until(&shop, 1, over).await;
    let p99 = |taken: &[Duration]| taken[taken.len() * 99 / 100];
    let (alone, beside) = (p99(&alone), p99(&beside));
    eprintln!("99 of 100 took at most {alone:?} alone, {beside:?} beside a batch");
    if crate::is_long() {
        assert!(
            beside < alone + LONGER,
            "{beside:?} beside, {alone:?} alone"
        );
    }
    shop.callers.is_well();
}
