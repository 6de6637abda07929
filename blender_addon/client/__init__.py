"""The add-on's side of the wire: the backend process, the socket, and the job from passes to frames. No bpy in here."""
