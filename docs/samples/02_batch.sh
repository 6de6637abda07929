# The batch command: one line from a motion file to frames.  sh docs/samples/02_batch.sh MOTION OUTPUT
# In a Blender with the add-on it is `blender -b -c latentman` in place of `python -m blender_addon`.
set -eu

python -m blender_addon --motion "$1" --fps 10 --frames 1-2 --size 128x128 --steps 1 \
    --prompt "a robot dancing on the moon" --method surfacelock --output "$2" --save-blend "$2/shot.blend" --json
