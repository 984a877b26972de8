"""Morphs from one MIDI file to another in seven steps, and writes each step.

python examples/morph.py A.mid B.mid
"""

import sys

import musicvae

model = musicvae.load("melody-2bar")
start, end = sys.argv[1:]
for clip in model.interpolate([start, end], count=7, seed=1):
    clip.save(f"morph-{clip.index}.mid")
    print(f"morph-{clip.index}.mid: {len(clip.notes.notes)} notes")
