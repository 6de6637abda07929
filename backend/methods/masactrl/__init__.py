"""MasaCtrl's mutual self-attention from frame 0."""
