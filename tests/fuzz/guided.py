"""Coverage-guided inputs to one decoder, with atheris.

    python guided.py NUMBER RUNS CORPUS FINDINGS

The rule: an error that was not declared ends the process, and its input lies in FINDINGS.
"""

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["z4j_core", "z4j_brain.ingest.items"]):
    from decoders import DECODERS


def main(number, runs, corpus, findings):
    """Go on from what the corpus holds; it begins with what the decoder understands."""
    decoder = DECODERS[number]
    for index, sample in enumerate(decoder.samples):
        Path(corpus, f"sample-{index}").write_bytes(sample)
    read, declared = decoder.read, decoder.declared

    def one_input(data):
        try:  # noqa: SIM105 - a context for each of millions of inputs costs as much as some read
            read(data)
        except declared:
            pass

    longest = 2 * max(map(len, decoder.samples))
    options = [f"-runs={runs}", f"-max_len={max(256, longest)}", "-timeout=5", "-reload=0"]
    options += ["-rss_limit_mb=1024", "-print_final_stats=1", f"-artifact_prefix={findings}/"]
    atheris.Setup([sys.argv[0], *options, corpus], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4])
