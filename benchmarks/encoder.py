"""Sentences a second of models/embedding beside a 4-layer 512-wide BERT encoder with random weights, on one core, in one run.

    python benchmarks/encoder.py [--sentences 4000] [--rounds 5]

The encoder has bge-small-zh's shape (transformers.BertModel: 4 layers, 512 wide, 8 heads, feed-forward 2048, 21,128 pieces); its weights
are random, so it serves for time alone. It reads the same sentences, sorted by length, in batches of 32, without gradients, a
character a piece.
Also: loading, and the paragraphs and sentences of a write-up of 10,000 characters. All text is the repository's own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false")
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from service.encode import load  # noqa: E402 - after the threads are set
from service.text import sentences  # noqa: E402


def material(count: int) -> tuple[list[str], list[str]]:
    """`count` different sentences of our own write-ups, and all their paragraphs."""
    folders = (ROOT / "corpora" / "focus" / "writeups", ROOT / "corpora" / "samples" / "sources")
    lines = [line.strip() for folder in folders for path in sorted(folder.glob("*.md")) for line in path.read_text("utf8").splitlines()]
    paragraphs = [line for line in lines if len(line) > 20 and line[0] not in "#|!+%"]
    found = dict.fromkeys(line[start:end] for line in paragraphs for start, end in sentences(line))
    return list(found)[:count], paragraphs


def seconds(work: Callable[[], object], rounds: int) -> float:
    """Median of `rounds`, after one to warm up."""
    work()
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def bert(texts: Sequence[str]) -> Callable[[], object]:
    """The other encoder's pass over the texts."""
    import torch  # noqa: PLC0415
    from transformers import BertConfig, BertModel  # noqa: PLC0415

    torch.set_num_threads(1)
    torch.manual_seed(0)
    shape = BertConfig(vocab_size=21_128, hidden_size=512, num_hidden_layers=4, num_attention_heads=8, intermediate_size=2048)
    model = BertModel(shape, add_pooling_layer=False).eval()
    ids = sorted(([101, *(ord(character) % 21_000 + 103 for character in text[:510]), 102] for text in texts), key=len)

    def run() -> None:
        with torch.inference_mode():
            for start in range(0, len(ids), 32):
                batch = ids[start : start + 32]
                longest = max(map(len, batch))
                padded = torch.tensor([row + [0] * (longest - len(row)) for row in batch])
                rows = model(padded, attention_mask=(padded > 0).long()).last_hidden_state[:, 0]
                torch.nn.functional.normalize(rows, dim=1)

    return run


def writeup(paragraphs: Sequence[str]) -> list[str]:
    """Paragraphs of 10,000 characters together, and their sentences."""
    chosen: list[str] = []
    for paragraph in paragraphs:
        if sum(map(len, chosen)) >= 10_000:
            break
        chosen.append(paragraph)
    return chosen + [text[start:end] for text in chosen for start, end in sentences(text)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    folder = ROOT / "models" / "embedding"
    texts, paragraphs = material(options.sentences)
    encoder = load(folder, cache=0)
    ours = len(texts) / seconds(lambda: encoder.encode(texts), options.rounds)
    few = texts[:: max(len(texts) // 400, 1)]
    theirs = len(few) / seconds(bert(few), 2)
    ten = writeup(paragraphs)
    whole = seconds(lambda: encoder.encode(ten), options.rounds * 4)
    code = "import time; start = time.perf_counter(); from service.encode import load; from pathlib import Path; import sys;"
    code += "load(Path(sys.argv[1])); print(time.perf_counter() - start)"
    cold = [
        float(subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=True, capture_output=True).stdout) for _ in range(3)
    ]
    mean = sum(map(len, texts)) / len(texts)
    print(
        f"{len(texts)} sentences of {mean:.0f} characters: {ours:,.0f}/s; BERT 4 x 512 random: {theirs:,.0f}/s; ratio {ours / theirs:.0f}"
    )
    print(f"a write-up of 10,000 characters, {len(ten)} paragraphs and sentences: {1000 * whole:.1f} ms; import and load {min(cold):.2f} s")


if __name__ == "__main__":
    main()
