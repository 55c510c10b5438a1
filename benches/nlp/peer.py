"""medspaCy on the same terms and notes: sentences, terms, ConText and sections."""
import json
import sys
import time

import medspacy
from medspacy.ner import TargetRule

terms, notes = sys.argv[1:3]
texts = [json.loads(line)["text"] for line in open(notes)]
nlp = medspacy.load(medspacy_enable=["medspacy_pyrush", "medspacy_target_matcher", "medspacy_context", "medspacy_sectionizer"])
started = time.monotonic()
rules = [TargetRule(*line.rstrip("\n").split("\t")) for line in open(terms)]
nlp.get_pipe("medspacy_target_matcher").add(rules)
print(f"medspaCy {medspacy.__version__ if hasattr(medspacy, '__version__') else ''}: {len(rules)} terms in {time.monotonic() - started:.0f} s")
nlp(texts[0])
started = time.monotonic()
found = sum(len(nlp(text).ents) for text in texts)
took = time.monotonic() - started
size = sum(len(text.encode()) for text in texts)
print(f"medspaCy: {len(texts) / took:.1f} notes/s, {size / took / 1e6:.3f} MB/s, {found} entities")
