"""MDM, the Human Motion Diffusion Model: network, diffusion, checkpoints and text encoders, written from its paper and
its file format (Tevet et al., 2022; DiP: Tevet et al., "CLoSD", 2024)."""
