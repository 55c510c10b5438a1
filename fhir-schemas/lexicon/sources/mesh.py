"""MeSH: descriptors and supplementary concepts → concepts with a category by their place in the tree."""

import re

from .names import clean, form, is_acronym, turned, words

SYSTEM = "https://www.nlm.nih.gov/mesh"

CONDITION = "MEDICAL_CONDITION"
PROCEDURE = "TEST_TREATMENT_PROCEDURE"

# place in the tree → category, kind; the first that fits decides
PLACES = [
    (r"C23\.888", CONDITION, "SYMPTOM"),
    (r"C(?!22)|F03", CONDITION, "DX_NAME"),
    (r"C22", CONDITION, "DX_NAME"),
    (r"F01\.145\.126|F01\.470\.132", CONDITION, "SYMPTOM"),
    (r"D26|D27", "MEDICATION", "SUBSTANCE"),
    (r"D0[1-6]|D09|D10|D12\.125|D13|D20", "MEDICATION", "SUBSTANCE"),
    (r"D12\.644|D23\.101|D08\.811|D12\.776|D23\.348|D23\.529|D23\.050", "PROTEIN", "SUBSTANCE"),
    (r"E01|E05\.200", PROCEDURE, "TEST_NAME"),
    (r"E02", PROCEDURE, "TREATMENT_NAME"),
    (r"E0[346]", PROCEDURE, "PROCEDURE_NAME"),
    (r"E07\.(?:132|190|206|283|545|585|660|672|695|790|814|858|950)", PROCEDURE, "TREATMENT_NAME"),
    (r"A0[1-9]|A10|A12|A14|A15\.145|A17|A16\.(?:631|710)", "ANATOMY", "SYSTEM_ORGAN_SITE"),
]
PLACES = [(re.compile("^(?:" + p + ")"), c, k) for p, c, k in PLACES]

# what is seen or measured of C23.888 (signs and symptoms); the rest is felt
SIGN = re.compile(
    r"edema|reflex|cyanosis|jaundice|murmur|fever$|weight|hypothermia|purpura|ecchymos|emaciation|flushing|hematuria|proteinuria|oliguria|anuria|polyuria|"
    r"ascites|hepatomegaly|splenomegaly|tachy|brady|hyper[a-z]+emia|hyp[a-z]+emia|respirat|hyperventil|sound|gait|paralys|paresis|plegia|ataxia|tremor|"
    r"spasm|clonus|rigidity|tetany|hypotonia|hypertonia|nystagm|miosis|mydriasis|coma|stupor|unconscious|birth weight|hyperoxia|hypoxia|anoxia|mass|"
    r"icter|chorea|athetosis|dyston|dyskine|fasciculat|catalepsy|aphasia|apraxia|agnosia|hemianop|blindness|deaf|albuminuria|glycosuria|ketonuria|"
    r"bacteriuria|pallor|livedo|signs|decerebrate|sarcopenia|cachexia|asthenia$|virilism|labor|hemorrhage|bleeding|melena|hematemesis|hemoptysis",
    re.I,
)

