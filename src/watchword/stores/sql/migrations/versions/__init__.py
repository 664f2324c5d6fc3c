"""One file for each revision, each after the one that its `down_revision` names."""
