//! Sending lines in batches, and what became of them.

use serde_json::{Value, json};

use super::batches::{over, results};
use crate::support::{Answer, TestApp, Token};

impl TestApp {
    /// Sends lines as one batch.
    pub async fn send_lines(&self, token: &Token, lines: &[Value]) -> Answer {
        let body = json!({ "lines": lines });
        let sent = self.post_once("/v1/registration-batches", token, body);
        sent.await.expect(202)
    }

    /// The result of every line of a batch that was sent, once it is over.
    pub async fn results(&self, token: &Token, sent: Answer) -> Vec<Value> {
        let batch = over(self, token, sent).await;
        results(self, token, &batch).await
    }
}