# names of groups that are no findings of a note
TOO_GENERAL = {
    form(n)
    for n in """
    disease|diseases|syndrome|syndromes|disorder|signs and symptoms|symptom|symptoms|sign|signs|condition|pathologic processes|disease attributes|acute disease|
    chronic disease|disease progression|disease susceptibility|genetic predisposition to disease|recurrence|convalescence|disease models, animal|
    pathological conditions, signs and symptoms|pathological conditions, anatomical|chemically-induced disorders|wounds and injuries|complication|complications|
    emergencies|emergency|facies|catastrophic illness|critical illness|rare diseases|neglected diseases|risk|asymptomatic diseases|late onset disorders|illness|
    pathologic complete response|disease-free survival|disease resistance|inflammation mediators|rupture|fibrosis mediators|death, sudden mediators|
    intraoperative complications|postoperative complications|pharmaceutical preparations|pharmaceutical preparation|drug|drugs|pharmaceutical|pharmaceuticals|
    medicine|medication|medications|preparations, pharmaceutical|solutions|solution|dosage forms|tablets|tablet|capsules|capsule|pill|pills|powders|powder|
    suspensions|suspension|emulsions|emulsion|gels|gel|ointments|ointment|cream|creams|lotion|lotions|aerosols|aerosol|suppositories|suppository|colloids|
    prescription drugs|generic drugs|brand name drugs|placebo|placebos|water|air|ions|ion|elements|element|gases|gas|metals|metal|salts|salt|acids|acid|
    bases|alkali|light|food|diet|protein|proteins|peptide|peptides|lipid|lipids|fat|fats|oil|oils|sugar|sugars|steroid ring|solid|liquid|liquids|mixture|
    complex mixtures|dust|smoke|soot|ice|steam|soil|sewage|plastic|plastics|rubber|wood|glass|ceramics|organic chemicals|inorganic chemicals|
    biological factors|biomarkers|marker|markers|indicators|reagents|enzyme|enzymes|hormone|hormones|vitamin|toxin|toxins|poison|poisons|agent|agents|
    diagnosis|diagnoses|prognosis|therapeutics|therapy|therapies|treatment|treatments|test|tests|testing|procedure|procedures|operation|operations|surgery|
    examination|examinations|technique|techniques|method|methods|diagnostic techniques and procedures|symptom assessment|treatment outcome|outcome|
    management|disease management|patient care|prevention|monitoring|evaluation|investigative techniques|equipment and supplies|equipment|supplies|device|
    devices|medical device|body regions|body|body part|tissue|tissues|cell|cells|organ|organs|system|structure|membrane|membranes|surface|extension|flexion|
    reoperation|repeat surgery|drug therapy|history|differential diagnosis|diagnosis, differential|diagnostic error|diagnostic errors|delayed diagnosis|
    early diagnosis|retreatment|rest|nursing|nursing care|palliative treatment|first aid|home care|self care|life support care|surgical procedures, operative|
    prescription|prescriptions|dose|dosage|administration|drug administration|drug administration routes|administration, oral|oral administration|
    oral drug administration|injections|injection|infusion|infusions|sensitivity|specificity|weight|height|temperature|age|sex|growth|development|
    clinical course|comorbidity|physical appearance, body|posture|feces examination|face pain mediators|abnormality|abnormalities|pregnancy|birth|labor|
    delivery|death|injury|injuries|trauma|lesion|lesions|pathology|shape|movement|process|processes|reaction|reactions|state|states|function|functions|
    activity|activities|response|responses|failure|defect|defects|change|changes|loss|stress|strain|pressure|volume|rate|level|levels|time|period|course|
    group|groups|type|types|class|classes|form|forms|factor|factors|cause|causes|effect|effects|result|results|finding|findings|feature|features|
    observation|interview|screening|simulation|base|bases|block|blocks|bar|stain|stains|filter|filters|mask|masks|needle|needles|gloves|syringe|syringes
    """.replace("\n", "").split("|")
    if n.strip()
}

PROTEIN_NAME = re.compile(r"protein|receptor|\bgene\b|antigen|kinase|factor|antibod|, (?:human|mouse|rat|zebrafish|yeast|drosophila|bacteria)|\bRNA|\bDNA|subunit|peptide|enzyme|cell", re.I)


def place(numbers):
    """Category and kind of a descriptor, by its tree numbers."""
    for pattern, category, kind in PLACES:
        if any(pattern.match(n) for n in numbers):
            return category, kind
    return None


def names(label, synonyms):
    """The names as people say them: turned round, each once."""
    out, seen = [], set()
    for name in [label] + synonyms:
        name = clean(re.sub(r"\s*\((?:formerly|disease|disorder|medical procedure|substance)\)", "", name))
        for text in filter(None, [turned(name), name if re.search(r", type\b", name, re.I) else None]):
            key = form(text)
            if not key or key in seen or words(text) > 8 or key in TOO_GENERAL or "(" in text or len(text) < 3:
                continue
            seen.add(key)
            out.append(text)
    return out


def descriptors(path):
    """id → (label, category, kind, names, tree numbers); category PROTEIN is for those that count only if they are a drug."""
    found = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            label, numbers = fields[1], [n for n in fields[3].split("|") if n]
            at = place(numbers)
            if not at:
                continue
            category, kind = at
            if kind == "SYMPTOM" and SIGN.search(label):
                kind = "SIGN"
            if kind == "SYMPTOM" and not all(n.startswith(("C23.888", "F01", "C10")) for n in numbers):
                kind = "DX_NAME" if not any(n.startswith("C23.888") for n in numbers) else kind
            found[fields[0]] = (label, category, kind, names(label, [s for s in fields[2].split("|") if s]), numbers)
    return found


def supplementary(path):
    """id → (label, synonyms, mapped headings)"""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if len(fields) >= 4:
                yield fields[0], fields[1], [s for s in fields[2].split("|") if s], fields[3].replace("*", "").split(",")
