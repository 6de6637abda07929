"""HumanML3D's 263 features a frame, in which text-to-motion models see a motion: encoding, decoding, statistics.

Guo et al., "Generating Diverse and Natural 3D Human Motions from Text", 2022. 20 frames a second, metres, Y up.
"""
