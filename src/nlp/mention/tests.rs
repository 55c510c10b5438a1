//! How terms are found in notes, and in texts about research.

use std::sync::LazyLock;

use crate::nlp::lexicon::source::Record;
use crate::nlp::lexicon::{Compiler, Lexicon, shipped};
use crate::nlp::{Category, Options, detect};

const TERMS: &str = "\
C\tx\tnausea\tMEDICAL_CONDITION\tSYMPTOM\tnausea
T\tpreferred\t-\tnausea
C\tx\tvomiting\tMEDICAL_CONDITION\tSYMPTOM\tvomiting
T\tpreferred\t-\tvomiting
C\tx\tboth\tMEDICAL_CONDITION\tSYMPTOM\tnausea and vomiting
T\tpreferred\t-\tnausea and vomiting
C\tx\tfever\tMEDICAL_CONDITION\tSYMPTOM\tfever
T\tpreferred\t-\tfever
C\tx\tchills\tMEDICAL_CONDITION\tSYMPTOM\tchills
T\tpreferred\t-\tchills
C\tx\tmurmur\tMEDICAL_CONDITION\tSIGN\tmurmur
T\tpreferred\t-\tmurmurs
C\tx\trub\tMEDICAL_CONDITION\tSIGN\trub
T\tpreferred\t-\trubs
C\tx\tgallop\tMEDICAL_CONDITION\tSIGN\tgallop
T\tpreferred\t-\tgallops
C\tx\tcp\tMEDICAL_CONDITION\tSYMPTOM\tchest pain
T\tpreferred\t-\tchest pain
C\tx\tsob\tMEDICAL_CONDITION\tSYMPTOM\tshortness of breath
T\tpreferred\t-\tshortness of breath
C\tx\tacromegaly\tMEDICAL_CONDITION\tDX_NAME\tacromegaly
T\tpreferred\t-\tacromegaly
C\tx\tthrombocytopenia\tMEDICAL_CONDITION\tDX_NAME\tthrombocytopenia
T\tpreferred\t-\tthrombocytopenia
C\ty\thit\tMEDICAL_CONDITION\tDX_NAME\theparin-induced thrombocytopenia
T\tpreferred\t-\theparin-induced thrombocytopenia
C\tx\tmi\tMEDICAL_CONDITION\tDX_NAME\tmyocardial infarction
T\tpreferred\t-\tmyocardial infarction
C\ty\tami\tMEDICAL_CONDITION\tDX_NAME\tacute myocardial infarction
T\tpreferred\t-\tacute myocardial infarction
C\tx\tdystrophy\tMEDICAL_CONDITION\tDX_NAME\tmyotonic dystrophy
T\tpreferred\t-\tmyotonic dystrophy
C\tx\tcalcium\tMEDICATION\tSUBSTANCE\tcalcium
T\tpreferred\t-\tcalcium
C\tx\tccb\tMEDICATION\tSUBSTANCE\tcalcium channel blockers
T\tpreferred\t-\tcalcium channel blockers
C\tx\theparin\tMEDICATION\tGENERIC_NAME\theparin
T\tpreferred\t-\theparin
C\tx\tcreatinine\tMEDICATION\tSUBSTANCE\tcreatinine
T\tpreferred\t-\tcreatinine
C\tx\tcocaine\tMEDICATION\tSUBSTANCE\tcocaine
T\tpreferred\t-\tcocaine
C\tx\tformamide\tMEDICATION\tSUBSTANCE\tformamide
T\tpreferred\t-\tformamide
C\tx\tFK\tMEDICATION\tSUBSTANCE\ttacrolimus
T\tpreferred\t-\ttacrolimus
T\tabbreviation\tr\tFK-506
T\tabbreviation\tcr\tTAC
";

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut compiler = Compiler::new();
    compiler.add_text(TERMS).unwrap();
    for (name, text) in shipped::LISTS {
        compiler.add(Record::List { name, text }).unwrap();
    }
    Lexicon::open(compiler.finish("test").unwrap().leak()).unwrap()
});

