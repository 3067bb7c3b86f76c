//! What holds while instances are killed, databases restart and fail over, and the network between them is bad.
//!
//! On PostgreSQL servers of its own, where `TEST_DATABASE_URL` is set; a dealer's day also on SQLite. `CPS_CHAOS=long` runs ten times as much.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "../common/client.rs"]
mod client;
mod cluster;
mod day;
mod dealer;
#[path = "../common/dice.rs"]
mod dice;
mod instance;
mod journey;
mod lines;
mod load;
#[path = "../common/proxy.rs"]
mod proxy;
mod rows;
mod truth;

use std::time::{Duration, Instant};

use cluster::Server;
use dice::Dice;
use instance::{Instance, Settings};
use load::{Callers, Load};
use proxy::{End, Proxy, Weather, server_of};

/// How long the database may be back before an instance is ready again, on a machine of its own.
const READY: Duration = Duration::from_secs(2);

fn is_wanted() -> bool {
    std::env::var_os("TEST_DATABASE_URL").is_some()
}

fn is_long() -> bool {
    std::env::var("CPS_CHAOS").is_ok_and(|word| word == "long")
}

/// `short` in CI, `long` where it is asked for.
fn count(short: usize, long: usize) -> usize {
    if is_long() { long } else { short }
}

/// `limit`, as it is held on this machine: CI's is shared.
fn slack(limit: Duration) -> Duration {
    limit * if is_long() { 1 } else { 3 }
}

async fn pause(milliseconds: usize) {
    let milliseconds = u64::try_from(milliseconds).unwrap();
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy)]
enum Blow {
    Kill,
    Restart,
    Net,
}

/// `kills` and `restarts`, with bad weather between them, in the order of the dice.
fn blows(dice: &mut Dice, kills: usize, restarts: usize) -> Vec<Blow> {
    let mut blows = [
        vec![Blow::Kill; kills],
        vec![Blow::Restart; restarts],
        vec![Blow::Net; kills],
    ]
    .concat();
    for n in (1..blows.len()).rev() {
        blows.swap(n, dice.below(n + 1));
    }
    blows
}

struct Stage {
    server: Server,
    proxies: Vec<Proxy>,
    instances: Vec<Instance>,
}

impl Stage {
    fn set() -> Self {
        let server = Server::create();
        let url = server.url();
        let proxies: Vec<Proxy> = (0..2).map(|_| Proxy::before(server_of(&url))).collect();
        let settings = Settings::shared();
        let instances = proxies
            .iter()
            .map(|proxy| Instance::start(&settings, &proxy.url(&url)))
            .collect();
        Self {
            server,
            proxies,
            instances,
        }
    }

    async fn all_ready(&self, within: Duration) {
        for instance in &self.instances {
            instance.ready(within).await;
        }
    }

    async fn strike(&mut self, blow: Blow, dice: &mut Dice) {
        let n = dice.below(2);
        match blow {
            Blow::Kill => {
                self.instances[n].kill();
                pause(dice.below(101)).await;
                self.instances[n].start_again();
                self.instances[n].ready(instance::START).await;
            }
            Blow::Restart => {
                self.server.restart_at_once();
                self.all_ready(slack(READY)).await;
            }
            Blow::Net => {
                let proxy = &self.proxies[n];
                let end = if dice.below(2) == 0 {
                    End::Cut
                } else {
                    End::Reset
                };
                let weather = [Weather::Forward, Weather::Stall, Weather::Refuse][dice.below(3)];
                proxy.set(weather);
                if weather != Weather::Stall || dice.below(2) == 0 {
                    proxy.end_all(end);
                }
                pause(dice.below(401)).await;
                proxy.set(Weather::Forward);
                self.instances[n].ready(slack(READY)).await;
            }
        }
        pause(dice.below(201)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_or_doubled_while_everything_breaks() {
    if !is_wanted() {
        return;
    }
    let mut dice = Dice::of(6);
    let mut stage = Stage::set();
    stage.all_ready(instance::START).await;
    let load = Load::on(Callers::of(stage.instances.iter().map(Instance::url)));
    load.watch_reads();
    for blow in blows(&mut dice, count(30, 300), count(10, 50)) {
        stage.strike(blow, &mut dice).await;
        load.is_well();
    }
    let told = load.end().await;
    eprintln!("{} journeys", told.len());
    assert!(told.len() >= count(3, 30), "only {} journeys", told.len());
    truth::holds(&stage.server.url(), &told, &stage.instances[0]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_in_a_failover() {
    if !is_wanted() {
        return;
    }
    let mut dice = Dice::of(7);
    let mut primary = Server::create();
    let mut standby = primary.standby();
    let url = primary.url_with(&standby);
    let settings = Settings::shared();
    let instances: Vec<Instance> = (0..2).map(|_| Instance::start(&settings, &url)).collect();
    for instance in &instances {
        instance.ready(instance::START).await;
    }
    let load = Load::on(Callers::of(instances.iter().map(Instance::url)));
    for round in 0..count(1, 20) {
        if round > 0 {
            let rebuilt = standby.standby_at(primary.port());
            primary = std::mem::replace(&mut standby, rebuilt);
        }
        pause(2500 + dice.below(1501)).await;
        primary.kill();
        standby.promote();
        let begun = Instant::now();
        for instance in &instances {
            instance.ready(instance::START).await;
        }
        eprintln!("failover {round}: ready after {:?}", begun.elapsed());
        load.is_well();
        pause(2000).await;
    }
    let told = load.end().await;
    assert!(!told.is_empty());
    truth::holds(&standby.url(), &told, &instances[0]).await;
}
