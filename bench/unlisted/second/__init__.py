"""A second set of mistakes: those that developers ask about most, in five schemes."""
