use crate::nlp::entity::Category;
use crate::nlp::signature_tests::check;

fn drugs(cases: &[(&str, &[&str])]) {
    check(&[Category::Medication], cases);
}

#[test]
fn one_drug() {
    drugs(&[
        (
            "metoprolol tartrate 25 mg PO BID for 10 days",
            &["metoprolol tartrate: STRENGTH 25 mg = 25 mg; ROUTE_OR_MODE PO = oral; FREQUENCY BID = BID; DURATION 10 days = P10D"],
        ),
        ("ASA 81mg daily", &["ASA: STRENGTH 81mg = 81 mg; FREQUENCY daily = QD"]),
        (
            "Lisinopril 10 mg tab, 1 tab by mouth every morning",
            &["Lisinopril: STRENGTH 10 mg = 10 mg; FORM tab = tablet; DOSAGE 1 tab = 1 tablet; ROUTE_OR_MODE by mouth = oral; FREQUENCY every morning = QAM"],
        ),
        (
            "insulin glargine 20 units SC qHS",
            &["insulin glargine: DOSAGE 20 units = 20 units; ROUTE_OR_MODE SC = subcutaneous; FREQUENCY qHS = QHS"],
        ),
        (
            "vancomycin 1 g IV q12h x 7 days",
            &["vancomycin: STRENGTH 1 g = 1 g; ROUTE_OR_MODE IV = intravenous; FREQUENCY q12h = Q12H; DURATION 7 days = P7D"],
        ),
        ("furosemide 40-80 mg", &["furosemide: STRENGTH 40-80 mg = 40-80 mg"]),
        (
            "albuterol 2 puffs q4-6h prn wheezing",
            &["albuterol: DOSAGE 2 puffs = 2 puff; FREQUENCY q4-6h prn = Q4-6H PRN; REASON wheezing"],
        ),
        ("heparin gtt at 12 units/kg/hr", &["heparin: ROUTE_OR_MODE gtt = intravenous; RATE 12 units/kg/hr = 12 units/kg/h"]),
        (
            "warfarin 5 mg MWF and 2.5 mg other days",
            &["warfarin: STRENGTH 5 mg = 5 mg; FREQUENCY MWF = MO,WE,FR; STRENGTH 2.5 mg = 2.5 mg; FREQUENCY other days = OTHER DAYS"],
        ),
        ("0.9% NaCl 125 mL/hr", &["NaCl: STRENGTH 0.9% = 0.9%; RATE 125 mL/hr = 125 mL/h"]),
        (
            "prednisone taper 60mg x3d then 40mg x3d",
            &["prednisone: STRENGTH 60mg = 60 mg; DURATION 3d = P3D; STRENGTH 40mg = 40 mg; DURATION 3d = P3D"],
        ),
        ("Tylenol #3", &["Tylenol: STRENGTH #3 = #3"]),
        ("oxygen 2L NC", &["oxygen: DOSAGE 2L = 2 L; ROUTE_OR_MODE NC = nasal cannula"]),
        ("oxygen at 3 L/min via nasal cannula", &["oxygen: RATE 3 L/min = 3 L/min; ROUTE_OR_MODE via nasal cannula = nasal cannula"]),
        ("IV Lasix 40", &["Lasix: ROUTE_OR_MODE IV = intravenous; STRENGTH 40 = 40"]),
        ("25 mg of metoprolol", &["metoprolol: STRENGTH 25 mg = 25 mg"]),
        ("started a 7-day course of amoxicillin", &["amoxicillin: DURATION 7-day = P7D"]),
        ("metformin 1,000 mg p.o. b.i.d. with meals", &["metformin: STRENGTH 1,000 mg = 1000 mg; ROUTE_OR_MODE p.o. = oral; FREQUENCY b.i.d. with meals = BID WITH MEALS"]),
        ("lorazepam .5 mg q.h.s. p.r.n. insomnia", &["lorazepam: STRENGTH .5 mg = 0.5 mg; FREQUENCY q.h.s. p.r.n. = QHS PRN; REASON insomnia"]),
        ("levothyroxine 88 µg once daily", &["levothyroxine: STRENGTH 88 µg = 88 ug; FREQUENCY once daily = QD"]),
        ("prednisone 5 mg every other day", &["prednisone: STRENGTH 5 mg = 5 mg; FREQUENCY every other day = QOD"]),
        (
            "nitroglycerin 0.4 mg under the tongue every 5 minutes as needed for chest pain",
            &["nitroglycerin: STRENGTH 0.4 mg = 0.4 mg; ROUTE_OR_MODE under the tongue = sublingual; FREQUENCY every 5 minutes as needed = Q5MIN PRN; REASON chest pain"],
        ),
        (
            "amoxicillin 250 mg/5 mL suspension, 10 mL by mouth three times daily for 10 days",
            &["amoxicillin: STRENGTH 250 mg/5 mL = 250 mg/5 mL; FORM suspension = suspension; DOSAGE 10 mL = 10 mL; ROUTE_OR_MODE by mouth = oral; \
               FREQUENCY three times daily = TID; DURATION 10 days = P10D"],
        ),
        ("Augmentin 875/125 mg PO BID x10d", &["Augmentin: STRENGTH 875/125 mg = 875/125 mg; ROUTE_OR_MODE PO = oral; FREQUENCY BID = BID; DURATION 10d = P10D"]),
        ("Take one and a half tablets of warfarin daily", &["warfarin: DOSAGE one and a half tablets = 1.5 tablet; FREQUENCY daily = QD"]),
        ("latanoprost 1 drop OU qhs", &["latanoprost: DOSAGE 1 drop = 1 drop; ROUTE_OR_MODE OU = ophthalmic; FREQUENCY qhs = QHS"]),
        ("hydrocortisone 1% cream to affected area 2x/day", &["hydrocortisone: STRENGTH 1% = 1%; FORM cream = cream; ROUTE_OR_MODE to affected area = topical; FREQUENCY 2x/day = BID"]),
        ("gabapentin 300 mg po q 8 hours", &["gabapentin: STRENGTH 300 mg = 300 mg; ROUTE_OR_MODE po = oral; FREQUENCY q 8 hours = Q8H"]),
        ("vitamin D 50,000 units weekly for 8 weeks", &["vitamin D: DOSAGE 50,000 units = 50000 units; FREQUENCY weekly = QWK; DURATION 8 weeks = P8W"]),
        ("lorazepam 1 mg IV x1", &["lorazepam: STRENGTH 1 mg = 1 mg; ROUTE_OR_MODE IV = intravenous; FREQUENCY x1 = ONCE"]),
        ("dopamine drip at 5 mcg/kg/min", &["dopamine: ROUTE_OR_MODE drip = intravenous; RATE 5 mcg/kg/min = 5 ug/kg/min"]),
        ("METOPROLOL 25 MG PO TWICE DAILY", &["METOPROLOL: STRENGTH 25 MG = 25 mg; ROUTE_OR_MODE PO = oral; FREQUENCY TWICE DAILY = BID"]),
    ]);
}

