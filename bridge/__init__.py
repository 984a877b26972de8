"""A DAW's side of the conversation: its MIDI, clock and OSC on one side, requests on the other."""
