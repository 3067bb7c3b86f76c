//! What the service answers while somebody listens: every answer that one task is given, with what it asked for.

use std::cell::RefCell;

use reqwest::{Method, Request};

use crate::support::Answer;

/// One answer, with what was asked.
#[derive(Debug, Clone)]
pub struct Heard {
    pub method: Method,
    pub path: String,
    pub answer: Answer,
}

tokio::task_local! {
    static HEARD: RefCell<Vec<Heard>>;
}

/// Runs `work`; everything that it was answered, in order.
pub async fn hear(work: impl Future<Output = ()>) -> Vec<Heard> {
    let heard = RefCell::default();
    let listening = HEARD.scope(heard, async {
        work.await;
        HEARD.with(RefCell::take)
    });
    listening.await
}

/// What a request asks for: its method and path.
pub fn asked(request: &Request) -> (Method, String) {
    (request.method().clone(), request.url().path().to_owned())
}

/// Keeps an answer, where somebody listens.
pub fn note((method, path): (Method, String), answer: &Answer) {
    let answer = answer.clone();
    let heard = Heard {
        method,
        path,
        answer,
    };
    // Most tests ask without a listener.
    let _ = HEARD.try_with(|all| all.borrow_mut().push(heard));
}