#[test]
fn hospital_lists() {
    drugs(&[
        (
            "1. Aspirin 81 mg Tablet, Chewable Sig: One (1) Tablet PO DAILY (Daily).",
            &["Aspirin: STRENGTH 81 mg = 81 mg; FORM Tablet, Chewable = tablet; DOSAGE One (1) Tablet = 1 tablet; ROUTE_OR_MODE PO = oral; FREQUENCY DAILY (Daily) = QD"],
        ),
        (
            "2. Metoprolol Tartrate 25 mg Tablet Sig: 0.5 Tablet PO BID (2 times a day).\nDisp:*30 Tablet(s)* Refills:*2*",
            &["Metoprolol Tartrate: STRENGTH 25 mg = 25 mg; FORM Tablet = tablet; DOSAGE 0.5 Tablet = 0.5 tablet; ROUTE_OR_MODE PO = oral; FREQUENCY BID (2 times a day) = BID"],
        ),
        ("- metformin | 500 mg | twice daily", &["metformin: STRENGTH 500 mg = 500 mg; FREQUENCY twice daily = BID"]),
        ("metformin\t500 mg\tPO\tBID", &["metformin: STRENGTH 500 mg = 500 mg; ROUTE_OR_MODE PO = oral; FREQUENCY BID = BID"]),
        (
            "omeprazole 20 mg capsule\n  take 1 capsule daily before breakfast",
            &["omeprazole: STRENGTH 20 mg = 20 mg; FORM capsule = capsule; DOSAGE 1 capsule = 1 capsule; FREQUENCY daily before breakfast = QD AC BREAKFAST"],
        ),
        (
            "hydrocodone/APAP 5/325 1-2 tabs q6h prn pain",
            &[
                "hydrocodone: STRENGTH 5/325 = 5/325; DOSAGE 1-2 tabs = 1-2 tablet; FREQUENCY q6h prn = Q6H PRN; REASON pain",
                "APAP: STRENGTH 5/325 = 5/325; DOSAGE 1-2 tabs = 1-2 tablet; FREQUENCY q6h prn = Q6H PRN; REASON pain",
            ],
        ),
    ]);
}

