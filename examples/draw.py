"""Draws eight melodies, keeps the busiest, and writes it as MIDI.

python examples/draw.py
"""

import musicvae

model = musicvae.load("melody-2bar")
clips = model.sample(8, seed=7)
busiest = max(clips, key=lambda clip: clip.attributes["note_density"])
busiest.save("busiest.mid")
print(f"busiest.mid: clip {busiest.index} of seed {busiest.seed}")
