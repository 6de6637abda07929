"""The rig: an armature of SMPL joints, the skinned body and the keyframes of a motion."""
