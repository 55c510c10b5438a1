use crate::nlp::entity::Category;
use crate::nlp::signature_tests::check;

fn tests(cases: &[(&str, &[&str])]) {
    check(&[Category::TestTreatmentProcedure, Category::Medication], cases);
}

#[test]
fn labs() {
    tests(&[
        ("K 5.2 mmol/L (H)", &["K: TEST_VALUE 5.2 = 5.2; TEST_UNIT mmol/L = mmol/L; INTERPRETATION H = H"]),
        ("WBC 12.3", &["WBC: TEST_VALUE 12.3 = 12.3"]),
        (
            "Na 138, K 4.1, Cl 101, CO2 24, BUN 15, Cr 0.9",
            &[
                "Na: TEST_VALUE 138 = 138", "K: TEST_VALUE 4.1 = 4.1", "Cl: TEST_VALUE 101 = 101", "CO2: TEST_VALUE 24 = 24", "BUN: TEST_VALUE 15 = 15",
                "Cr: TEST_VALUE 0.9 = 0.9",
            ],
        ),
        ("Hgb 8.2 (ref 12-16)", &["Hgb: TEST_VALUE 8.2 = 8.2; REFERENCE_RANGE 12-16 = 12-16"]),
        ("troponin <0.01", &["troponin: TEST_VALUE <0.01 = <0.01"]),
        ("HbA1c of 7.2%", &["HbA1c: TEST_VALUE 7.2 = 7.2; TEST_UNIT % = %"]),
        ("glucose was 210 mg/dL", &["glucose: TEST_VALUE 210 = 210; TEST_UNIT mg/dL = mg/dL"]),
        ("INR 2.5 H", &["INR: TEST_VALUE 2.5 = 2.5; INTERPRETATION H = H"]),
        ("EF 35-40%", &["EF: TEST_VALUE 35-40 = 35-40; TEST_UNIT % = %"]),
        ("pH 7.32", &["pH: TEST_VALUE 7.32 = 7.32"]),
        ("UA: positive for nitrites", &["UA: TEST_VALUE positive = positive"]),
        ("creatinine 1.2 -> 1.8", &["creatinine: TEST_VALUE 1.2 = 1.2; TEST_VALUE 1.8 = 1.8"]),
        ("CXR negative", &["CXR: TEST_VALUE negative = negative"]),
        ("Sodium  138  mmol/L  135-145", &["Sodium: TEST_VALUE 138 = 138; TEST_UNIT mmol/L = mmol/L; REFERENCE_RANGE 135-145 = 135-145"]),
        ("Glucose | 210 | H | mg/dL | 70-99", &["Glucose: TEST_VALUE 210 = 210; INTERPRETATION H = H; TEST_UNIT mg/dL = mg/dL; REFERENCE_RANGE 70-99 = 70-99"]),
        ("platelets 150 x10^3/uL, WBC 11.2 K/uL", &["platelets: TEST_VALUE 150 = 150; TEST_UNIT x10^3/uL = 10*3/uL", "WBC: TEST_VALUE 11.2 = 11.2; TEST_UNIT K/uL = 10*3/uL"]),
        ("AST/ALT 45/60", &["AST: TEST_VALUE 45 = 45", "ALT: TEST_VALUE 60 = 60"]),
        ("potassium elevated at 5.9", &["potassium: INTERPRETATION elevated = H; TEST_VALUE 5.9 = 5.9"]),
        ("elevated troponin of 0.8 ng/mL", &["troponin: INTERPRETATION elevated = H; TEST_VALUE 0.8 = 0.8; TEST_UNIT ng/mL = ng/mL"]),
        ("elevated troponin", &["troponin: TEST_VALUE elevated = elevated"]),
        ("K 2.9 L", &["K: TEST_VALUE 2.9 = 2.9; INTERPRETATION L = L"]),
        ("urine ketones 2+, nitrite negative", &["urine ketones: TEST_VALUE 2+ = 2+", "nitrite: TEST_VALUE negative = negative"]),
        ("TSH 2.1 mIU/L [0.4-4.0]", &["TSH: TEST_VALUE 2.1 = 2.1; TEST_UNIT mIU/L = m[iU]/L; REFERENCE_RANGE 0.4-4.0 = 0.4-4"]),
        ("ANA 1:160", &["ANA: TEST_VALUE 1:160 = 1:160"]),
        ("blood cultures showed no growth", &["blood cultures: TEST_VALUE no growth = no growth"]),
    ]);
}

#[test]
fn vital_signs() {
    tests(&[
        (
            "BP 120/80, HR 88, T 98.6 F, RR 18, SpO2 97% on RA",
            &[
                "BP: TEST_VALUE 120/80 = 120/80", "HR: TEST_VALUE 88 = 88", "T: TEST_VALUE 98.6 = 98.6; TEST_UNIT F = [degF]", "RR: TEST_VALUE 18 = 18",
                "SpO2: TEST_VALUE 97 = 97; TEST_UNIT % = %",
            ],
        ),
        ("temp 38.5", &["temp: TEST_VALUE 38.5 = 38.5"]),
        (
            "Ht 5'10\" Wt 80 kg BMI 27.1",
            &["Ht: TEST_VALUE 5'10\" = 5'10\"", "Wt: TEST_VALUE 80 = 80; TEST_UNIT kg = kg", "BMI: TEST_VALUE 27.1 = 27.1"],
        ),
        ("BP120/80 HR88 T98.6", &["BP: TEST_VALUE 120/80 = 120/80", "HR: TEST_VALUE 88 = 88", "T: TEST_VALUE 98.6 = 98.6"]),
        ("blood pressure of 142/90 mm Hg", &["blood pressure: TEST_VALUE 142/90 = 142/90; TEST_UNIT mm Hg = mm[Hg]"]),
        ("Pulse: 72 bpm", &["Pulse: TEST_VALUE 72 = 72; TEST_UNIT bpm = /min"]),
        ("Temp: 37.2 °C", &["Temp: TEST_VALUE 37.2 = 37.2; TEST_UNIT °C = Cel"]),
        ("GCS 15", &["GCS: TEST_VALUE 15 = 15"]),
    ]);
}

#[test]
fn no_results() {
    tests(&[
        ("potassium chloride 20 mEq PO daily", &["potassium chloride: STRENGTH 20 mEq = 20 meq; ROUTE_OR_MODE PO = oral; FREQUENCY daily = QD"]),
        ("potassium 20 mEq PO daily", &["potassium: STRENGTH 20 mEq = 20 meq; ROUTE_OR_MODE PO = oral; FREQUENCY daily = QD"]),
        ("magnesium 400 mg BID", &["magnesium: STRENGTH 400 mg = 400 mg; FREQUENCY BID = BID"]),
        ("METFORMIN 500 MG 2 TIMES DAILY", &["METFORMIN: STRENGTH 500 MG = 500 mg; FREQUENCY 2 TIMES DAILY = BID"]),
        ("CT 3 days ago", &["CT: "]),
        ("CT 2019", &["CT: "]),
        ("low potassium diet", &["potassium: "]),
    ]);
}
