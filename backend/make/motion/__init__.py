"""How the sample motions are made: a posable skeleton, keyed curves, one file a clip, MDM's file formats."""
