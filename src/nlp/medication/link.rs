//! Which drug each part of a prescription belongs to.

use super::scan::Event;
use crate::nlp::entity::AttributeKind;

/// A piece's drug and how sure that is.
pub type Owner = Option<(u32, f32)>;

/// Words that say something else between a drug and a part of its prescription: more, and it is another thing's.
const FAR: u32 = 7;

/// For each event its drug; a drug's own event has none.
pub fn owners(events: &[Event]) -> Vec<Owner> {
    let mut owners: Vec<Owner> = vec![None; events.len()];
    let mut drugs = (0..events.len()).filter(|&n| events.get(n).is_some_and(|e| e.drug.is_some())).peekable();
    let mut before: Option<usize> = None;
    let mut from = 0;
    loop {
        let next = drugs.next();
        let to = next.unwrap_or(events.len());
        segment(events, &mut owners, before, from, to, next);
        let Some(drug) = next else { break };
        before = Some(drug);
        from = drug + 1;
    }
    owners
}

fn kind(event: Option<&Event>) -> Option<AttributeKind> {
    event.and_then(|e| e.piece.as_ref()).map(|p| p.kind)
}

/// The parts between two drugs (or before the first, or behind the last).
fn segment(events: &[Event], owners: &mut [Owner], before: Option<usize>, from: usize, to: usize, next: Option<usize>) {
    // the run of parts that stands right before the next drug, without a comma or a word between
    let mut run = to;
    if next.is_some() {
        while run > from {
            let Some(behind) = events.get(run) else { break };
            if behind.gap > 0 || behind.parted || behind.line {
                break;
            }
            run -= 1;
        }
    }
    let Some(owner) = before.and_then(|b| events.get(b)).and_then(|e| e.drug) else {
        // before the first drug
        give(events, owners, run, to, next, 0.9);
        return;
    };
    // does the run also stand right behind the drug before?
    if run == from && run < to && events.get(run).is_some_and(|e| e.gap == 0 && !e.parted && !e.line) {
        let own = |owners: &[Owner], k: AttributeKind| {
            owners.iter().zip(events).any(|(o, e)| o.is_some_and(|(d, _)| d == owner) && kind(Some(e)) == Some(k))
        };
        let had_run = owners.iter().take(from).any(|o| o.is_some_and(|(d, _)| d == owner));
        run = to;
        if had_run {
            // "IV Lasix 40 mg PO potassium": a second of a kind is the next drug's
            let mut n = from;
            while n < to {
                match kind(events.get(n)) {
                    Some(k) if own(owners, k) => break,
                    _ => {}
                }
                n += 1;
            }
            run = n;
        }
        // "... 25 mg of metoprolol"
        let of = next.and_then(|n| events.get(n)).is_some_and(|e| e.of);
        if of && to > from {
            run = run.min(to - 1);
        }
    } else if run < to {
        // a lone frequency or route that the next drug has behind it too is of the drug before: "aspirin 81 mg, daily Plavix 75 mg daily"
        let behind: Vec<AttributeKind> = (to + 1..events.len())
            .map_while(|n| events.get(n).filter(|e| e.drug.is_none() && !e.line && e.gap == 0))
            .filter_map(|e| kind(Some(e)))
            .collect();
        let amounts = |k: &AttributeKind| matches!(k, AttributeKind::Strength | AttributeKind::Dosage);
        let run_kinds: Vec<AttributeKind> = (run..to).filter_map(|n| kind(events.get(n))).collect();
        let of = next.and_then(|n| events.get(n)).is_some_and(|e| e.of);
        let has_amount = run_kinds.iter().any(amounts);
        if !of && ((has_amount && behind.iter().any(amounts)) || (!has_amount && run_kinds.iter().all(|k| behind.contains(k)))) {
            run = to;
        }
    }
    let mut far = 0;
    let mut crossed = false;
    for n in from..run {
        let Some(event) = events.get(n) else { break };
        // what stands between two parts of one prescription counts less the more of it has been seen
        far += event.gap;
        crossed |= event.line;
        if far > FAR {
            break;
        }
        let mut score = 0.97 - 0.06 * far as f32;
        if crossed {
            score -= 0.05;
        }
        if let Some(place) = owners.get_mut(n) {
            *place = Some((owner, score));
        }
    }
    give(events, owners, run, to, next, 0.9);
}

fn give(events: &[Event], owners: &mut [Owner], from: usize, to: usize, next: Option<usize>, score: f32) {
    let Some(drug) = next.and_then(|n| events.get(n)).and_then(|e| e.drug) else { return };
    for place in owners.iter_mut().take(to).skip(from) {
        *place = Some((drug, score));
    }
}