/// Conditions and drugs of a text, each as it is written, with its codes.
fn read(text: &str) -> Vec<String> {
    let entities = detect(text, &LEXICON, &Options::default()).unwrap();
    let wanted = entities.iter().filter(|e| matches!(e.category, Category::MedicalCondition | Category::Medication));
    wanted
        .map(|e| {
            let codes: Vec<&str> = e.concepts.iter().map(|c| LEXICON.image.concept(c.concept).code).collect();
            format!("{}={}", &text[e.begin..e.end], codes.join(","))
        })
        .collect()
}

/// The same in a text about research.
fn research(text: &str) -> Vec<String> {
    let around = "We randomized rats to placebo in this study. These mice suggest a novel mechanism.";
    read(&format!("{around} {text} We conclude that efficacy was significantly higher in this trial."))
}

#[test]
fn lists_of_letters() {
    assert_eq!(read("Denies n/v."), ["n=nausea", "v=vomiting"]);
    assert_eq!(read("Denies N/V."), ["N=nausea", "V=vomiting"]);
    assert_eq!(read("No r/m/g."), ["r=rub", "m=murmur", "g=gallop"]);
    assert_eq!(read("Denies n/v/cp/sob/f/c."), ["n=nausea", "v=vomiting", "cp=cp", "sob=sob", "f=fever", "c=chills"]);
    assert_eq!(read("He denies cp/sob/changes in vision."), ["cp=cp", "sob=sob"]);
    for no_list in ["Will f/u on 3/4.", "d/c home", "pain c/w gout", "w/o any", "25 y/o m/f", "s/p", "n/a", "r/o", "5 mg/d/c", "m/w/f dialysis", "c/d/i", "w/d/c", "D/C/E"] {
        let found = read(no_list);
        assert!(!found.iter().any(|e| e.len() < 12 && e.contains('=') && e.split('=').next().is_some_and(|w| w.len() == 1)), "{no_list}: {found:?}");
    }
}

#[test]
fn chemicals_of_research() {
    assert_eq!(research("Serum creatinine rose."), ["creatinine=creatinine"]);
    assert_eq!(research("Calcium channel blockers were given."), ["Calcium=calcium"]);
    assert_eq!(research("Cocaine's effects on users of cocaine."), ["Cocaine=cocaine", "cocaine=cocaine"]);
    assert_eq!(research("Hypersensitivity to heparin was seen."), ["heparin=heparin"]);
    assert_eq!(research("N-[4-(5-nitro-2-furyl)-2-thiazolyl]-formamide was fed."), ["N-[4-(5-nitro-2-furyl)-2-thiazolyl]-formamide=formamide"]);
    assert_eq!(research("Animals got LY274614, GR 55562 or MK-801."), ["LY274614=", "GR 55562=", "MK-801="]);
    assert_eq!(research("From June 2003 on, at 250 mg, in 414 of them (IL-2, CD4)."), [] as [&str; 0]);
    assert_eq!(research("FK-506 and FK 506, or TAC."), ["FK-506=FK", "FK 506=FK", "TAC=FK"]);
    // a note knows no code names
    assert_eq!(read("Room FK-506. TAC seen. MK-801."), [] as [&str; 0]);
    assert_eq!(read("Calcium channel blockers were given."), ["Calcium channel blockers=ccb"]);
}

#[test]
fn conditions_of_research() {
    assert_eq!(research("The acromegalic patients had it."), ["acromegalic=acromegaly"]);
    assert_eq!(research("Nausea and vomiting followed."), ["Nausea=nausea", "vomiting=vomiting"]);
    assert_eq!(read("Nausea and vomiting followed."), ["Nausea and vomiting=both"]);
    assert_eq!(research("Heparin-induced thrombocytopenia."), ["Heparin=heparin", "thrombocytopenia=thrombocytopenia"]);
    assert_eq!(research("Acute myocardial infarction."), ["Acute myocardial infarction=ami,mi"]);
    assert_eq!(read("Acute myocardial infarction."), ["Acute myocardial infarction=ami"]);
    assert_eq!(research("Myotonic dystrophy (DM) and DM."), ["Myotonic dystrophy=dystrophy", "DM=dystrophy", "DM=dystrophy"]);
}
