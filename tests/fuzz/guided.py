"""Coverage-guided inputs to every decoder, with atheris.

    python guided.py RUNS

The rule: an error that was not declared ends the process; the last line tells what was done.
"""

import sys
import time

import atheris

with atheris.instrument_imports(include=["z4j_core", "z4j_brain.ingest.items"]):
    from decoders import DECODERS, feed


def one_input(data):
    """The first byte chooses the decoder."""
    if data:
        feed(DECODERS[data[0] % len(DECODERS)], data[1:])


def main(runs, folder):
    """Begin with what each decoder understands, and go on from there."""
    for number, decoder in enumerate(DECODERS):
        for index, sample in enumerate(decoder.samples):
            with open(f"{folder}/{number}-{index}", "wb") as file:
                file.write(bytes((number,)) + sample)
    began = time.monotonic()
    args = [sys.argv[0], f"-runs={runs}", "-max_len=4096", "-timeout=5", "-rss_limit_mb=1024"]
    atheris.Setup([*args, "-print_final_stats=1", folder], one_input)
    atheris.Fuzz()
    return began


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
