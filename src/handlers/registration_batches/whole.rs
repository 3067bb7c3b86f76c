//! A batch as one JSON body: read at once, its lines by their place. Files that come line by line are in `reader`.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::lines::MOST_BYTES;
use super::reader::{NumberedLine, Whole, without_results};
use crate::domain::json;
use crate::domain::partner::DealerRules;
use crate::error::{Fault, FaultCode, Faults, Result};

/// What the body has around its lines; each line is judged by itself.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AnyLines {
    #[schema(min_items = 1)]
    lines: Vec<Value>,
}

/// The lines of a body, or every fault of what is around them.
pub fn lines_of(bytes: &[u8], rules: &DealerRules) -> Result<(Vec<NumberedLine>, Whole)> {
    let (body, mut faults) = json::read_body::<AnyLines>(json::of_bytes(bytes)?)?;
    let most = usize::try_from(rules.lines_per_batch).unwrap_or(usize::MAX);
    if body.lines.len() > most {
        faults.push(Fault::new("#/lines", FaultCode::TooMany).with("max", most));
    }
    let sent: Vec<NumberedLine> = (1..).zip(body.lines).map(numbered).collect();
    for line in sent.iter().filter(|line| is_too_long(line)) {
        let fault = Fault::new(format!("#/lines/{}", line.number), FaultCode::TooLong);
        faults.push(fault.with("max", MOST_BYTES));
    }
    let lines = sent.len();
    Faults::judge(faults, Some(sent)).map(|sent| {
        let columns = None;
        (sent, Whole { columns, lines })
    })
}

fn numbered((number, json): (i64, Value)) -> NumberedLine {
    NumberedLine {
        number,
        json: Ok(without_results(json)),
    }
}

fn is_too_long(line: &NumberedLine) -> bool {
    let text = line.json.as_ref().map(Value::to_string);
    text.is_ok_and(|text| text.len() > MOST_BYTES)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::Error;
    use crate::programme::{Programme, SHIPPED};

    fn read(body: &Value) -> Result<Vec<NumberedLine>, Vec<(String, FaultCode)>> {
        let rules = Programme::parse(SHIPPED).unwrap().dealers;
        match lines_of(body.to_string().as_bytes(), &rules) {
            Ok((sent, whole)) => {
                assert_eq!(whole.lines, sent.len());
                Ok(sent)
            }
            Err(Error::Refused(refusal)) => Err(refusal
                .faults
                .into_iter()
                .map(|fault| (fault.pointer, fault.code))
                .collect()),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn lines_are_counted_from_one_and_judged_later() {
        let sent =
            read(&json!({ "lines": [{ "external_id": "F-1", "status": "refused" }, 7] })).unwrap();
        assert_eq!((sent[0].number, sent[1].number), (1, 2));
        assert_eq!(sent[0].json, Ok(json!({ "external_id": "F-1" })));
        assert_eq!(sent[1].json, Ok(json!(7)));
    }

    #[test]
    fn what_is_around_the_lines_is_judged_at_once() {
        let refused = |body| read(&body).unwrap_err();
        let at = |pointer: &str, code| (pointer.to_owned(), code);
        assert_eq!(
            refused(json!({ "lines": [], "rows": 1 })),
            [
                at("#/lines", FaultCode::TooFew),
                at("#/rows", FaultCode::Unknown)
            ]
        );
        let long = json!({ "lines": [{}, { "model": "x".repeat(MOST_BYTES) }] });
        assert_eq!(refused(long), [at("#/lines/2", FaultCode::TooLong)]);
        let many = json!({ "lines": vec![json!({}); 10_001] });
        assert_eq!(refused(many), [at("#/lines", FaultCode::TooMany)]);
    }
}