#[test]
fn each_to_its_own() {
    drugs(&[
        (
            "aspirin 81 mg daily, metoprolol 25 mg BID and lisinopril 10 mg PO daily",
            &[
                "aspirin: STRENGTH 81 mg = 81 mg; FREQUENCY daily = QD",
                "metoprolol: STRENGTH 25 mg = 25 mg; FREQUENCY BID = BID",
                "lisinopril: STRENGTH 10 mg = 10 mg; ROUTE_OR_MODE PO = oral; FREQUENCY daily = QD",
            ],
        ),
        (
            "She received 2 g ceftriaxone and 40 mg IV Lasix.",
            &["ceftriaxone: STRENGTH 2 g = 2 g", "Lasix: STRENGTH 40 mg = 40 mg; ROUTE_OR_MODE IV = intravenous"],
        ),
        (
            "metoprolol 25 mg lisinopril 10 mg aspirin 81",
            &["metoprolol: STRENGTH 25 mg = 25 mg", "lisinopril: STRENGTH 10 mg = 10 mg", "aspirin: STRENGTH 81 = 81"],
        ),
        (
            "given 4 mg of morphine, 4 mg of ondansetron and 1 L of NaCl",
            &["morphine: STRENGTH 4 mg = 4 mg", "ondansetron: STRENGTH 4 mg = 4 mg", "NaCl: DOSAGE 1 L = 1 L"],
        ),
        ("Continue aspirin. Daily weights.", &["aspirin: "]),
        ("aspirin was stopped 3 days ago", &["aspirin: "]),
        ("on Lasix 2 weeks later", &["Lasix: "]),
    ]);
}

#[test]
fn reasons() {
    drugs(&[
        ("UTI treated with amoxicillin", &["amoxicillin: REASON UTI"]),
        ("ondansetron 4 mg IV q8h prn nausea/vomiting", &[
            "ondansetron: STRENGTH 4 mg = 4 mg; ROUTE_OR_MODE IV = intravenous; FREQUENCY q8h prn = Q8H PRN; REASON nausea; REASON vomiting",
        ]),
        ("lisinopril 20 mg daily for hypertension", &["lisinopril: STRENGTH 20 mg = 20 mg; FREQUENCY daily = QD; REASON hypertension"]),
    ]);
}

#[test]
fn drugs_that_the_lexicon_has_not() {
    drugs(&[
        ("aspirin 81 mg qd, lisinipril 5 mg daily", &["aspirin: STRENGTH 81 mg = 81 mg; FREQUENCY qd = QD", "lisinipril: STRENGTH 5 mg = 5 mg; FREQUENCY daily = QD"]),
        ("She was given 5 mg daily", &[]),
        ("The patient tolerated 5 mg daily", &[]),
    ]);
}
