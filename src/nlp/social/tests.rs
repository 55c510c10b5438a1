use super::*;
use crate::nlp::entity::Temporality;
use crate::nlp::testing::{read, soups, written};
use crate::nlp::time;

/// `kind text` with `-` for negative, `<` for past, and attributes in brackets.
fn social(text: &str) -> Vec<String> {
    let found = read(text, Some(written()), |note, entities| {
        time::find(note, entities);
        find(note, entities);
        time::relate(note, entities);
    });
    let social = found.iter().filter(|e| e.category == Category::BehavioralEnvironmentalSocial);
    social
        .map(|e| {
            let mut out = match e.kind {
                Kind::TobaccoUse => "T",
                Kind::AlcoholConsumption => "A",
                Kind::RecreationalDrugUse => "D",
                Kind::Allergies => "allergy",
                Kind::Gender => "sex",
                Kind::RaceEthnicity => "race",
                Kind::Employment => "work",
                _ => "home",
            }
            .to_owned();
            if e.assertion.certainty == Certainty::Negative {
                out.push('-');
            }
            if e.assertion.temporality == Temporality::Past {
                out.push('<');
            }
            out.push(' ');
            out.push_str(&text[e.begin..e.end]);
            if e.kind == Kind::Gender {
                out.push_str(if e.value.as_deref() == Some("female") { "=f" } else { "=m" });
            }
            for attribute in &e.attributes {
                let kind = match attribute.kind {
                    AttributeKind::Amount => "amount",
                    AttributeKind::Frequency => "freq",
                    AttributeKind::Duration => "long",
                    _ => "time",
                };
                out.push_str(&format!(" [{kind} {}]", &text[attribute.begin..attribute.end]));
            }
            out
        })
        .collect()
}

