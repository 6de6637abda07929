"""Import a motion, frame the shot, set the prompt and generate: the operators behind the panel's buttons.

blender -b --python-exit-code 1 --python docs/samples/01_generate_in_blender.py -- MOTION OUTPUT
python docs/samples/01_generate_in_blender.py -- MOTION OUTPUT
"""

import sys

import bpy

if not hasattr(bpy.types.Scene, "latentman"):  # the bpy package in a checkout, where nobody has enabled the add-on
    import blender_addon

    blender_addon.register()

motion, output = sys.argv[sys.argv.index("--") + 1 :]
for item in list(bpy.data.objects):  # the cube would hide the character, and a new camera is made below
    bpy.data.objects.remove(item)

scene = bpy.context.scene
scene.render.fps = 10
settings = scene.latentman
settings.width = settings.height = 128
settings.frames = "1-2"
settings.output = output
settings.prompt = "a robot dancing on the moon"
settings.method = "surfacelock"
settings.surfacelock.rounds = 2  # a method's own settings have its name; docs/methods.md lists them
settings.steps = 1

bpy.ops.latentman.import_motion(filepath=motion)
bpy.ops.latentman.frame_shot()
bpy.ops.latentman.generate()  # called like this it comes back when the take is finished; raises RuntimeError if not