fn check(cases: &[(&str, &[&str])]) {
    let mut wrong = String::new();
    for (text, expected) in cases {
        let found = social(text);
        if found != *expected {
            wrong.push_str(&format!("{text:?}\n  found    {found:?}\n  expected {expected:?}\n"));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn tobacco() {
    check(&[
        ("smokes 1 ppd x 20 years", &["T smokes [amount 1 ppd] [long x 20 years]"]),
        ("former smoker, quit 2005", &["T< smoker [time 2005]"]),
        ("never smoker", &["T- smoker"]),
        ("nonsmoker", &["T- nonsmoker"]),
        ("non-smoker", &["T- smoker"]),
        ("ex-smoker", &["T< smoker"]),
        ("20 pack-year history", &["T 20 pack-year [amount 20 pack-year]"]),
        ("1/2 pack per day for 10 years", &["T 1/2 pack [amount 1/2 pack] [freq per day] [long 10 years]"]),
        ("Tobacco: none", &["T- Tobacco"]),
        ("Tobacco use: former", &["T< Tobacco use"]),
        ("Smoking status: never", &["T- Smoking"]),
        ("smoked 2 packs/day, quit 10 years ago", &["T< smoked [amount 2 packs] [freq day] [time 10 years ago]"]),
        ("smokes and wants to quit", &["T smokes"]),
        ("smoke inhalation", &[]),
        ("second hand smoke", &[]),
        ("PPD placed, PPD negative", &[]),
        ("does not smoke", &["T- smoke"]),
        ("5 cigarettes per day", &["T 5 cigarettes [amount 5 cigarettes] [freq per day]"]),
        ("Has smoked 1 ppd since 1990", &["T smoked [amount 1 ppd] [time 1990]"]),
    ]);
}

#[test]
fn alcohol_and_drugs() {
    check(&[
        ("EtOH: 2 beers/day", &["A EtOH [amount 2 beers] [freq day]"]),
        ("drinks socially", &["A drinks [freq socially]"]),
        ("social drinker", &["A drinker [freq social]"]),
        ("drinks a couple of glasses of wine per week", &["A drinks [amount a couple of glasses of wine] [freq per week]"]),
        ("2 drinks per week", &["A 2 drinks [amount 2 drinks] [freq per week]"]),
        ("drinks 2 glasses of water", &[]),
        ("drinks multiple shots of alcohol daily", &["A drinks [amount multiple shots of alcohol] [freq daily]"]),
        ("she drank a soda", &[]),
        ("denies alcohol", &["A alcohol"]),
        ("Alcohol: denies", &["A- Alcohol"]),
        ("alcohol use", &["A alcohol use"]),
        ("alcohol swab", &[]),
        ("alcohol withdrawal", &[]),
        ("effect of alcohol on rats", &[]),
        ("effect of cocaine in rats", &[]),
        ("uses cocaine", &["D cocaine"]),
        ("marijuana daily", &["D marijuana [freq daily]"]),
        ("IVDU", &["D IVDU"]),
        ("IV drug use", &["D IV drug use"]),
        ("denies illicit drugs", &["D illicit drugs"]),
        ("denies illicits", &["D illicits"]),
        ("Tobacco/EtOH/drugs: none", &["T- Tobacco", "A- EtOH", "D- drugs"]),
        ("no tobacco, alcohol, or drugs", &["T tobacco", "A alcohol", "D drugs"]),
        ("smokes marijuana", &["D marijuana"]),
        ("does not smoke or drink", &["T- smoke", "A- drink"]),
        ("heavy drinker until 2005", &["A drinker [time 2005]"]),
    ]);
    let found = read("drinks, uses cocaine", None, find);
    let cocaine = found.iter().find(|e| e.kind == Kind::RecreationalDrugUse).unwrap();
    assert!(!cocaine.concepts.is_empty());
    assert!(found.iter().all(|e| e.category != Category::Medication));
}

#[test]
fn people_and_allergies() {
    check(&[
        ("66 yo F with", &["sex F=f"]),
        ("Pt 8 mo M w/ fever", &["sex M=m"]),
        ("66yoF with", &["sex F=f"]),
        ("66F with", &["sex F=f"]),
        ("Sex: M", &["sex M=m"]),
        ("a pleasant woman", &["sex woman=f"]),
        ("66 y/o AA M", &["race AA", "sex M=m"]),
        ("temp 98.6 F", &[]),
        ("male pattern baldness", &[]),
        ("African-American gentleman", &["race African-American", "sex gentleman=m"]),
        ("white female", &["race white", "sex female=f"]),
        ("white count, black stool, white matter", &[]),
        ("Race: black", &["race black"]),
        ("Hispanic man, caucasian", &["race Hispanic", "sex man=m", "race caucasian"]),
        ("Native American woman", &["race Native American", "sex woman=f"]),
        ("American Heart Association", &[]),
        ("NKDA", &["allergy- NKDA"]),
        ("no known drug allergies", &["allergy- drug allergies"]),
        ("Allergies: none", &["allergy- Allergies"]),
        ("Allergies: NKDA", &["allergy- NKDA"]),
        ("No known allergies", &["allergy- allergies"]),
        ("seasonal allergies", &[]),
        ("Allergies: aspirin", &[]),
    ]);
}

#[test]
fn work_and_home() {
    check(&[
        ("lives alone", &["home lives alone"]),
        ("lives with his wife and 2 children", &["home lives with his wife and 2 children"]),
        ("Lives w/ wife", &["home Lives w/ wife"]),
        ("living with HIV", &[]),
        ("lives in an assisted living facility", &["home lives in an assisted living facility"]),
        ("homeless", &["home homeless"]),
        ("nursing home resident", &["home nursing home resident"]),
        ("lives at home with wife", &["home lives at home"]),
        ("activities of daily living", &[]),
        ("works as a teacher", &["work works as a teacher"]),
        ("unemployed, on disability", &["work unemployed", "work on disability"]),
        ("He is retired.", &["work retired"]),
        ("retired to bed", &[]),
        ("aspirin works for him", &[]),
        ("self-employed", &["work self-employed"]),
        ("works full time", &["work works full time"]),
    ]);
}

#[test]
fn any_text_is_read() {
    let words: Vec<&str> = "smokes smoker smoked never former quit tobacco 1/2 ppd pack-year pack years per day drinks beer wine glasses of alcohol EtOH cocaine illicit IV drug use drugs \
        none: : denies 66 yo F yoF M male woman white black American Native Hispanic lives with alone in house works as a retired employed self - NKDA no known allergies allergies: couple half nursing home"
        .split(' ')
        .collect();
    soups(&words, |text| {
        read(text, Some(written()), |note, entities| {
            time::find(note, entities);
            find(note, entities);
            time::relate(note, entities);
            crate::nlp::phi::find(note, entities);
        });
    });
}
